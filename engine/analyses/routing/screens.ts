/**
 * Measures of a screen: one cell for every head (or MLP), once for each of several ways it was run. A family of tests is all cells of one way; states
 * and how far a write moved its site stand beside every effect, so that a zero is never silent. What one effect is, is the caller's.
 */
import type { Findings, Measure } from '../../base/findings.ts';
import type { Random } from '../../base/random.ts';
import { metricOf, type Effects } from '../../interventions/effects.ts';
import type { CellState } from '../../interventions/sweep.ts';
import { shareMeasures, type Gap } from './shares.ts';

export const STATES = { measured: 1, 'proved-zero': 2, 'not-run': 0, failed: -1 } as const satisfies Record<CellState, number>;
const STATE = '1: measured; 2: proved to be zero and not run; 0: not run; −1: failed, a metric is not a finite number';

/** All cells, run in one way. */
export interface Way {
  readonly label: string;
  /** In logits, [cells, pairs]. */
  readonly effects: Float64Array;
  readonly state: readonly CellState[];
  /** How far the writes moved their site, [cells]. */
  readonly moved: ArrayLike<number>;
}

export interface Screen {
  /** Names of the measures begin with it. */
  readonly name: string;
  /** The axis of the ways; absent where there is only one. */
  readonly over?: string;
  /** Axes of the cells. */
  readonly axes: readonly string[];
  /** What one effect is, in one clause. */
  readonly definition: string;
  readonly ways: readonly Way[];
}

/** What `shareMeasures` gives of every way, states and `nameMoved`: [over, ...axes]. */
export function screenMeasures({ name, over, axes, definition, ways }: Screen, gap: Gap, random: Random): Findings['measures'] {
  const parts = ways.map(({ label, effects, state }) =>
    shareMeasures({ name, axes, definition, effects, cells: state.length }, gap, random.fork(label)),
  );
  const joined = Object.entries(parts[0]).map(([key, first]): [string, Measure] => {
    const data = parts.flatMap((part) => [...part[key].data]);
    const kind = first.data instanceof Float32Array ? Float32Array : Float64Array;
    return [key, { ...first, axes: over === undefined ? first.axes : [over, ...first.axes], data: kind.from(data) }];
  });
  const own = over === undefined ? axes : [over, ...axes];
  return {
    ...Object.fromEntries(joined),
    [`${name}State`]: {
      axes: own,
      unit: '',
      definition: STATE,
      data: Int32Array.from(ways.flatMap(({ state }) => state.map((one) => STATES[one]))),
    },
    [`${name}Moved`]: {
      axes: own,
      unit: '',
      definition: 'how far the writes moved their site: L2 norm of the change over all positions written, mean over pairs',
      data: Float64Array.from(ways.flatMap(({ moved }) => Array.from(moved))),
    },
  };
}

/**
 * The difference that interventions make to M: [interventions, pairs].
 * @param sign −1: M without − M with (necessity); 1: M with − M without (sufficiency)
 */
export function changesOf(effects: Effects, sign: 1 | -1, metric = 'difference'): Float64Array {
  const { interventions, pairs } = effects;
  const base = metricOf(effects, metric);
  const changes = new Float64Array(interventions.length * pairs);
  interventions.forEach((id, i) =>
    // 0 − x, not −x: no effect is 0, never −0.
    metricOf(effects, metric, id).forEach(
      (value, pair) => (changes[i * pairs + pair] = sign > 0 ? value - base[pair] : base[pair] - value),
    ),
  );
  return changes;
}

export const wayOf = (label: string, effects: Effects, changes: Float64Array): Way => ({
  label,
  effects: changes,
  state: effects.state,
  moved: effects.moved,
});

/** Axes of every head of a model. */
export const headAxes = ({ layers, heads }: { layers: number; heads: number }): Findings['axes'] => ({
  layer: { values: Array.from({ length: layers }, (_entry, layer) => layer) },
  head: { values: Array.from({ length: heads }, (_entry, head) => head) },
});

/** What every analysis of circuits says of what it rests on. */
export const groundFacts = ({
  label,
  device,
  pairs,
  seed,
  family,
}: {
  label: string;
  device: string;
  pairs: number;
  seed: number;
  /** What is tested together. */
  family: string;
}): Findings['facts'] => ({
  model: label,
  device,
  pairs,
  seed,
  metric: 'M: mean logit of the positive tokens − mean logit of the negative ones, at the position that is read',
  family,
});
