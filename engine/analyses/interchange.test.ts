/** Necessity and sufficiency against swapping unit by unit in double precision, against TensorFlow.js, and against the closed form of the last layer. */
import { afterAll, describe, expect, test } from 'vitest';
import { Cancelled, UserError } from '../base/errors.ts';
import { checkFindings } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { parseWith } from '../base/schema.ts';
import { bootstrapInterval, mean, standardDeviation } from '../base/statistics.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { Part } from '../tasks/dataReference.ts';
import type { Form } from './forward.ts';
import { interchange } from './interchange.ts';
import { analysisContext, labelled, smallImages, smallModel, type SmallModel } from './testing/models.ts';
import { answerIn, marginIn, reference, references, type Reference } from './testing/reference.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const UNITS = 14;
const SILENT = 6; // L0U6 never fires (testing/models.ts).
const [CONTROL, SENSITIVE] = [0, 45];
type Options = Parameters<typeof interchange.run>[0]['options'];
const OPTIONS: Options = { control: CONTROL, sensitive: SENSITIVE, site: 'output', form: 'soft', images: 30 };

/** Images labelled with what the model answers at the old angle: there it has a margin, which it loses in part at the new one. */
function imagesOf(model: ClassifierModel, form: Form) {
  const old = smallImages('test', CONTROL);
  const labels = Int32Array.from(references(model, form, old, CONTROL), answerIn);
  return (part: Part, angle: number) => ({ ...smallImages(part, angle), labels });
}

const run = (model: ClassifierModel, form: Form, options: Partial<Options> = {}, executor = onnx as (typeof executors)[number]) =>
  interchange.run(
    { models: [{ label: 'mode', model }], seed: 3, options: { ...OPTIONS, ...options } },
    analysisContext(executor, { images: imagesOf(model, form) }),
  );

/** Every number of the findings, by swapping one unit of one image at a time. */
function bruteForce(model: ClassifierModel, form: Form, site: Options['site'], count: number) {
  const images = imagesOf(model, form);
  const sets = { plus: images('test', SENSITIVE), minus: images('test', CONTROL) };
  const { labels } = sets.plus;
  const at = (member: 'plus' | 'minus', i: number, unit = -1, value = 0): Reference =>
    reference(model, form, sets[member], i, member === 'plus' ? SENSITIVE : CONTROL, { site, unit, value });
  const valueOf = ({ out, decisions }: Reference, unit: number) => (site === 'output' ? out : decisions)[unit];
  const pairs = Array.from({ length: count }, (_entry, i) => ({ plus: at('plus', i), minus: at('minus', i), label: labels[i] }));
  const gaps = pairs.map(({ plus, minus, label }) => marginIn(plus, label) - marginIn(minus, label));
  const perUnit = Array.from({ length: UNITS }, (_entry, unit) => {
    const swapped = pairs.map(({ plus, minus }, i) => ({
      plus: at('plus', i, unit, valueOf(minus, unit)),
      minus: at('minus', i, unit, valueOf(plus, unit)),
    }));
    const necessity = pairs.map(({ plus, label }, i) => marginIn(plus, label) - marginIn(swapped[i].plus, label));
    const sufficiency = pairs.map(({ minus, label }, i) => marginIn(swapped[i].minus, label) - marginIn(minus, label));
    const flips = (member: 'plus' | 'minus') =>
      pairs.filter((pair, i) => answerIn(pair[member]) !== answerIn(swapped[i][member])).length / count;
    const error = (effects: number[]) => standardDeviation(effects) / Math.sqrt(count);
    return {
      necessity: mean(necessity),
      necessityError: error(necessity),
      necessityShare: mean(necessity) / mean(gaps),
      necessityFlips: flips('plus'),
      necessityState: Number(necessity.some((effect) => effect !== 0)),
      sufficiency: mean(sufficiency),
      sufficiencyError: error(sufficiency),
      sufficiencyShare: mean(sufficiency) / mean(gaps),
      sufficiencyFlips: flips('minus'),
      sufficiencyState: Number(sufficiency.some((effect) => effect !== 0)),
      moved: mean(pairs.map(({ plus, minus }) => Math.abs(valueOf(plus, unit) - valueOf(minus, unit)))),
    };
  });
  return { perUnit, gaps, accuracy: (100 * pairs.filter(({ plus, label }) => answerIn(plus) === label).length) / count };
}

