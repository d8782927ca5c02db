/** The one door into the engine: a request goes in, a result comes out. Knows no processes (engine.ts) and no storage (main/host). */
import type { JobContext, JobKind, Request } from './contract.ts';
import { jobKinds } from './jobs/index.ts';
import { runOneOf } from './jobs/runOneOf.ts';

/**
 * Checks the request's parameters and computes its result.
 * @throws UserError for an unknown kind or parameters it does not take; Cancelled once `context.signal` has fired
 */
export async function run(request: Request, context: JobContext, kinds: readonly JobKind[] = jobKinds): Promise<unknown> {
  return runOneOf(kinds, request, context);
}
