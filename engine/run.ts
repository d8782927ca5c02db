/** The one door into the engine: a request goes in, a result comes out. Knows no processes (engine.ts) and no storage (main/host). */
import { UserError } from './base/errors.ts';
import type { JobContext, JobKind, Request } from './contract.ts';
import { jobKinds } from './jobs/index.ts';

/**
 * Checks the request's parameters and computes its result.
 * @throws UserError for an unknown kind or parameters it does not take; Cancelled once `context.signal` has fired
 */
export async function run(request: Request, context: JobContext, kinds: readonly JobKind[] = jobKinds): Promise<unknown> {
  const kind = kinds.find(({ id }) => id === request.kind);
  if (!kind) throw new UserError('run: kind', `must be one of ${kinds.map(({ id }) => id).join(', ') || '(none)'}`, request.kind);
  return kind.run(kind.parse(request.parameters), context);
}
