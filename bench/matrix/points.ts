/**
 * The points of the matrix: one thing at a time is varied around a screen of the heads of d128 L4 H4 at the last position of 32, on 64 pairs that
 * differ from the first position on; and around one of heads × positions, on pairs that differ from the middle on.
 */
import { screenRivals, type Suite, type TransformerConfig } from '../suites.ts';

export const models = ['drawn', 'policy', 'stories260K'] as const;

export interface Point {
  /** What is varied here. */
  readonly axis: 'pairs' | 'positions' | 'divergence' | 'heads' | 'layers' | 'model';
  /** `drawn`: random weights of width 128; the others are stored (models.ts), and have their own heads, layers and most positions. */
  readonly model: (typeof models)[number];
  readonly screen: 'last' | 'everywhere';
  readonly pairs: number;
  /** Positions of the prompts. */
  readonly length: number;
  /** The first position at which the prompts of a pair differ. */
  readonly divergence: number;
  readonly heads: number;
  readonly layers: number;
}

type Centre = Omit<Point, 'axis'>;

const last: Centre = { model: 'drawn', screen: 'last', pairs: 64, length: 32, divergence: 0, heads: 4, layers: 4 };
const everywhere: Centre = { ...last, screen: 'everywhere', divergence: 16 };
/** Cells grow with the positions, and so does each: fewer pairs let the longest prompts be swept at all. */
const FEW_PAIRS = 8;

const WIDTH = 128;
const MLP = 512;
const VOCABULARY = 64;

export function points(): Point[] {
  const along = <Name extends keyof Centre>(axis: Point['axis'], centre: Centre, name: Name, values: readonly Centre[Name][]): Point[] =>
    values.map((value) => ({ axis, ...centre, [name]: value }));
  const lengths = (centre: Centre, divergenceOf: (length: number) => number): Point[] =>
    [8, 16, 32, 64, 128, 256].map((length) => ({ axis: 'positions', ...centre, length, divergence: divergenceOf(length) }));
  const stored = (screen: Point['screen']): Point[] => [
    { axis: 'model', ...last, screen, model: 'policy', length: 8, divergence: 1 },
    { axis: 'model', ...last, screen, model: 'stories260K', heads: 8, layers: 5, divergence: screen === 'last' ? 0 : 16 },
  ];
  return [last, everywhere].flatMap((centre) => [
    ...along('pairs', centre, 'pairs', [1, 4, 16, 64, 256]),
    ...lengths(centre === last ? last : { ...everywhere, pairs: FEW_PAIRS }, (length) => (centre === last ? 0 : length / 2)),
    ...along('divergence', centre, 'divergence', [0, centre.length / 2, centre.length - 1]),
    ...along('heads', centre, 'heads', [2, 4, 8, 16]),
    ...along('layers', centre, 'layers', [2, 4, 8]),
    ...along('model', centre, 'model', ['drawn']),
    ...stored(centre.screen),
  ]);
}

export function cellsOf({ screen, layers, heads, length }: Point): number {
  return layers * heads * (screen === 'last' ? 1 : length);
}

/** What one time of rival A may cost, as {@link forwardCost} counts: about seven seconds of hooked forwards on one core. */
const MOST = 1 << 18;
const FEW_CELLS = 16;
const FEWEST_CELLS = 4;

/** Positions of a hooked forward, those of long prompts for more: scores grow with the square, and leave the caches. */
const forwardCost = ({ pairs, length }: Point): number => pairs * length * (1 + length / 128);

/** Cells of which the time of all is taken for rival A; all of them unless they take too long. */
export function cellsTimed(point: Point): number {
  const [cells, cost] = [cellsOf(point), forwardCost(point)];
  if (cells * cost <= MOST) return cells;
  return Math.min(cells, FEW_CELLS, Math.max(FEWEST_CELLS, Math.floor(MOST / cost)));
}

/** What the harness runs at a point; the config of a stored model is its own. */
export function suiteOf(point: Point, stored?: Partial<TransformerConfig>): Suite {
  const { screen, pairs, length, divergence, heads, layers } = point;
  const { hooks, suffix } = screenRivals;
  const timed = cellsTimed(point);
  const few = timed < cellsOf(point) ? ['--cells', String(timed)] : [];
  const drawn = { vocabulary: VOCABULARY, positions: length, width: WIDTH, heads, layers, mlp: MLP };
  return {
    name: screen === 'last' ? 'first-screen' : 'head-positions',
    config: {
      kind: 'transformer',
      ...drawn,
      ...stored,
      length,
      pairs,
      divergence,
      screen: screen === 'last' ? 'first' : 'positions',
    },
    script: 'sweep.py',
    rivals: [
      { ...hooks, arguments: [...hooks.arguments, ...few], judged: true },
      { ...suffix, judged: true },
    ],
    foreach: false,
    work: 1,
    unit: 'sweep',
    rounds: 3,
  };
}

export const nameOf = ({ axis, model, screen, pairs, length, divergence, heads, layers }: Point): string =>
  `${axis}: ${model} L${layers} H${heads}, ${screen}, n ${pairs}, P ${length}, d ${divergence}`;
