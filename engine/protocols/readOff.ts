/** Single numbers out of findings, by name. */
import { UserError } from '../base/errors.ts';
import type { Findings } from '../base/findings.ts';

/** The number of a measure at one place, named on every axis of it. */
export function readOff({ axes, measures }: Findings, measure: string, at: Readonly<Record<string, string | number>>): number {
  const found = measures[measure] as Findings['measures'][string] | undefined;
  if (!found) throw new UserError('readOff: measure', `must be one of ${Object.keys(measures).join(', ')}`, measure);
  const place = found.axes.reduce((before, axis) => {
    const { values } = axes[axis];
    const index = values.indexOf(at[axis]);
    if (index < 0) throw new UserError(`readOff: ${measure}: ${axis}`, `must be one of ${values.join(', ')}`, at[axis]);
    return before * values.length + index;
  }, 0);
  return found.data[place];
}

/** Percent right by angle, as the analysis `accuracy` found it. */
export function accuracyIn(findings: Findings, model: string, form: string, angles: readonly number[]): Record<string, number> {
  return Object.fromEntries(angles.map((angle) => [angle, readOff(findings, 'accuracy', { model, form, angle })]));
}
