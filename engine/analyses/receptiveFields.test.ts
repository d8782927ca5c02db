/** Receptive fields against the weights themselves, and against differences of plain double precision pixel by pixel. */
import { afterAll, describe, expect, test } from 'vitest';
import { checkFindings } from '../base/findings.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { Form } from './forward.ts';
import { receptiveFields } from './receptiveFields.ts';
import { analysisContext, smallImages, smallModel, type SmallModel } from './testing/models.ts';
import { reference, references } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const ANGLE = 45;
const PIXELS = 36;
/** Hidden widths. */
const [FIRST, SECOND] = [8, 6];
type Options = Parameters<typeof receptiveFields.run>[0]['options'];
const run = async (model: ClassifierModel, options: Partial<Options> = {}) =>
  checkFindings(
    await receptiveFields.run(
      { models: [{ label: 'mode', model }], seed: 0, options: { angle: ANGLE, form: 'soft', images: 40, top: 6, ...options } },
      analysisContext(executor),
    ),
  );
const set = smallImages('test', ANGLE);

/** (pre(x + ε) − pre(x − ε)) / 2ε in every pixel of an image. */
function differences(model: ClassifierModel, form: Form, image: number, unit: number): number[] {
  const own = Float64Array.from(set.images.subarray(image * PIXELS, (image + 1) * PIXELS));
  const step = 2 ** -20;
  return Array.from({ length: PIXELS }, (_entry, pixel) => {
    const [above, below] = [step, -step].map((by) => {
      const images = own.slice();
      images[pixel] += by;
      return reference(model, form, { ...set, images: images as never } satisfies ImageSet, 0, ANGLE).pre[unit];
    });
    return (above - below) / (2 * step);
  });
}

const cases: [SmallModel, Form][] = [
  [{}, 'base'],
  [{ adapter: 'dopamine' }, 'soft'],
  [{ adapter: 'dopamine' }, 'hard'],
  [{ adapter: 'dopamine+pre-activation' }, 'hard'],
  [{ adapter: 'threshold+two-sided' }, 'soft'],
  [{ adapter: 'dopamine+context', modeAngles: [0, 45] }, 'soft'],
  [{ adapter: 'gain' }, 'soft'],
  [{ adapter: 'lora-r2' }, 'soft'],
  [{ adapter: 'full' }, 'soft'],
];

describe.each(cases)('%j, %s', (small, form) => {
  const model = smallModel(small);
  const asked = { form: form === 'hard' ? ('hard' as const) : ('soft' as const) };

  test('units of the first layer have their weights, deeper ones the mean slope where they give most', async () => {
    const { measures, axes, facts } = await run(model, asked);
    expect([axes.unit, axes.y, axes.x].map(({ values }) => values.length)).toEqual([FIRST + SECOND, 6, 6]);
    expect(facts).toMatchObject({ images: 40, linearised: 'on 6 of 40 images', model: 'mode', part: 'test' });
    const rows = references(model, form, { ...set, count: 40 }, ANGLE);
    const field = (unit: number) => measures.field.data.slice(unit * PIXELS, (unit + 1) * PIXELS);
    for (let unit = 0; unit < FIRST; unit++)
      expectClose(field(unit), differences(model, form, 0, unit), { relative: 1e-6, absolute: 1e-7 }, `L0U${unit}`);
    for (let unit = FIRST; unit < FIRST + SECOND; unit++) {
      const top = rows
        .map(({ out, pre }, image) => ({ image, size: Math.abs(Math.fround(out[unit])), pre: pre[unit] }))
        .sort((a, b) => b.size - a.size || b.pre - a.pre || a.image - b.image)
        .slice(0, 6);
      const each = top.map(({ image }) => differences(model, form, image, unit));
      const mean = Array.from({ length: PIXELS }, (_entry, pixel) => each.reduce((sum, one) => sum + one[pixel], 0) / 6);
      expectClose(field(unit), mean, { relative: 1e-5, absolute: 1e-6 }, `L1U${unit - FIRST}`);
    }
  });
});

test('the first layer is the weights to the bit, of those that are used', async () => {
  for (const small of [{}, { adapter: 'dopamine' }, { adapter: 'full' }]) {
    const model = smallModel(small);
    const weight = (model.adapter?.parameters ?? {})['layers.0.weight'] ?? model.base['layers.0.weight'];
    const { measures } = await run(model);
    const columns = Array.from({ length: FIRST * PIXELS }, (_entry, i) => weight[(i % PIXELS) * FIRST + Math.floor(i / PIXELS)]);
    expectClose(measures.field.data.slice(0, FIRST * PIXELS), columns, EXACT, JSON.stringify(small));
  }
});

test('one hidden layer needs no images to be looked at; more images than there are is all of them', async () => {
  const { base, ...rest } = smallModel({});
  const flat = {
    ...rest,
    widths: [PIXELS, FIRST, 3],
    base: {
      'layers.0.weight': base['layers.0.weight'],
      'layers.0.bias': base['layers.0.bias'],
      'layers.1.weight': new Float32Array(3 * FIRST),
      'layers.1.bias': new Float32Array(3),
    },
  };
  const { measures } = await run(flat);
  expect(measures.field.data).toEqual((await run(smallModel({}))).measures.field.data.slice(0, FIRST * PIXELS));
  expect((await run(smallModel({}), { images: 5000, top: 9999 })).facts.linearised).toBe('on 620 of 620 images');
  expect(receptiveFields.options.parse({})).toEqual({ angle: 45, form: 'soft', images: 2000, top: 100 });
});
