/** Files as they come when something went wrong: random bytes, good files cut short, changed, with pieces taken out or put in twice. */
import * as fc from 'fast-check';
import { UserError } from '../../base/errors.ts';

export function damaged(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const one = fc.constantFrom(...good);
  // Places as shares of the length, so that they shrink with it; many near the beginning, where headers are.
  const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true }));
  const at = (file: Uint8Array, share: number) => Math.min(file.length - 1, Math.floor(share * file.length));
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  return fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(one, place).map(([file, share]) => file.slice(0, at(file, share))),
    fc.tuple(one, fc.array(fc.tuple(place, byte), { minLength: 1, maxLength: 4 })).map(([file, edits]) => {
      const copy = file.slice();
      for (const [share, value] of edits) copy[at(file, share)] = value;
      return copy;
    }),
    fc.tuple(one, place, place, fc.boolean()).map(([file, a, b, twice]) => {
      const [begin, end] = [at(file, Math.min(a, b)), at(file, Math.max(a, b))];
      return Uint8Array.from([...file.slice(0, twice ? end : begin), ...file.slice(twice ? begin : end)]);
    }),
    fc
      .tuple(one, one, place, place)
      .map(([file, other, a, b]) => Uint8Array.from([...file.slice(0, at(file, a)), ...other.slice(at(other, b))])),
  );
}

/** JSON whose values are exchanged for others, left out, or put elsewhere; and JSON damaged as bytes. */
export function damagedJson(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const hostile = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e9, 2 ** 53, 1e300, '', 'a', '../a', '__proto__', [], {}, [[]], [null], {
      type: 'Sequence',
    }),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const change = fc.record({
    place: fc.double({ min: 0, max: 1, noNaN: true }),
    how: fc.constantFrom('exchange', 'remove', 'copy'),
    hostile,
  });
  const changed = fc.tuple(fc.constantFrom(...good), fc.array(change, { minLength: 1, maxLength: 3 })).map(([file, changes]) => {
    const root = { all: JSON.parse(Buffer.from(file).toString()) as unknown };
    for (const { place, how, hostile: value } of changes) {
      const places = placesIn(root);
      const { inside, key } = places[Math.floor(place * (places.length - 1))];
      if (how === 'exchange') inside[key] = value;
      else if (how === 'remove' && inside !== root) Reflect.deleteProperty(inside, key);
      else inside[key] = places.at(-1)!.inside[places.at(-1)!.key];
    }
    return new Uint8Array(Buffer.from(JSON.stringify(root.all)));
  });
  return fc.oneof({ weight: 3, arbitrary: changed }, { weight: 1, arbitrary: damaged(good) });
}

interface Place {
  readonly inside: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: object): Place[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [
    { inside: value as Record<string, unknown>, key },
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner) : []),
  ]);
}

/**
 * Whatever the bytes, `read` gives a value that takes no more memory than `most` allows, or a mistake that names the place; any other error is one
 * of the reader's.
 */
export async function expectMistakeOrValue(
  good: readonly Uint8Array[],
  read: (bytes: Uint8Array, place: string) => unknown,
  sizeOf: (value: never, bytes: Uint8Array) => { held: number; most: number },
  runs: number,
  files = damaged(good),
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(files, async (bytes) => {
      let value: unknown;
      try {
        value = await read(bytes, 'a file');
      } catch (error) {
        if (error instanceof UserError && error.message.startsWith('a file')) return;
        throw error;
      }
      const { held, most } = sizeOf(value as never, bytes);
      if (held > most) throw new Error(`${held} bytes were made of ${bytes.length}`);
    }),
    { numRuns: runs },
  );
}
