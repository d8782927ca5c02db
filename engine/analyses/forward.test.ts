/** Every adapter in every form against plain double precision, and modes that take turns in one program. */
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { Forward, Forwards, nearestMode, overChunks, requireFit, type Form } from './forward.ts';
import { readLogits } from './scoring.ts';
import { analysisContext, smallImages, smallModel } from './testing/models.ts';
import { references } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const set = smallImages('test', 45);
const logitsOf = (forward: Forward, angle = 45) => forward.run(set, 0, 60, angle).logits.data as Float32Array;

const ids = [
  'dopamine',
  'dopamine+straight-through',
  'dopamine+pre-activation',
  'dopamine+two-sided',
  'threshold',
  'dopamine+context',
  'gain',
  'bias',
  'lora-r2',
  'full',
];

describe.each(ids)('%s', (id) => {
  const model = smallModel({ adapter: id, modeAngles: [45, 0] });

  test.each<Form>(adapterOf(id).gated ? ['base', 'soft', 'hard'] : ['base', 'soft'])('%s is the formula in double precision', (form) => {
    using forward = new Forward(executor, model, form, ({ logits, layers }) => ({
      outputs: { logits, ...Object.fromEntries(layers.map(({ out }, layer) => [`out${layer}`, out])) },
    }));
    for (const angle of [45, 0]) {
      const results = forward.run(set, 0, 60, angle);
      const expected = references(model, form, { ...set, count: 60 }, angle);
      // Some forty terms of float32 in each of three layers.
      const tolerance = { relative: 3e-6, absolute: 1e-6 };
      expectClose(
        results.logits.data,
        expected.flatMap(({ logits }) => logits),
        tolerance,
        'logits',
      );
      expectClose(
        results.out0.data,
        expected.flatMap(({ out }) => out.slice(0, 8)),
        tolerance,
        'out of layer 0',
      );
      expectClose(
        results.out1.data,
        expected.flatMap(({ out }) => out.slice(8)),
        tolerance,
        'out of layer 1',
      );
    }
  });

  test('swapped for another mode and back gives the bits of fresh ones, and writes nothing', () => {
    const other = smallModel({ adapter: id, modeAngles: [0, 45], variant: 1, temperature: [0.4, 0.3] });
    const before = structuredClone([model, other]);
    using shared = new Forward(executor, model, 'soft', readLogits);
    using fresh = new Forward(executor, other, 'soft', readLogits);
    const first = logitsOf(shared);
    const second = logitsOf(shared.use(other));
    expectClose(second, logitsOf(fresh), EXACT, 'the other mode');
    expect(second.some((logit, i) => logit !== first[i])).toBe(true);
    expectClose(logitsOf(shared.use(model)), first, EXACT, 'back again');
    expect([model, other]).toEqual(before);
  });
});

test('a program serves its own shape only', () => {
  const dopamine = smallModel({ adapter: 'dopamine' });
  using forward = new Forward(executor, dopamine, 'hard', readLogits);
  const refused: ClassifierModel[] = [
    smallModel({ adapter: 'dopamine+pre-activation' }),
    smallModel({ adapter: 'gain' }),
    { ...dopamine, widths: [36, 8, 3] },
  ];
  for (const other of refused) expect(() => forward.use(other)).toThrow(UserError);
});

test('models of one shape share a program, others do not', () => {
  let compiled = 0;
  const counting = {
    name: executor.name,
    dispose: () => undefined,
    compile: (program: Parameters<typeof executor.compile>[0]) => (compiled++, executor.compile(program)),
  };
  using forwards = new Forwards(counting, readLogits);
  for (const variant of [0, 1, 2]) logitsOf(forwards.of(smallModel({ adapter: 'dopamine', variant }), 'soft'));
  expect(compiled).toBe(1);
  forwards.of(smallModel({ adapter: 'dopamine' }), 'hard');
  forwards.of(smallModel({ adapter: 'gain' }), 'soft');
  forwards.of(smallModel({ adapter: 'gain' }), 'base');
  forwards.of(smallModel(), 'base');
  expect(compiled).toBe(4);
});

test('the hard form needs gates', () => {
  expect(() => new Forward(executor, smallModel({ adapter: 'gain' }), 'hard', readLogits)).toThrow(
    'forward: form must be "base" or "soft"',
  );
});

test('the nearest mode is so around the circle', () => {
  const adapter = { ...smallModel({ adapter: 'dopamine' }).adapter!, angles: [0, 45, 350] };
  expect([0, 20, 23, 180, 354, 356, -10, 715].map((angle) => nearestMode(adapter, angle))).toEqual([0, 0, 1, 1, 2, 0, 2, 0]);
});

test('chunks cover a set in order, and report their share', async () => {
  const seen: [number, number][] = [];
  const done: number[] = [];
  const context = analysisContext(executor, { progress: (progress) => done.push(progress.done) });
  await overChunks(context, { ...set, count: 1100 }, { stage: 'x', done: 2, total: 3 }, (begin, end) => seen.push([begin, end]));
  expect(seen).toEqual([
    [0, 500],
    [500, 1000],
    [1000, 1100],
  ]);
  expectClose(done, [2, 2 + 500 / 1100, 2 + 1000 / 1100], EXACT, 'done');
});

test('images that do not fit a model are refused', () => {
  const model = smallModel();
  expect(() => requireFit('firing', 'mine', model, { ...set, width: 7 })).toThrow(
    'firing: data must have 36 pixels, as model mine does, got "6 × 7"',
  );
  expect(() => requireFit('firing', 'mine', model, { ...set, classes: ['a', 'b', 'c', 'd'] })).toThrow(
    'firing: data must have at most 3 classes, as model mine does, got 4',
  );
});
