/** Live kinds against plain double precision and the images themselves; that digests stand for models; and what they refuse. */
import { describe, expect, test } from 'vitest';
import type { ForcedUnit } from '../../analyses/forcing.ts';
import { reference, rightOf } from '../../analyses/testing/reference.ts';
import { unitLabels } from '../../analyses/units.ts';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import type { ClassifierModel } from '../../models/classifier.ts';
import { interpolate } from '../../models/modes.ts';
import { run } from '../../run.ts';
import { loadImages } from '../../tasks/imageData.ts';
import { firstImages, imagesAt } from '../../tasks/someImages.ts';
import { contextOf } from '../testing/context.ts';
import type { DrawnImages } from './drawImages.ts';
import type { Missing } from './heldModels.ts';
import type { LiveAnswer } from './liveAnswer.ts';
import type { PathAccuracy } from './pathAccuracy.ts';
import { drawnModel, freshDigest } from './testing.ts';

const data = { source: 'mnist' };
const mnist = await loadImages('mnist');
const ask = <Result>(kind: string, parameters: object) =>
  run({ kind, parameters: { data, ...parameters } }, contextOf()) as Promise<Result>;
const answer = (parameters: object) => ask<LiveAnswer>('liveAnswer', { angle: 30, image: { index: 7 }, ...parameters });
const forms = ['base', 'soft', 'hard'] as const;

describe.each<[string, string | undefined, readonly number[]]>([
  ['a foundation', undefined, []],
  ['dopamine', 'dopamine', [45]],
  ['two-sided gates', 'threshold+two-sided', [45]],
  ['a mode for each angle', 'dopamine+context', [90, 40]],
  ['LoRA', 'lora-r2', [45]],
])('%s', (_what, id, angles) => {
  const model = drawnModel(id, angles);
  const digest = freshDigest();
  const set = imagesAt('', mnist, 'test', [7], 30);
  const gated = id !== undefined && !id.startsWith('lora');
  const formIn = (form: (typeof forms)[number]) => (id === undefined ? 'base' : gated ? form : form === 'base' ? 'base' : 'soft');
  const contenders = forms.map((form) => ({ digest, model, form }));

  const compare = (found: LiveAnswer, model: ClassifierModel, forced: readonly ForcedUnit[] = []) => {
    found.answers.forEach((one, i) => {
      const form = formIn(forms[i]);
      const site = gated && form !== 'base' ? ('decision' as const) : ('output' as const);
      const replacements = forced.flatMap(({ unit, state }) =>
        state === 'open' && site === 'output' ? [] : [{ site, unit: unitLabels(model).indexOf(unit), value: Number(state === 'open') }],
      );
      const expected = reference(model, form, set, 0, 30, replacements);
      const tolerance = { relative: 1e-5, absolute: 1e-6 };
      expectClose(one.logits, expected.logits, tolerance, `${form}: logits`);
      expectClose(one.outputs, expected.out, tolerance, `${form}: outputs`);
      const powers = expected.logits.map(Math.exp);
      const total = powers.reduce((a, b) => a + b, 0);
      expectClose(
        one.probabilities,
        powers.map((power) => power / total),
        { relative: 1e-4, absolute: 1e-6 },
        `${form}: probabilities`,
      );
      expect(one.answer).toBe(expected.logits.indexOf(Math.max(...expected.logits)));
      const held = new Map(replacements.map(({ unit, value }) => [unit, value]));
      const active = expected.active.map((own, unit) => {
        const state = held.get(unit);
        return Number(state === undefined ? own : state === 1 && (id!.includes('two-sided') || expected.pre[unit] > 0));
      });
      expect([...one.active]).toEqual(active);
      expect(one.on).toBe(active.reduce((a, b) => a + b, 0));
    });
  };

  test('answers as plain double precision does, in every form', async () => {
    const found = await answer({ contenders });
    compare(found, model);
    expectClose(found.pixels, set.images, EXACT, 'pixels');
    expect(found).toMatchObject({ label: mnist.test.labels[7], height: 28, width: 28, classes: mnist.classes });
  });

  test('held units are held; where there are no gates, opening one does nothing', async () => {
    const forced: ForcedUnit[] = [
      { unit: 'L0U2', state: 'open' },
      { unit: 'L0U5', state: 'shut' },
      { unit: 'L1U0', state: 'open' },
      { unit: 'L1U3', state: 'shut' },
    ];
    compare(await answer({ contenders: forms.map((form) => ({ digest, form })), forced }), model, forced);
    compare(await answer({ contenders }), model);
  });

  test('a share of the way from the base, where there is such a way', async () => {
    const there = id !== undefined && !id.includes('two-sided');
    const found = await answer({ contenders, share: 0.25 });
    const between = there ? interpolate(model, undefined, 0.25) : model;
    for (const i of [1, 2]) {
      const { logits } = reference(between, formIn(forms[i]), set, 0, 30);
      expectClose(found.answers[i].logits, logits, { relative: 1e-5, absolute: 1e-6 }, forms[i]);
    }
    expect(found.answers[0]).toEqual((await answer({ contenders })).answers[0]);
    if (!there) return;
    const base = await answer({ contenders, share: 0 });
    expectClose(base.answers[1].logits, base.answers[0].logits, { relative: 1e-6, absolute: 1e-6 }, 'the base end');
  });

  test('accuracy along the path is that of the model there', async () => {
    const there = id !== undefined && !id.includes('two-sided');
    for (const share of [1, 0.5]) {
      const at = there ? interpolate(model, undefined, share) : model;
      for (const form of ['soft', 'hard'] as const) {
        const found = await ask<PathAccuracy>('pathAccuracy', { digest, model, share, form, angles: [30, 0], images: 50 });
        const expected = [30, 0].map((angle) => (100 * rightOf(at, formIn(form), firstImages(mnist, 50, angle), angle)) / 50);
        expectClose(found.accuracy, expected, { relative: 0, absolute: 1e-9 }, `${share}, ${form}`);
        expect(found).toMatchObject({ angles: [30, 0], images: 50 });
      }
    }
  });
});

