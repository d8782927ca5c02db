/**
 * The key of a request as it is given: how equal requests find one another where no kind of job is known. With the kinds known, prepare.ts
 * makes it of what counts.
 */
import type { Request } from '../../engine/contract.ts';
import { canonicalDigest } from '../store/canonical.ts';

/** A request with its defaults filled in, and its key. */
export interface PreparedRequest {
  readonly request: Request;
  readonly key: string;
  /** Most threads it can use, where its kind says so. */
  readonly threads?: number;
}

/** @throws TypeError for parameters that are not plain data, naming where */
export function requestKey({ kind, parameters }: Request): string {
  return canonicalDigest([kind, parameters], 'request');
}
