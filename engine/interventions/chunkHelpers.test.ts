/** Chunks measured by several threads: the same numbers to the bit, whatever is asked for; mistakes, cancellation and resuming as with one. */
import { afterAll, expect, test } from 'vitest';
import { Cancelled, UserError } from '../base/errors.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { BASE, options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import type { Effects } from './effects.ts';
import type { Intervention } from './intervention.ts';
import { modelGraph, siteNamed } from './modelGraph.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { LENGTH, pairsFor } from './testing/holdToWholes.ts';
import { everyKind, heads, z } from './testing/screens.ts';

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const config = { ...BASE, ...options.llama };
const model = modelGraph({ config, parameters: randomWeights(config, new Random(3)) });
// 70 pairs are 32, 32 and 6: with two threads the first of them has two chunks.
const pairs = pairsFor(config, 3, 70);
const asked: Intervention[] = [
  ...heads(config, 'read'),
  ...heads(config, [4]),
  ...everyKind(model.config, LENGTH, (site) => siteNamed(model, site) !== undefined),
];
const settings = {
  seed: 1,
  metrics: ['difference', 'argmax'] as const,
  observe: [
    { site: z(2), index: 1 },
    { site: 'blocks.1.hook_resid_post', positions: [1, 4] },
  ],
};

test('any number of threads gives the same bits: every kind of intervention, observations, what is kept of the pairs', async () => {
  const [one, two] = [new PlannedRunner(onnx, model), new PlannedRunner(onnx, model, { threads: 2 })];
  expect(await two.run(pairs, 'sensitive', asked, settings)).toEqual(await one.run(pairs, 'sensitive', asked, settings));
  // The second of three chunks is the other thread's, in both runs of paths; nothing is found twice, but for means over all pairs.
  expect(two.beside).toBe(2);
  expect(two.runs.branches).toBe(one.runs.branches);
  const { forwards } = two.runs;
  // The way back, and what has no interventions at all, need no forward in any thread; other pairs do.
  const back = heads(config, 'read', { arm: 'sensitive' });
  expect(await two.run(pairs, 'control', back)).toEqual(await one.run(pairs, 'control', back));
  expect(await two.run(pairs, 'control', [])).toEqual(await one.run(pairs, 'control', []));
  expect(two.runs.forwards).toBe(forwards);
  expect(two.beside).toBe(4);
  const others = pairsFor(config, 2, 40);
  expect(await two.run(others, 'control', back)).toEqual(await one.run(others, 'control', back));
  expect(two.runs.forwards).toBe(forwards + 2 * 2);
  two.dispose();
  one.dispose();
});

test('as little as may be kept is kept by any number of threads', async () => {
  const [one, two] = [1, 2].map((threads) => new PlannedRunner(onnx, model, { threads, cacheBytes: 1 << 16 }));
  for (const [arm, screen] of [
    ['sensitive', heads(config, [4])],
    ['control', heads(config, 'read', { arm: 'sensitive' })],
    ['sensitive', heads(config, 'read')],
  ] as const)
    expect(await two.run(pairs, arm, screen)).toEqual(await one.run(pairs, arm, screen));
  expect(two.runs).toEqual(one.runs);
  expect(two.beside).toBe(3);
  for (const runner of [one, two]) runner.dispose();
});

test('a cancelled request is left, and the next one is not mixed up with it', async () => {
  const runner = new PlannedRunner(onnx, model, { threads: 2 });
  const controller = new AbortController();
  let steps = 0;
  const breathe = () => {
    if (++steps === 4) controller.abort();
    return Promise.resolve();
  };
  await expect(runner.run(pairs, 'sensitive', asked, { ...settings, context: { signal: controller.signal, breathe } })).rejects.toThrow(
    Cancelled,
  );
  const after = await runner.run(pairs, 'control', heads(config, 'read', { arm: 'sensitive' }));
  const alone = new PlannedRunner(onnx, model);
  const expected = await alone.run(pairs, 'control', heads(config, 'read', { arm: 'sensitive' }));
  // Unchanged values that the cancelled request had found may differ in their last bits: they were found together with others.
  expectClose(after.metrics, expected.metrics, { relative: 0, absolute: 1e-5 }, 'after');
  expect(after.state).toEqual(expected.state);
  runner.dispose();
  alone.dispose();
});

test('what is stored is taken up by any number of threads', async () => {
  const [one, two] = [new PlannedRunner(onnx, model), new PlannedRunner(onnx, model, { threads: 2 })];
  const cells = [...heads(config, 'read'), ...heads(config, [4])];
  const expected: Effects = await one.run(pairs, 'sensitive', cells, settings);
  const states: unknown[] = [];
  const checkpoint = (state: unknown) => Promise.resolve(void states.push(structuredClone(state)));
  const byOne: unknown[] = [];
  await two.run(pairs, 'sensitive', cells, { ...settings, context: { checkpoint } });
  await new PlannedRunner(onnx, model).run(pairs, 'sensitive', cells, {
    ...settings,
    context: { checkpoint: (state) => Promise.resolve(void byOne.push(structuredClone(state))) },
  });
  // Two threads store after two chunks and after the third; one after each.
  expect([states.length, byOne.length]).toEqual([2, 3]);
  const { beside } = two;
  for (const resume of [states[0], byOne[0]])
    for (const runner of [one, two])
      expect(await runner.run(pairs, 'sensitive', cells, { ...settings, context: { resume } })).toEqual(expected);
  // The second chunk was the other thread's, also where the first was done already.
  expect(two.beside).toBe(beside + 1);
  one.dispose();
  two.dispose();
});

test('a number of threads that cannot be is a mistake', () => {
  expect(() => new PlannedRunner(onnx, model, { threads: 0 })).toThrow(UserError);
  expect(() => new PlannedRunner(new TensorFlowExecutor(), model, { threads: 2 })).toThrow(
    'plannedRunner: threads must be 1 unless the executor is onnxruntime-cpu, got "tensorflow-cpu"',
  );
  expect(() => new PlannedRunner(onnx, model, { threads: 1.5 })).toThrow(/plannedRunner: threads must be an integer in \[1, 64\], got 1.5/);
});
