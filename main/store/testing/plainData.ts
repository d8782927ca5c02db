/** Plain data of every sort, for property tests: any nesting of objects, lists, arrays of numbers, and every scalar there is. */
import fc from 'fast-check';

const scalar = fc.oneof(
  fc.constantFrom(undefined, null, true, false, NaN, Infinity, -Infinity, -0, 0, 5e-324, 2 ** 53),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('$', '$$', '$tensor', '\0', '\ud800', '__proto__'),
);

const array = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.bigInt64Array(),
  fc.uint8Array(),
  fc.uint16Array(),
  fc.uint32Array(),
  fc.bigUint64Array(),
  fc.float32Array({ minLength: 2 }).map((values) => values.subarray(1)), // a view that does not begin where its buffer does
);

/** Names that are also our own marks, and ones that objects treat in their own way. */
const names = fc.oneof(fc.string(), fc.constantFrom('$tensor', '$$', '$undefined', '__proto__', 'constructor', '1', 'measures', 'model'));

export const plainData: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    array,
    fc.array(tie('value'), { maxLength: 5 }),
    // Entries, not assignments: `__proto__` is a name like any other.
    fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;
