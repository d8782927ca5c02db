/** The frontier against counting in double precision; the rule against brute force; and that test images choose nothing. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { choose, frontier } from './frontier.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { references, rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);

const models = [1e-3, 0, 1e-2, 3e-3].map((sparsity, variant) => labelled(`variant ${variant}`, { adapter: 'dopamine', variant, sparsity }));
const run = (more: { active?: number; form?: 'soft' | 'hard' } = {}, images = context.images, given = models) =>
  frontier.run({ models: given, seed: 0, options: { angle: 45, active: 55, form: 'hard', ...more } }, { ...context, images });

const activeShare = (model: (typeof models)[number]['model'], part: 'test' | 'heldOut', form: 'soft' | 'hard') => {
  const rows = references(model, form, smallImages(part, 45, 1), 45);
  return (100 * rows.reduce((sum, { active }) => sum + active.filter(Boolean).length, 0)) / (rows.length * 14);
};

test.each(['soft', 'hard'] as const)('held-out accuracy and activity of all, test figures of the chosen: %s', async (form) => {
  const { measures, facts } = await run({ form });
  const heldOut = smallImages('heldOut', 45, 1);
  const accuracy = (which: 'soft' | 'hard') => models.map(({ model }) => (100 * rightOf(model, which, heldOut, 45)) / 510);
  const active = models.map(({ model }) => activeShare(model, 'heldOut', form));
  expectClose(measures.soft.data, accuracy('soft'), EXACT, 'soft');
  expectClose(measures.hard.data, accuracy('hard'), EXACT, 'hard');
  expectClose(measures.active.data, active, { relative: 1e-15, absolute: 0 }, 'active');
  const bound = 55;
  const allowed = [0, 1, 2, 3].filter((i) => active[i] < bound);
  // The bound lets some through and keeps some out, or it would be no test.
  expect(allowed.length).toBeGreaterThan(1);
  expect(allowed.length).toBeLessThan(4);
  const own = accuracy(form);
  const chosen = allowed.sort((i, j) => own[j] - own[i])[0];
  expect([...measures.chosen.data]).toEqual([0, 1, 2, 3].map((i) => Number(i === chosen)));
  expect(facts).toMatchObject({
    chosen: `variant ${chosen}`,
    comparedWith: 'variant 1',
    form,
    part: 'heldOut',
    images: 510,
    testImages: 620,
  });
  const test = smallImages('test', 45);
  const [ofChosen, ofDensest] = [chosen, 1].map((i) => (100 * rightOf(models[i].model, form, test, 45)) / 620);
  expectClose(measures.testAccuracy.data, [ofChosen], EXACT, 'test accuracy');
  expectClose(
    measures.testActive.data,
    [activeShare(models[chosen].model, 'test', form)],
    { relative: 1e-15, absolute: 0 },
    'test activity',
  );
  expectClose(measures.loss.data, [ofDensest - ofChosen], { relative: 0, absolute: 1e-12 }, 'loss');
});

test('what the test images say, or whether they are theirs at all, changes no choice', async () => {
  const straight = await run();
  const permuted = await run({}, (part, angle, seed) => {
    const set = smallImages(part, angle, seed);
    return part === 'test' ? { ...set, labels: set.labels.map((label) => (label + 1) % 3) } : set;
  });
  expect(permuted.measures.testAccuracy.data).not.toEqual(straight.measures.testAccuracy.data);
  for (const name of ['chosen', 'soft', 'hard', 'active'])
    expectClose(permuted.measures[name].data, straight.measures[name].data, EXACT, name);
  expect(permuted.facts.chosen).toBe(straight.facts.chosen);
});

test('where no model is sparse enough none is chosen, and there are no figures of it', async () => {
  const { measures, facts } = await run({ active: 0 });
  expect(facts.chosen).toBe('none');
  expect([...measures.chosen.data, ...measures.testAccuracy.data, ...measures.testActive.data, ...measures.loss.data]).toEqual([
    0,
    0,
    0,
    0,
    NaN,
    NaN,
    NaN,
  ]);
});

describe('the rule', () => {
  test('by brute force', () => {
    const entry = fc.record({ accuracy: fc.integer({ min: 90, max: 93 }), active: fc.integer({ min: 27, max: 32 }) });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
        const chosen = choose(
          entries.map(({ accuracy }) => accuracy),
          entries.map(({ active }) => active),
          30,
        );
        const allowed = entries.filter(({ active }) => active < 30);
        if (allowed.length === 0) {
          expect(chosen).toBeUndefined();
          return;
        }
        const best = Math.max(...allowed.map(({ accuracy }) => accuracy));
        const sparsest = Math.min(...allowed.filter(({ accuracy }) => accuracy === best).map(({ active }) => active));
        expect(chosen).toBe(entries.findIndex(({ accuracy, active }) => accuracy === best && active === sparsest));
      }),
    );
  });

  test('needs models on one foundation, none of which was shown what is held out', async () => {
    const shown = labelled('shown', { adapter: 'dopamine', rows: 'all' });
    await expect(run({}, context.images, [models[0], shown])).rejects.toThrow(
      'frontier: shown must have been trained with rows "remaining" to be judged by held-out images, got "all"',
    );
    const other = labelled('stranger', { adapter: 'dopamine', seed: 2 });
    await expect(run({}, context.images, [...models.slice(0, 3), other])).rejects.toThrow(
      new UserError('frontier: stranger', 'must stand on the foundation of variant 0', 'another foundation').message,
    );
  });
});