test('a model that is not held is asked for once, and held from then on', async () => {
  const [one, other] = [freshDigest(), freshDigest()];
  const asked = (model?: ClassifierModel) => ({
    contenders: [
      { digest: one, form: 'base', ...(model && { model }) },
      { digest: other, form: 'soft' },
      { digest: other, form: 'base' },
    ],
  });
  const missing = (parameters: object) => ask<Missing>('liveAnswer', { image: { index: 0 }, ...parameters });
  expect(await missing(asked())).toEqual({ missing: [one, other] });
  expect(await missing(asked(drawnModel()))).toEqual({ missing: [other] });
  expect(await missing(asked())).toEqual({ missing: [other] });
  expect(await ask('pathAccuracy', { digest: other })).toEqual({ missing: [other] });
  expect((await answer({ contenders: [{ digest: one, form: 'base' }] })).answers).toHaveLength(1);
});

test('models of one shape take turns in one program, and each keeps its own numbers', async () => {
  const models = [1, 2].map((seed) => ({ digest: freshDigest(), form: 'soft', model: drawnModel('dopamine', [45], seed) }));
  const apart = await Promise.all(models.map(async (contender) => (await answer({ contenders: [contender] })).answers[0]));
  expect((await answer({ contenders: models })).answers).toEqual(apart);
  expect(apart[0].logits).not.toEqual(apart[1].logits);
});

test('an image that was drawn is answered as the test image with its pixels, and nobody knows what it is', async () => {
  const contenders = [{ digest: freshDigest(), model: drawnModel(), form: 'base' }];
  const pixels = Float32Array.from(mnist.test.pixels.subarray(7 * 784, 8 * 784), (byte) => byte / 255);
  const known = await answer({ contenders });
  for (const given of [pixels, Array.from(pixels)]) {
    const { label, ...found } = await answer({ contenders, image: { pixels: given } });
    expect(label).toBeUndefined();
    // A pixel is rounded to single precision before it is turned.
    expectClose(found.answers[0].logits, known.answers[0].logits, { relative: 1e-6, absolute: 0 }, 'logits');
  }
});

