/** Session files changed at random: whatever was done to one, it is refused in words or opens, and is not touched. */
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../../engine/base/errors.ts';
import type { Session } from '../session.ts';
import { fill, Folder } from './sessions.ts';

type Mutation = readonly [kind: 'flip' | 'cut' | 'zero' | 'copy' | 'grow', at: number, length: number, value: number];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.constantFrom('flip', 'cut', 'zero', 'copy', 'grow'),
  // Where structure is: the header and the beginnings of pages as often as anywhere.
  fc.oneof(
    fc.nat(99),
    fc.nat(60).map((page) => page * 4096 + 3),
    fc.nat(2 ** 18),
  ),
  fc.integer({ min: 1, max: 5000 }),
  fc.integer({ min: 1, max: 255 }),
);

function mutate(bytes: Buffer, [kind, at, length, value]: Mutation): Buffer {
  const from = at % bytes.length;
  const to = Math.min(bytes.length, from + length);
  switch (kind) {
    case 'flip':
      bytes[from] ^= value;
      return bytes;
    case 'cut':
      return bytes.subarray(0, from);
    case 'zero':
      return bytes.fill(0, from, to);
    case 'copy':
      bytes.copy(bytes, (from * 7 + value) % bytes.length, from, to);
      return bytes;
    case 'grow':
      return Buffer.concat([bytes, Buffer.alloc(length, value)]);
    default:
      return kind satisfies never;
  }
}

/** Everything that can be read, as somebody who looks at a session reads it. */
function readAll(session: Session): void {
  const attempts = [
    () => session.info,
    () => session.models().map(({ digest }) => session.model(digest)),
    () =>
      session.runs().map(({ key }) => [session.series(key), session.loadResult(key), session.loadCheckpoint(key), session.request(key)]),
    () => session.results().map(({ key }) => [session.result(key), session.request(key)]),
    () => [session.notes(), session.actions(), session.layout('panes'), session.corpora()],
    () => session.find('firing'),
    () => session.check(),
  ];
  for (const attempt of attempts)
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
}

export function damageTest(name: string, numRuns: number): void {
  test(name, () => {
    using folder = new Folder();
    const whole = folder.session('create', 'whole');
    fill(whole);
    whole.close();
    const bytes = readFileSync(whole.path);
    const outcomes = { refused: 0, opened: 0 };
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const damaged = mutations.reduce<Buffer>((before, next) => (before.length > 0 ? mutate(before, next) : before), Buffer.from(bytes));
        writeFileSync(folder.at('damaged'), damaged);
        for (const mode of ['read', 'write'] as const) {
          try {
            const session = folder.session(mode, 'damaged');
            outcomes.opened++;
            readAll(session);
            session.close();
            if (mode === 'write') continue; // it took the file for whole
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            outcomes.refused++;
          }
          expect(readFileSync(folder.at('damaged')).equals(damaged)).toBe(true);
          expect(folder.files()).toEqual(['damaged', 'whole']);
        }
      }),
      { seed: 1, numRuns, endOnFailure: true },
    );
    // Both happen, or nothing was tested.
    expect(outcomes.refused).toBeGreaterThan(numRuns / 4);
    expect(outcomes.opened).toBeGreaterThan(0);
  });
}
