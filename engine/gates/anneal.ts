/** The one annealer: the temperature (or any slope) as a function of how far training is. */
import { UserError } from '../base/errors.ts';
import { checkTemperature } from './gate.ts';

export interface Annealing {
  readonly kind: 'constant' | 'geometric' | 'linear';
  readonly start: number;
  /** Needed by all but `constant`, which ignores it. */
  readonly end?: number;
}

/** T at `done` of `total` steps, both ends exact; geometric: T₀ (T₁/T₀)^(done/total). */
export function temperatureAt({ kind, start, end: given }: Annealing, done: number, total: number): number {
  const end = given ?? start;
  checkTemperature(start);
  checkTemperature(end);
  if (kind !== 'constant' && given === undefined) throw new UserError('anneal: end', `must be given for ${kind}`, given);
  if (!(total > 0 && done >= 0 && done <= total)) throw new UserError('anneal: done', `must lie in [0, ${total}]`, done);
  const share = done / total;
  if (done === total && kind !== 'constant') return end;
  switch (kind) {
    case 'constant':
      return start;
    case 'geometric':
      return start * (end / start) ** share;
    case 'linear':
      return start + (end - start) * share;
    default:
      return kind satisfies never;
  }
}
