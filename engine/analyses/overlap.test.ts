/** Overlap against sets of unit names, image by image. */
import { afterAll, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { overlap } from './overlap.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { references } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);

const ranges = [
  [0, 8],
  [8, 14],
  [0, 14],
] as const;

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const either = new Set([...a, ...b]).size;
  return either === 0 ? 1 : [...a].filter((unit) => b.has(unit)).length / either;
}

test.each([
  ['dopamine', 'hard', 30],
  ['dopamine', 'soft', 50],
  ['dopamine+context', 'hard', 50],
  ['gain', 'soft', 90],
] as const)('%s, %s, more than %i percent', async (id, form, share) => {
  const model = labelled('mode', { adapter: id, modeAngles: [45, 0] });
  const angles = [0, 45];
  const { measures, axes, facts } = await overlap.run(
    { models: [model], seed: 0, options: { angles, form, part: 'test', share } },
    context,
  );
  const states = (['base', form] as const).map((state) =>
    angles.map((angle) => references(model.model, state, smallImages('test', angle), angle).map(({ active }) => active)),
  );
  const within = (active: readonly boolean[], [begin, end]: readonly [number, number]) =>
    new Set(active.flatMap((on, unit) => (on && unit >= begin && unit < end ? [unit] : [])));
  const byImage = states.flatMap(([one, other]) =>
    ranges.map((range) => one.reduce((sum, active, i) => sum + jaccard(within(active, range), within(other[i], range)), 0) / one.length),
  );
  expectClose(measures.jaccard.data, byImage, { relative: 1e-12, absolute: 0 }, 'jaccard');
  const population = states.flatMap(([one, other]) => {
    const often = [one, other].map((rows) =>
      Array.from({ length: 14 }, (_e, unit) => rows.filter((active) => active[unit]).length / rows.length > share / 100),
    );
    return ranges.map((range) => jaccard(within(often[0], range), within(often[1], range)));
  });
  expectClose(measures.population.data, population, { relative: 1e-15, absolute: 0 }, 'population');
  expect(axes).toEqual({ state: { values: ['base', 'mode'] }, layer: { values: ['L0', 'L1', 'all'] } });
  expect(facts).toMatchObject({ angles: '0°, 45°', images: 620, share });
  expect(measures.jaccard.data[0]).toBeGreaterThan(0.1);
  expect(measures.jaccard.data[0]).toBeLessThan(0.99);
});

test('the same images overlap wholly, and so do two empty sets', async () => {
  const images: typeof context.images = (part) => smallImages(part, 0);
  const models = [labelled('mode', { adapter: 'dopamine' })];
  const run = (adapted: typeof models, share: number) =>
    overlap.run({ models: adapted, seed: 0, options: { angles: [0, 45], form: 'hard', part: 'test', share } }, { ...context, images });
  const same = await run(models, 50);
  expect([...same.measures.jaccard.data, ...same.measures.population.data]).toEqual(new Array(12).fill(1));
  const [{ label, model }] = models;
  const shut = Object.fromEntries(
    Object.entries(model.adapter!.parameters).map(([name, values]) => [name, name.endsWith('threshold') ? values.map(() => 1e6) : values]),
  );
  const empty = await overlap.run(
    {
      models: [{ label, model: { ...model, adapter: { ...model.adapter!, parameters: shut } } }],
      seed: 0,
      options: { angles: [0, 45], form: 'hard', part: 'test', share: 100 },
    },
    context,
  );
  expect([...empty.measures.jaccard.data.slice(3), ...empty.measures.population.data]).toEqual(new Array(9).fill(1));
});
