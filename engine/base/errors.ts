/**
 * The three ways work can end without a result, and how they cross a process boundary.
 *
 * A user's mistake says which field broke which rule with which value, and is shown where it was made. A cancellation is silent.
 * Everything else is a bug and is logged with its stack. Wording of a mistake: `ablate: unit must be an integer in [0, 63], got 64`.
 */

/** Somebody asked for something that cannot be done: names the place, the rule and the value. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly field: string;
  readonly rule: string;
  readonly value: string;

  /** @param field who complains and of what, e.g. `ablate: unit`; @param rule what must hold, e.g. `must be an integer in [0, 63]` */
  constructor(field: string, rule: string, value: unknown, options?: ErrorOptions) {
    const shown = show(value);
    super(`${field} ${rule}, got ${shown}`, options);
    this.field = field;
    this.rule = rule;
    this.value = shown;
  }
}

/** The work was called off; what it had stored stays. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  constructor(message = 'cancelled') {
    super(message);
  }
}

/** An error as plain data, for a message to another process or a line of JSON. */
export type Failure =
  | { kind: 'mistake'; message: string; field: string; rule: string; value: string }
  | { kind: 'cancelled'; message: string }
  | { kind: 'bug'; message: string; stack: string };

export function toFailure(error: unknown): Failure {
  if (error instanceof UserError)
    return { kind: 'mistake', message: error.message, field: error.field, rule: error.rule, value: error.value };
  if (error instanceof Cancelled) return { kind: 'cancelled', message: error.message };
  if (error instanceof Error) return { kind: 'bug', message: error.message, stack: error.stack ?? error.message };
  return { kind: 'bug', message: String(error), stack: String(error) };
}

/** The error a failure stood for: the same class, so that `instanceof` works on either side of the boundary. */
export function fromFailure(failure: Failure): Error {
  switch (failure.kind) {
    case 'mistake': {
      // The value was put into words on the other side; it is not quoted again.
      const { message, value } = failure;
      return Object.assign(new UserError(failure.field, failure.rule, value), { message, value });
    }
    case 'cancelled':
      return new Cancelled(failure.message);
    case 'bug': {
      const error = new Error(failure.message);
      error.stack = failure.stack;
      return error;
    }
    default:
      return failure satisfies never;
  }
}

/** Throws {@link Cancelled} once the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Cancelled();
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  if (Array.isArray(value)) return `[${value.map((entry) => (typeof entry === 'object' ? show(entry) : String(entry))).join(', ')}]`;
  if (value !== null && typeof value === 'object') return JSON.stringify(value);
  return String(value);
}
