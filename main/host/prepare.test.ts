/** Keys of requests: what counts, what does not, and what is refused before anything is computed. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../engine/base/errors.ts';
import { parseWith } from '../../engine/base/schema.ts';
import type { JobKind } from '../../engine/contract.ts';
import { jobKinds } from '../../engine/jobs/index.ts';
import { dataReference } from '../../engine/tasks/dataReference.ts';
import { prepareWith, reportKey } from './prepare.ts';
import { requestKey } from './requestKey.ts';

const schema = z.strictObject({
  seed: z.number('must be a number'),
  rate: z.number().default(0.1),
  pause: z.number().optional(),
  data: dataReference,
});
const walk: JobKind = {
  id: 'walk',
  version: 1,
  keeps: 'findings',
  neutral: ['pause'],
  parse: (parameters) => parseWith(schema, 'walk', parameters),
  run: async () => undefined,
};
const prepare = prepareWith([walk, { ...walk, id: 'run' }]);
const key = (parameters: object, kind = 'walk') => prepare({ kind, parameters }).key;
const digest = 'a'.repeat(64);

describe('prepareWith', () => {
  test('says how many threads a kind can use, where it does', () => {
    expect(prepareWith([{ ...walk, threads: 5 }])({ kind: 'walk', parameters: { seed: 1 } }).threads).toBe(5);
    expect(prepare({ kind: 'walk', parameters: { seed: 1 } }).threads).toBeUndefined();
  });

  test('fills in what is not said, which then makes no difference', () => {
    expect(prepare({ kind: 'walk', parameters: { seed: 1 } }).request).toEqual({
      kind: 'walk',
      parameters: { seed: 1, rate: 0.1, data: { source: 'mnist' } },
    });
    expect(key({ seed: 1 })).toBe(key({ rate: 0.1, seed: 1, data: {} }));
    expect(key({ seed: 1 })).toMatch(/^[0-9a-f]{64}$/);
  });

  test('takes parameters no number depends on for what they are', () => {
    expect(key({ seed: 1, pause: 3 })).toBe(key({ seed: 1 }));
    expect(prepare({ kind: 'walk', parameters: { seed: 1, pause: 3 } }).request.parameters).toMatchObject({ pause: 3 });
  });

  test('takes data by their digest if it is known, wherever they lie', () => {
    expect(key({ seed: 1, data: { source: '/a', digest } })).toBe(key({ seed: 1, data: { source: '/b', digest } }));
    expect(key({ seed: 1, data: { source: '/a' } })).not.toBe(key({ seed: 1, data: { source: '/b' } }));
  });

  test('tells everything else apart', () => {
    const newer = prepareWith([{ ...walk, version: 2 }])({ kind: 'walk', parameters: { seed: 1 } }).key;
    const keys = [
      key({ seed: 1 }),
      key({ seed: 2 }),
      key({ seed: 1, rate: 0.2 }),
      key({ seed: 1 }, 'run'),
      key({ seed: 1, data: { digest } }),
      newer,
      requestKey({ kind: 'walk', parameters: { seed: 1 } }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('refuses what the kind does not take, and leaves an unknown kind to the engine', () => {
    expect(() => key({ seed: 'x' })).toThrow(UserError);
    expect(() => key({ seed: 'x' })).toThrow('walk: seed must be a number, got "x"');
    const unknown = { kind: 'nosuch', parameters: { seed: 'x' } };
    expect(prepare(unknown)).toEqual({ request: unknown, key: requestKey(unknown) });
  });

  test('gives what it was given again: every kind takes its own parameters back', () => {
    const ours = prepareWith(jobKinds);
    const optimiser = { kind: 'adam', learningRate: 1e-3 };
    const given = { kind: 'trainClassifier', parameters: { seed: 1, optimiser, checkpointSeconds: 5 } };
    const first = ours(given);
    expect(ours(first.request)).toEqual(first);
    const { checkpointSeconds: _neutral, ...counting } = given.parameters;
    expect(ours({ ...given, parameters: counting }).key).toBe(first.key);
  });
});

test('a report is known by its protocol, its version and its options', () => {
  const protocol = { id: 'dopamine', version: 1 };
  const options = { seeds: [0], data: { source: '/a', digest } };
  const of = reportKey(protocol, options);
  expect(reportKey(protocol, { ...options, data: { source: '/b', digest } })).toBe(of);
  const others = [
    reportKey({ ...protocol, version: 2 }, options),
    reportKey({ id: 'x', version: 1 }, options),
    reportKey(protocol, { ...options, seeds: [1] }),
  ];
  expect(new Set([of, ...others]).size).toBe(4);
});
