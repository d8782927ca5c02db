/**
 * The planned way against whole forwards of both executors, for the options that differ most (plannedRunner.full.test.ts has every one); and the runs
 * it makes, which must be few.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Cancelled } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { BASE, options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { metricOf } from './effects.ts';
import type { Intervention } from './intervention.ts';
import { modelGraph, siteNamed } from './modelGraph.ts';
import { capacity } from './places.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { meanGap } from './testing/drawnPairs.ts';
import { ALLOWED, expectSame, holdToWholes, LENGTH, pairsFor } from './testing/holdToWholes.ts';
import { everyKind, heads, z } from './testing/screens.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

test.each(['llama', 'read masks', 'write masks', 'an early exit some take'])('every kind of intervention: %s', async (name) => {
  await holdToWholes([onnx, tensorflow], options[name], [LENGTH / 2]);
});

describe('runs', () => {
  const config = { ...BASE, ...options.llama };
  const parameters = randomWeights(config, new Random(3));
  const model = modelGraph({ config, parameters });
  const whole = new WholeRunner(onnx, model);
  const wide = pairsFor(config, 3, 70);
  const gapOf = async (pairs: PairSet) =>
    meanGap(metricOf(await whole.run(pairs, 'sensitive', []), 'difference'), metricOf(await whole.run(pairs, 'control', []), 'difference'));

  test('a screen of the read position: two forwards a chunk and one run; a second screen runs no forward', async () => {
    const planned = new PlannedRunner(onnx, model);
    const first = await planned.run(wide, 'sensitive', heads(config, 'read'));
    // 70 pairs are 32, 32 and 6.
    expect(planned.runs).toEqual({ forwards: 2 * 3, branches: 3 });
    const second = await planned.run(wide, 'sensitive', heads(config, 'read', { zero: true }).slice(0, 6));
    const back = await planned.run(wide, 'control', heads(config, 'read', { arm: 'sensitive' }));
    expect(planned.runs.forwards).toBe(2 * 3);
    const gap = await gapOf(wide);
    expectSame(first, await whole.run(wide, 'sensitive', heads(config, 'read')), gap, 'first');
    expectSame(second, await whole.run(wide, 'sensitive', heads(config, 'read', { zero: true }).slice(0, 6)), gap, 'second');
    expectSame(back, await whole.run(wide, 'control', heads(config, 'read', { arm: 'sensitive' })), gap, 'back');
  });

  const sitesOf = (names: readonly string[]) =>
    Array.from({ length: config.layers }, (_entry, layer) => names.map((name) => `blocks.${layer}.${name}`)).flat();
  const scaled = (site: string, amount: number): Intervention => ({
    id: `${site} × ${amount}`,
    writes: [{ site, positions: 'read', op: 'scale', amount }],
  });

  test.each<[string, readonly Intervention[], number]>([
    [
      'sites of every kind, one below the other, in one run',
      sitesOf(['hook_resid_pre', 'attn.hook_z', 'hook_resid_mid', 'hook_mlp_out']).flatMap((site) => [scaled(site, 0.5), scaled(site, 2)]),
      1,
    ],
    [
      'values, which do not reach the weights they are mixed by: a run a layer',
      sitesOf(['attn.hook_v']).map((site) => scaled(site, 2)),
      config.layers,
    ],
    [
      'values and what they are mixed into, as far as they can be joined',
      sitesOf(['hook_resid_pre', 'attn.hook_v', 'attn.hook_z']).map((site) => scaled(site, 2)),
      4,
    ],
    [
      'queries and keys of a layer do not follow from one another, those of the next follow from both',
      sitesOf(['attn.hook_q', 'attn.hook_k']).map((site) => scaled(site, 2)),
      config.layers + 1,
    ],
    ['nothing is changed in a layer between', [scaled(z(0), 2), scaled(z(1), 1), scaled(z(2), 2)], 1],
    [
      'more than a run holds',
      [...Array(130).keys()].flatMap((i) => [scaled(z(0), i / 64), scaled(z(1), i / 64)]).concat(scaled(z(2), 2)),
      2 * 2 + 1,
    ],
    [
      'what changes nothing takes no place',
      [...Array(127).keys()]
        .map((i): Intervention => ({
          id: `idle ${i}`,
          writes: [{ site: z(0), positions: 'read', op: 'swap', donor: { arm: 'sensitive' } }],
        }))
        .concat([0, 1, 2].map((layer) => scaled(z(layer), 2))),
      1,
    ],
    ['observed on the way', [scaled(z(0), 2), scaled(z(2), 2)], 1],
  ])('runs at the read position: %s', async (_name, interventions, runs) => {
    const planned = new PlannedRunner(onnx, model);
    const pairs = pairsFor(config, 3, 32);
    const observe = [{ site: 'blocks.0.hook_mlp_out' }, { site: 'blocks.1.hook_resid_post' }, { site: z(2), index: 1 }];
    expect(planned.plan(pairs, 'sensitive', interventions, { observe }).runs).toBe(runs);
    const effects = await planned.run(pairs, 'sensitive', interventions, { observe });
    expect(planned.runs.branches).toBe(runs);
    expectSame(effects, await whole.run(pairs, 'sensitive', interventions, { observe }), await gapOf(pairs), 'effects');
  });

  test('what is kept is bounded, and what is not kept is found again', async () => {
    const [roomy, tight] = [new PlannedRunner(onnx, model), new PlannedRunner(onnx, model, { cacheBytes: 0 })];
    const screen = heads(config, [5]);
    const [one, other] = [await roomy.run(wide, 'sensitive', screen), await tight.run(wide, 'sensitive', screen)];
    expectClose(other.metrics, one.metrics, EXACT, 'metrics');
    await tight.run(wide, 'sensitive', screen);
    expect(tight.runs.forwards).toBe(12);
  });

  test('the same bits whatever else is in the sweep, up to what runs of other sizes round', async () => {
    const planned = new PlannedRunner(onnx, model);
    const all = await planned.run(wide, 'sensitive', heads(config, 'all'));
    const some = await planned.run(wide, 'sensitive', heads(config, 'all').slice(5, 7));
    const gap = await gapOf(wide);
    for (const id of some.interventions)
      expectClose(metricOf(some, 'difference', id), metricOf(all, 'difference', id), { relative: 0, absolute: ALLOWED * gap }, id);
    expectClose((await planned.run(wide, 'sensitive', heads(config, 'all'))).metrics, all.metrics, EXACT, 'again');
  });

  test('runs that are asked for at once, on different pairs', async () => {
    const planned = new PlannedRunner(onnx, model);
    const other = pairsFor(config, 1, 9);
    const screen = heads(config, 'read').slice(0, 5);
    const both = await Promise.all([wide, other].map((pairs) => planned.run(pairs, 'sensitive', screen)));
    for (const [i, pairs] of [wide, other].entries())
      expectSame(both[i], await whole.run(pairs, 'sensitive', screen), await gapOf(pairs), `pairs ${i}`);
  });

  test('pairs that are read at different positions', async () => {
    const pairs = { ...wide, read: Int32Array.from({ length: 70 }, (_entry, pair) => 5 + (pair % 3)) };
    const interventions: Intervention[] = [
      ...heads(config, 'read').slice(3, 7),
      ...heads(config, 'all').slice(3, 7),
      { id: 'resampled', writes: [{ site: z(1), positions: 'read', op: 'swap', donor: { resample: 'control' } }] },
      { id: 'mean', writes: [{ site: z(1), positions: 'read', op: 'swap', donor: { mean: 'control' } }] },
    ];
    const planned = new PlannedRunner(onnx, model);
    expectSame(
      await planned.run(pairs, 'sensitive', interventions),
      await whole.run(pairs, 'sensitive', interventions),
      await gapOf(pairs),
      'mixed',
    );
  });

  test('positions after the one that is read are observed by whole runs', async () => {
    const planned = new PlannedRunner(onnx, model);
    const pairs = { ...wide, read: new Int32Array(70).fill(4) };
    const screen = heads(config, 'all').slice(3, 7);
    const observe = [{ site: 'blocks.1.hook_resid_post', positions: [0, 4, 6] }];
    const effects = await planned.run(pairs, 'sensitive', screen, { observe });
    expect(effects.wholes.map(({ reason }) => reason)).toEqual(
      screen.map(() => 'positions of blocks.1.hook_resid_post after the one that is read are observed'),
    );
    expectSame(effects, await whole.run(pairs, 'sensitive', screen, { observe }), await gapOf(pairs), 'beyond');
  });

  test('a run holds no more numbers than it may, however wide the model', () => {
    const size = { length: 16, rows: 4, positions: 1 };
    expect(capacity({ ...model.config, width: 128, mlp: 512, vocabulary: 64 }, { ...size, rows: 32 })).toBe(128);
    expect(capacity({ ...model.config, vocabulary: 128_256 }, size) * 4 * 128_256).toBeLessThanOrEqual(2 ** 22);
    expect(capacity({ ...model.config, width: 4096, mlp: 11_008 }, { ...size, positions: 16 }) * 4 * 16 * 11_008).toBeLessThanOrEqual(
      2 ** 22,
    );
    expect(capacity({ ...model.config, vocabulary: 2 ** 24 }, size)).toBe(1);
  });

  test('a wrong site fails the same check', async () => {
    const planned = new PlannedRunner(onnx, model);
    const [right, wrong] = [heads(config, 'read')[1], heads(config, 'read')[2]];
    const actual = await planned.run(wide, 'sensitive', [{ ...wrong, id: right.id }]);
    const expected = await whole.run(wide, 'sensitive', [right]);
    expect(() => expectSame(actual, expected, 1, 'wrong')).toThrow('largest error');
  });

  test('cancelled between runs, and gone on with to the same bits', async () => {
    const interventions = [
      ...heads(config, 'all'),
      ...everyKind(model.config, LENGTH, (site) => siteNamed(model, site) !== undefined).slice(-4),
    ];
    const planned = new PlannedRunner(onnx, model);
    const expected = await planned.run(wide, 'sensitive', interventions, { seed: 2 });
    for (const stop of [1, 2, 3, 4]) {
      let stored: unknown;
      let left = stop;
      const abort = new AbortController();
      const checkpoint = async (state: unknown) => {
        stored = structuredClone(state);
        if (--left === 0) abort.abort();
      };
      const run = planned.run(wide, 'sensitive', interventions, { seed: 2, context: { signal: abort.signal, checkpoint } });
      await expect(run).rejects.toThrow(Cancelled);
      const resumed = await planned.run(wide, 'sensitive', interventions, { seed: 2, context: { resume: stored } });
      for (const name of ['metrics', 'moved', 'fired'] as const) expectClose(resumed[name], expected[name], EXACT, `${name} after ${stop}`);
      expect(resumed.state).toEqual(expected.state);
    }
  });
});