describe('every unit, image by image in double precision', () => {
  test.each<[SmallModel, Form, Options['site'], number]>([
    [{}, 'base', 'output', 520],
    [{ adapter: 'dopamine' }, 'soft', 'output', 30],
    [{ adapter: 'dopamine' }, 'soft', 'decision', 150],
    [{ adapter: 'dopamine' }, 'hard', 'output', 30],
    [{ adapter: 'dopamine+pre-activation' }, 'hard', 'decision', 150],
    [{ adapter: 'dopamine+context', modeAngles: [45, 0] }, 'soft', 'output', 150],
    [{ adapter: 'lora-r2' }, 'soft', 'output', 30],
  ])('%j, %s, %s of %i images', async (small, form, site, count) => {
    const model = smallModel(small);
    const expected = bruteForce(model, form, site, count);
    const gap = Math.abs(mean(expected.gaps));
    for (const executor of executors) {
      const findings = checkFindings(await run(model, form, { site, images: count, form: form === 'hard' ? 'hard' : 'soft' }, executor));
      const { measures, facts } = findings;
      expect(Object.keys(measures).sort()).toEqual(Object.keys(expected.perUnit[0]).sort());
      for (const [name, { data, axes }] of Object.entries(measures)) {
        const numbers = expected.perUnit.map((unit) => unit[name as keyof typeof unit]);
        const counted = /Flips|State/.test(name);
        // The graph is float32: logits of some tens, rounded, averaged.
        expectClose(data, numbers, counted ? EXACT : { relative: 0, absolute: 2e-5 * gap }, `${executor.name}: ${name}`);
        expect(axes).toEqual(['unit']);
      }
      expect(facts.gap).toBeCloseTo(mean(expected.gaps), 4);
      expect(facts['accuracy.sensitive']).toBeCloseTo(expected.accuracy, 10);
      expect(facts['accuracy.control']).toBe(100);
      expect(measures.necessityState.data[SILENT]).toBe(0);
      expect(measures.necessity.data[SILENT]).toBe(0);
      expect(measures.necessity.data.some((effect) => Math.abs(effect) > 0.05 * gap)).toBe(true);
    }
  });
});

test('in the last hidden layer, the effect is the difference of the unit times its weight to the margin', async () => {
  const model = smallModel({ adapter: 'dopamine' });
  const { measures } = await run(model, 'soft', { images: 200 });
  const images = imagesOf(model, 'soft');
  const [plus, minus] = [SENSITIVE, CONTROL].map((angle) => references(model, 'soft', images('test', angle), angle));
  const { labels } = images('test', CONTROL);
  const weight = model.base['layers.2.weight'];
  for (let unit = 8; unit < UNITS; unit++) {
    const effects = Array.from({ length: 200 }, (_entry, i) => {
      const row = weight.subarray((unit - 8) * 3, (unit - 7) * 3);
      const others = (row[0] + row[1] + row[2] - row[labels[i]]) / 2;
      return (plus[i].out[unit] - minus[i].out[unit]) * (row[labels[i]] - others);
    });
    for (const name of ['necessity', 'sufficiency'])
      expectClose([measures[name].data[unit]], [mean(effects)], { relative: 1e-5, absolute: 1e-6 }, `${name} of unit ${unit}`);
  }
});

