/** Requests as they are computed and kept: checked and filled in by their kind, under a key made of everything their numbers depend on. */
import type { JobKind, Request } from '../../engine/contract.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { fieldOf, textField } from '../store/records.ts';
import { requestKey, type PreparedRequest } from './requestKey.ts';

/** What computes: another executor or class of device gives other last bits. */
const DEVICE = 'onnxruntime-cpu';

/**
 * @returns a function that prepares a request; one of an unknown kind is left to the engine, which says which kinds there are
 * @throws UserError from it, for parameters that the kind does not take
 */
export function prepareWith(kinds: readonly JobKind[]): (request: Request) => PreparedRequest {
  const byId = new Map(kinds.map((kind) => [kind.id, kind]));
  return (given) => {
    const kind = byId.get(given.kind);
    if (!kind) return { request: given, key: requestKey(given) };
    const request = { kind: kind.id, parameters: kind.parse(given.parameters) };
    const counted = kind.counts ? kind.counts(request.parameters) : counting(request.parameters, kind.neutral);
    const key = canonicalDigest([kind.id, kind.version, DEVICE, counted], 'request');
    return { request, key, ...(kind.threads !== undefined && { threads: kind.threads }) };
  };
}

/** The key of a protocol's report on these options. */
export function reportKey(protocol: { readonly id: string; readonly version: number }, options: unknown): string {
  return canonicalDigest([`protocol ${protocol.id}`, protocol.version, DEVICE, counting(options)], 'options');
}

/** Of parameters, what numbers depend on: data by what they are, not by where they were read, as soon as that is known. */
function counting(parameters: unknown, neutral: readonly string[] = []): unknown {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) return parameters;
  const counted = Object.entries(parameters).filter(([name]) => !neutral.includes(name));
  const digest = textField(fieldOf(parameters, 'data'), 'digest');
  return Object.fromEntries(counted.map(([name, value]) => [name, name === 'data' && digest !== undefined ? { digest } : value]));
}
