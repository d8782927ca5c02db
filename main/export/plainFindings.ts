/** Findings as JSON has them: arrays instead of typed ones, and `null` where there is no number. */
import type { Findings } from '../../engine/base/findings.ts';

export type PlainFindings = Omit<Findings, 'measures'> & {
  readonly measures: Readonly<
    Record<string, { axes: readonly string[]; unit: string; definition: string; data: readonly (number | null)[] }>
  >;
};

/** Infinities, which JSON does not have either, are `null` too. */
export function plainFindings({ axes, measures, facts, claims }: Findings): PlainFindings {
  return {
    axes,
    measures: Object.fromEntries(
      Object.entries(measures).map(([name, { data, ...measure }]) => [name, { ...measure, data: Array.from(data, plainNumber) }]),
    ),
    facts,
    ...(claims && { claims }),
  };
}

const plainNumber = (value: number): number | null => (Number.isFinite(value) ? value : null);