describe('the denominator', () => {
  test('is the mean gap, with the interval of a bootstrap over pairs, and its numbers are facts', async () => {
    const model = smallModel({ adapter: 'dopamine' });
    const { facts } = await run(model, 'soft');
    const { gaps } = bruteForce(model, 'soft', 'output', 30);
    const interval = bootstrapInterval(gaps, { random: new Random(3).fork('interchange', 'gap'), resamples: 2000 });
    expectClose([facts.gap, facts['gap.low'], facts['gap.high']] as number[], [interval.estimate, interval.low, interval.high], { relative: 1e-5, absolute: 0 }, 'gap'); // prettier-ignore
    expect(facts.denominator).toMatch(
      /^mean gap M\(x⁺\) − M\(x⁻\) = -\d\.\d+ logits, 95 % interval \[-\d\.\d+, -\d\.\d+\], 2000 bootstrap samples/,
    );
    expect(facts).toMatchObject({
      device: 'onnxruntime-cpu',
      part: 'test',
      images: 30,
      pairs: 30,
      angles: '0°, 45°',
      control: '0°',
      sensitive: '45°',
      form: 'soft',
      site: 'output',
      metric: 'margin: logit of the label minus the mean of the other logits',
    });
  });

  test('is refused where the interval contains 0: no shares, and the number is told', async () => {
    const model = smallModel({ adapter: 'dopamine' });
    // Drawn labels: the margin is 0 in the mean at any angle.
    const context = analysisContext(onnx);
    const { measures, facts } = await interchange.run({ models: [{ label: 'mode', model }], seed: 0, options: OPTIONS }, context);
    expect(facts.denominator).toMatch(
      /^refused: mean gap M\(x⁺\) − M\(x⁻\) = -?0\.\d+ logits, 95 % interval \[-\d\.\d+, \d\.\d+\], contains 0/,
    );
    for (const name of ['necessityShare', 'sufficiencyShare']) expectClose(measures[name].data, new Array(UNITS).fill(NaN), EXACT, name);
    expect(measures.necessity.data.every(Number.isFinite)).toBe(true);
  });

  test('of one angle against itself it is 0: every cell is proved zero and nothing is divided', async () => {
    const { measures, facts } = await run(smallModel({ adapter: 'dopamine' }), 'soft', { sensitive: CONTROL });
    expect(facts.denominator).toMatch(/^refused: mean gap .* = 0\.000 logits, 95 % interval \[0\.000, 0\.000\]/);
    for (const name of ['necessity', 'necessityError', 'necessityFlips', 'necessityState', 'sufficiency', 'moved'])
      expectClose(measures[name].data, new Array(UNITS).fill(0), EXACT, name);
  });
});

test('units are named through all layers; the same request gives the same bits', async () => {
  const model = smallModel({ adapter: 'dopamine' });
  const [one, again] = [await run(model, 'soft'), await run(model, 'soft')];
  expect(one.axes.unit.values.slice(6, 10)).toEqual(['L0U6', 'L0U7', 'L1U0', 'L1U1']);
  expect(again).toEqual(one);
});

test('no more images than there are', async () => {
  expect((await run(smallModel({}), 'base', { images: 1_000_000 })).facts.pairs).toBe(620);
});

describe('options', () => {
  test('have defaults', () => expect(interchange.options.parse({})).toEqual({ ...OPTIONS, images: 2000 }));

  test.each([
    [{ images: 1 }, 'interchange: images must be an integer in [2, 1000000], got 1'],
    [{ site: 'gate' }, 'interchange: site must be "output" or "decision", got "gate"'],
    [{ control: 400 }, 'interchange: control must be a number in [-360, 360], got 400'],
    [{ units: 3 }, 'interchange: fields must be known, got [units]'],
  ])('%j is refused', (given, message) => expect(() => parseWith(interchange.options, 'interchange', given)).toThrow(message));
});

describe('refused', () => {
  const attempt = (model: SmallModel, options: Partial<Options>, more: Parameters<typeof analysisContext>[1] = {}) =>
    interchange.run({ models: [labelled('mode', model)], seed: 0, options: { ...OPTIONS, ...options } }, analysisContext(onnx, more));

  test('decisions of a model without gates', async () => {
    for (const model of [{}, { adapter: 'gain' }, { adapter: 'lora-r1' }])
      await expect(attempt(model, { site: 'decision' })).rejects.toThrow(
        'interchange: site must be "output", since nothing here has gates, got "decision"',
      );
  });

  test('angles with other digits', async () => {
    const images = (part: Part, angle: number) => {
      const set = smallImages(part, angle);
      return angle === SENSITIVE ? { ...set, labels: set.labels.map((label) => (label + 1) % 3) } : set;
    };
    await expect(attempt({}, {}, { images })).rejects.toThrow(UserError);
    await expect(attempt({}, {}, { images })).rejects.toThrow('interchange: images must be the same digits at both angles');
  });

  test('called off between runs', async () => {
    let breaths = 0;
    const breathe = async () => {
      if (++breaths === 3) throw new Cancelled();
    };
    await expect(attempt({}, {}, { breathe })).rejects.toThrow(Cancelled);
    expect(breaths).toBe(3);
  });
});
