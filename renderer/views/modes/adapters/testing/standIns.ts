/** Findings made of stored ones where a stored session has none of the kind: for tests and the gallery. */
import type { Findings, Measure } from '../../../../../engine/base/findings.ts';

const changed = (findings: Findings, change: (measure: Measure, name: string) => Measure): Findings => ({
  ...findings,
  measures: Object.fromEntries(Object.entries(findings.measures).map(([name, measure]) => [name, change(measure, name)])),
});

/** As `paired` finds them with hard gates: a little worse everywhere. */
export const hardenedOf = (paired: Findings): Findings =>
  changed({ ...paired, facts: { ...paired.facts, form: 'hard' } }, (measure, name) =>
    name === 'base' ? measure : { ...measure, data: measure.data.map((value) => value - 0.12) },
  );

/** As `paired` finds them on the first foundation alone: differences, and no interval. */
export function oneFoundation(paired: Findings): Findings {
  const { foundation } = paired.axes;
  const n = foundation.values.length;
  const only: Findings = {
    ...paired,
    axes: { ...paired.axes, foundation: { ...foundation, values: [foundation.values[0]] } },
    facts: { ...paired.facts, foundations: 1 },
  };
  const first = ({ axes, data }: Measure): Float64Array => {
    const inner = axes.slice(axes.indexOf('foundation') + 1).reduce((product, axis) => product * paired.axes[axis].values.length, 1);
    return Float64Array.from(data).filter((_value, i) => Math.floor(i / inner) % n === 0);
  };
  const { difference } = paired.measures;
  return changed(only, (measure, name) => {
    if (measure.axes.includes('foundation')) return { ...measure, data: first(measure) };
    if (name === 'mean') return { ...measure, data: first(difference) };
    return { ...measure, data: Float64Array.from(measure.data, () => NaN) };
  });
}
