/** A request as one of several kinds of jobs. run.ts knows all of them. */
import { UserError } from '../base/errors.ts';
import type { JobContext, JobKind, Request } from '../contract.ts';

/**
 * Checks the request's parameters and computes its result.
 * @throws UserError for a kind that is none of `kinds` or parameters it does not take; Cancelled once `context.signal` has fired
 */
export async function runOneOf(kinds: readonly JobKind[], request: Request, context: JobContext): Promise<unknown> {
  const kind = kinds.find(({ id }) => id === request.kind);
  if (!kind) throw new UserError('run: kind', `must be one of ${kinds.map(({ id }) => id).join(', ') || '(none)'}`, request.kind);
  return kind.run(kind.parse(request.parameters), context);
}
