/** A method as the wire calls it: its arguments are parsed before it does anything. */
import { z } from 'zod';
import { parseWith } from '../../../engine/base/schema.ts';
import type { CallContext } from '../../rpc/wire.ts';
import type { HostApi } from '../hostApi.ts';

type Given<Name extends keyof HostApi> = Parameters<HostApi[Name]>[0];

/** @param schema of the one object of arguments; what it refuses is told as `openSession: path must be a text, got 3` */
export function method<Name extends keyof HostApi>(name: Name, schema: z.ZodType<Given<Name>>, run: HostApi[Name]): HostApi[Name] {
  const checked = (given: unknown, context: CallContext): unknown =>
    (run as (given: Given<Name>, context: CallContext) => unknown)(parseWith(schema, name, given), context);
  return checked as HostApi[Name];
}

export const fields = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape, 'must be an object');
export const nothing = fields({});
export const text = z.string('must be a text');
export const path = text.min(1, 'must be a path');
export const name = text
  .trim()
  .min(1, 'must not be empty')
  .max(200, 'must be at most 200 characters')
  .regex(/^\P{Cc}*$/u, 'must be without control characters');
export const flag = z.boolean('must be true or false');
export const digest = text.regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

/** Objects, lists, texts, numbers, true, false, null: what a file can keep and anybody can read. */
export const plain = z.custom<unknown>((value) => isPlain(value), 'must be plain data: objects, lists, texts, numbers, true, false, null');

function isPlain(value: unknown): boolean {
  if (value === null || value === undefined || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}