test('images as bytes: as they lie upright, rounded when turned', async () => {
  const upright = await ask<DrawnImages>('drawImages', { part: 'train', indices: [3, 59_999, 3] });
  const bytes = (index: number) => mnist.train.pixels.slice(index * 784, (index + 1) * 784);
  expect(upright.pixels).toEqual(Uint8Array.from([3, 59_999, 3].flatMap((index) => [...bytes(index)])));
  expect([...upright.labels]).toEqual([3, 59_999, 3].map((index) => mnist.train.labels[index]));
  expect(upright).toMatchObject({ height: 28, width: 28, classes: mnist.classes });
  const turned = await ask<DrawnImages>('drawImages', { part: 'test', indices: [5], angle: 90 });
  const quarter = Uint8Array.from({ length: 784 }, (_entry, i) => mnist.test.pixels[5 * 784 + (i % 28) * 28 + 27 - Math.floor(i / 28)]);
  expect(turned.pixels).toEqual(quarter);
  expect(await ask('drawImages', { indices: [] })).toMatchObject({ pixels: new Uint8Array(), labels: new Int32Array() });
});

const contender = { digest: freshDigest(), model: drawnModel(), form: 'base' };
test.each<[string, object, string]>([
  [
    'liveAnswer',
    { image: { index: 10_000 }, contenders: [] },
    'liveAnswer: image.index must be integers in [0, 9999], numbers of the test images, got 10000',
  ],
  ['liveAnswer', { image: { pixels: [0.5] }, contenders: [] }, 'liveAnswer: image.pixels must be 784 pixels, as mnist has, got 1'],
  [
    'liveAnswer',
    { image: { pixels: new Float32Array(784).fill(2) }, contenders: [] },
    'liveAnswer: image.pixels must be numbers in [0, 1], got 2',
  ],
  ['liveAnswer', { image: {}, contenders: [] }, 'liveAnswer: image must be the index of a test image, or pixels'],
  [
    'liveAnswer',
    { image: { index: 0 }, contenders: [{ digest: 'a', form: 'base' }] },
    'liveAnswer: contenders.0.digest must be 64 hexadecimal digits, got "a"',
  ],
  [
    'liveAnswer',
    { image: { index: 0 }, contenders: [{ ...contender, form: 'firm' }] },
    'liveAnswer: contenders.0.form must be "base", "soft" or "hard", got "firm"',
  ],
  [
    'liveAnswer',
    { image: { index: 0 }, contenders: [contender], forced: ['L0U9=shut'] },
    'liveAnswer: forced must be units of a contender, got "L0U9"',
  ],
  ['liveAnswer', { image: { index: 0 }, contenders: [contender], share: 2 }, 'liveAnswer: share must be a number in [0, 1], got 2'],
  [
    'liveAnswer',
    { image: { index: 0 }, contenders: [{ ...contender, digest: freshDigest(), model: { ...contender.model, base: {} } }] },
    'liveAnswer: model: base.layers.0.weight must hold 7056 numbers, got undefined',
  ],
  [
    'liveAnswer',
    { data: { source: 'mnist', digest: '0'.repeat(64) }, image: { index: 0 }, contenders: [] },
    'images: mnist must have the digest',
  ],
  ['drawImages', { indices: [0.5] }, 'drawImages: indices must be integers in [0, 9999], numbers of the test images, got 0.5'],
  ['drawImages', { indices: new Array(4097).fill(0) }, 'drawImages: indices must be at most 4096 images'],
  ['pathAccuracy', { digest: contender.digest, share: -1 }, 'pathAccuracy: share must be a number in [0, 1], got -1'],
])('%s refuses: %#', async (kind, parameters, message) => {
  await expect(ask(kind, parameters)).rejects.toThrow(message);
});
