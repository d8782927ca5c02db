/** The rows of the adapters' comparison, from what `paired` found: one per adapter, and one more for its gates hardened. */
import type { Findings } from '../../../../engine/base/findings.ts';
import { familyColour, type SeriesColour } from '../../../marks/colour.ts';
import { change, interval } from '../../../words/numbers.ts';
import { along, read } from './reading.ts';

/** A mean over foundations, its interval, and what it is the mean of. */
export interface Difference {
  readonly mean: number;
  /** NaN with fewer than two foundations. */
  readonly low: number;
  readonly high: number;
  readonly seeds: readonly { readonly name: string; readonly value: number }[];
}

export interface AdapterRow {
  readonly id: string;
  readonly adapter: string;
  readonly name: string;
  readonly hardened: boolean;
  readonly current: boolean;
  readonly parameters: number | undefined;
  readonly colour: SeriesColour;
  /** At the angle of the mode, and at one that the foundation had learnt. */
  readonly gain: Difference;
  readonly kept: Difference;
}

/** What is known of an adapter besides its accuracy. */
export interface AdapterFacts {
  readonly name: string;
  readonly parameters: number | undefined;
}

export interface ComparisonGiven {
  readonly soft: Findings;
  /** The same with hard gates. */
  readonly hard?: Findings | undefined;
  readonly newAngle: number;
  readonly oldAngle: number;
  /** The adapter that is looked at. */
  readonly current: string | undefined;
  readonly about: (adapter: string) => AdapterFacts;
  readonly isGated: (adapter: string) => boolean;
}

/** Cheapest first; of equally cheap ones the one that gains less. */
export function comparison({ soft, hard, newAngle, oldAngle, current, about, isGated }: ComparisonGiven): AdapterRow[] {
  const row = (findings: Findings, adapter: string, hardened: boolean): AdapterRow => ({
    id: hardened ? `${adapter}, hardened` : adapter,
    adapter,
    hardened,
    current: adapter === current,
    ...about(adapter),
    colour: familyColour(adapter),
    gain: difference(findings, adapter, newAngle),
    kept: difference(findings, adapter, oldAngle),
  });
  return soft.axes.adapter.values
    .map((value) => row(soft, String(value), false))
    .sort((a, b) => (a.parameters ?? Infinity) - (b.parameters ?? Infinity) || a.gain.mean - b.gain.mean)
    .flatMap((own) => {
      if (!hard || !isGated(own.adapter) || !hard.axes.adapter.values.includes(own.adapter)) return [own];
      return [own, { ...row(hard, own.adapter, true), name: 'hardened', parameters: undefined }];
    });
}

function difference(findings: Findings, adapter: string, angle: number): Difference {
  const at = { adapter, angle };
  const values = along(findings, 'difference', 'foundation', at);
  const seeds = findings.axes.foundation.values.flatMap((name, i) =>
    Number.isNaN(values[i]) ? [] : [{ name: seedName(String(name)), value: values[i] }],
  );
  return { mean: read(findings, 'mean', at), low: read(findings, 'low', at), high: read(findings, 'high', at), seeds };
}

/** `0°, 45°, seed 0` → `seed 0` */
const seedName = (foundation: string): string => /seed \d+.*$/.exec(foundation)?.[0] ?? foundation;

/** `+1.63 [0.52, 1.47] points` */
export function differenceWords({ mean, low, high }: Difference): string {
  const bounds = Number.isNaN(low) ? '' : ` ${interval(low, high, 2, change)}`;
  return `${change(mean, 2)}${bounds} points`;
}

/** For a tooltip. */
export const differenceRows = ({ mean, low, high, seeds }: Difference): { label: string; value: string }[] => [
  { label: 'mean', value: `${change(mean, 2)} points` },
  { label: '95\u202f% interval', value: Number.isNaN(low) ? 'none: one foundation' : interval(low, high, 2, change) },
  ...seeds.map(({ name, value }) => ({ label: name, value: change(value, 2) })),
];
