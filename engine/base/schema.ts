/** Checking what comes from outside against a zod schema; the first broken rule becomes a UserError that names field, rule and value. */
import { z } from 'zod';
import { UserError } from './errors.ts';

/** A number in [low, high]; the message is the rule. */
export function between(low: number, high: number): z.ZodNumber {
  const rule = `must be a number in [${low}, ${high}]`;
  return z.number(rule).min(low, rule).max(high, rule);
}

/** An integer in [low, high]. */
export function wholeBetween(low: number, high: number): z.ZodNumber {
  const rule = `must be an integer in [${low}, ${high}]`;
  return z.number(rule).int(rule).min(low, rule).max(high, rule);
}

/** Named float32 tensors. */
export const tensors = z.record(
  z.string(),
  z.custom<Float32Array>((value) => value instanceof Float32Array, 'must be a Float32Array'),
);

/** @throws UserError for the first field that breaks a rule, e.g. `optimiser: beta1 must be a number in [0, 1], got 2` */
export function parseWith<S extends z.ZodType>(schema: S, place: string, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue.code === 'unrecognized_keys')
    throw new UserError([place, issue.path.join('.'), 'fields'].filter(Boolean).join(': '), 'must be known', issue.keys);
  const wrong = issue.path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key], value);
  throw new UserError([place, issue.path.join('.')].filter(Boolean).join(': '), issue.message, wrong);
}
