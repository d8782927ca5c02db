/** What was asked for, as work that can be asked for again: models by digest. */
import type { Request } from '../../../engine/contract.ts';
import { fieldOf } from '../../store/records.ts';
import type { Session } from '../../store/session.ts';
import type { Work } from '../hostApi.ts';

/** Requests of runs and results never change: each is read once. */
export class Outlines {
  readonly #session: Session;
  readonly #read = new Map<string, Request>();

  constructor(session: Session) {
    this.#session = session;
  }

  of(key: string): Request {
    let request = this.#read.get(key);
    if (!request) this.#read.set(key, (request = this.#session.requestOutline(key)));
    return request;
  }

  /** A run's. */
  work(key: string): Work {
    return workOf(this.of(key));
  }

  /** A result's own options. */
  options(key: string): Readonly<Record<string, unknown>> {
    return (fieldOf(this.of(key).parameters, 'options') ?? {}) as Readonly<Record<string, unknown>>;
  }
}

/** Of a training, or of a mode that was made between others. */
function workOf({ kind, parameters: given }: Request): Work {
  const parameters = given as Readonly<Record<string, unknown>>;
  if (kind === 'interpolateMode') {
    const { model, other, share, stage } = parameters as { model: string; other?: string; share: number; stage?: string };
    return { kind: 'interpolate', model, share, ...(other !== undefined && { other }), ...(stage !== undefined && { stage }) };
  }
  const { base, ...rest } = parameters;
  const defined = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { kind: 'train', parameters: defined, ...(typeof base === 'string' && { base }) };
}
