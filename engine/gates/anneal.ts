/** The one annealer: the temperature (or any slope) as a function of how far training is. */
import { UserError } from '../base/errors.ts';
import { checkTemperature } from './gate.ts';

export interface Annealing {
  readonly kind: 'constant' | 'geometric' | 'linear';
  readonly start: number;
  /** Ignored by `constant`. */
  readonly end?: number;
}

/** T at `done` of `total` steps; geometric: T₀ (T₁/T₀)^(done/total). */
export function temperatureAt({ kind, start, end = start }: Annealing, done: number, total: number): number {
  checkTemperature(start);
  checkTemperature(end);
  if (!(total > 0 && done >= 0 && done <= total)) throw new UserError('anneal: done', `must lie in [0, ${total}]`, done);
  const share = done / total;
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
