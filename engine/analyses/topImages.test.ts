/** The images on which a unit gives most, against sorting what plain double precision gives on every image. */
import { afterAll, describe, expect, test } from 'vitest';
import { checkFindings } from '../base/findings.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { Form } from './forward.ts';
import { analysisContext, smallImages, smallModel, type SmallModel } from './testing/models.ts';
import { references } from './testing/reference.ts';
import { topImages } from './topImages.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const UNITS = 14;
const ANGLE = 45;
type Options = Parameters<typeof topImages.run>[0]['options'];
const run = async (model: ClassifierModel, options: Partial<Options> = {}) =>
  checkFindings(
    await topImages.run(
      { models: [{ label: 'mode', model }], seed: 0, options: { angle: ANGLE, form: 'soft', images: 10_000, top: 5, ...options } },
      analysisContext(executor),
    ),
  );

const cases: [SmallModel, Form][] = [
  [{}, 'base'],
  [{ adapter: 'dopamine' }, 'soft'],
  [{ adapter: 'dopamine' }, 'hard'],
  [{ adapter: 'threshold+two-sided' }, 'hard'],
  [{ adapter: 'dopamine+context', modeAngles: [0, 45] }, 'soft'],
  [{ adapter: 'lora-r2' }, 'soft'],
];

describe.each(cases)('%j, %s', (small, form) => {
  const model = smallModel(small);
  const outputs = references(model, form, smallImages('test', ANGLE), ANGLE).map(({ out }) => out);
  const expected = (images: number, top: number) =>
    Array.from({ length: UNITS }, (_entry, unit) => {
      const fired = outputs.slice(0, images).flatMap((out, image) => (out[unit] === 0 ? [] : [{ image, output: out[unit] }]));
      const found = fired.sort((a, b) => Math.abs(b.output) - Math.abs(a.output)).slice(0, top);
      return Array.from({ length: top }, (_entry, rank) => found[rank] ?? { image: -1, output: NaN });
    }).flat();

  test.each([
    [10_000, 5],
    [7, 9],
  ])('of %i images the first %i', async (images, top) => {
    const { measures, axes, facts } = await run(model, { form: form === 'hard' ? 'hard' : 'soft', images, top });
    const found = expected(images, top);
    // What single precision has rounded to 0 gives nothing.
    expectClose(measures.image.data.slice(0, 4 * top), found.map(({ image }) => image).slice(0, 4 * top), EXACT, 'image');
    const outputs = found.map(({ output }) => output);
    const seen = Array.from(measures.output.data, (output, i) =>
      Number.isNaN(output) && Math.abs(outputs[i]) < 1e-30 ? outputs[i] : output,
    );
    expectClose(seen, outputs, { relative: 1e-5, absolute: 0 }, 'output');
    expect(axes.unit.values[8]).toBe('L1U0');
    expect(axes.rank.values).toEqual(Array.from({ length: top }, (_entry, i) => i + 1));
    expect(facts.images).toBe(Math.min(images, 620));
  });
});

test('a unit that never fires has no images', async () => {
  const { measures } = await run(smallModel({}), { top: 3 });
  expect(Array.from(measures.image.data.slice(18, 21))).toEqual([-1, -1, -1]);
  expect(Array.from(measures.output.data.slice(18, 21))).toEqual([NaN, NaN, NaN]);
  expect(measures.image.data).toBeInstanceOf(Int32Array);
});

test('options have defaults', () => {
  expect(topImages.options.parse({})).toEqual({ angle: 45, form: 'soft', images: 10_000, top: 16 });
});
