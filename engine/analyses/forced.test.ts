/** Units held open or shut, against holding them image by image in plain double precision. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { checkFindings } from '../base/findings.ts';
import { parseWith } from '../base/schema.ts';
import { standardDeviation } from '../base/statistics.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { analysisJob } from '../jobs/analyse.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { forced } from './forced.ts';
import type { ForcedUnit } from './forcing.ts';
import type { Form } from './forward.ts';
import { analysisContext, smallImages, smallModel, type SmallModel } from './testing/models.ts';
import { answerIn, marginIn, reference } from './testing/reference.ts';
import { unitLabels } from './units.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const COUNT = 120;
type Options = Parameters<typeof forced.run>[0]['options'];
const run = async (model: ClassifierModel, options: Partial<Options> = {}, seed = 0) =>
  checkFindings(
    await forced.run(
      {
        models: [{ label: 'mode', model }],
        seed,
        options: { units: [], angles: [0, 45], form: 'soft', images: COUNT, most: 40, ...options },
      },
      analysisContext(executor),
    ),
  );

const shut = (unit: string): ForcedUnit => ({ unit, state: 'shut' });
const open = (unit: string): ForcedUnit => ({ unit, state: 'open' });
const closing = ['L0U1', 'L0U3', 'L1U2'].map(shut);
const both = [open('L0U0'), shut('L0U4'), open('L0U7'), shut('L1U1'), open('L1U3')];
const cases: [SmallModel, Form, ForcedUnit[]][] = [
  [{}, 'base', closing],
  [{ adapter: 'dopamine' }, 'soft', both],
  [{ adapter: 'dopamine' }, 'hard', both],
  [{ adapter: 'dopamine+pre-activation' }, 'hard', both],
  // L0U6 drowns the others there.
  [{ adapter: 'threshold+two-sided' }, 'soft', [shut('L0U6'), open('L1U3')]],
  [{ adapter: 'dopamine+context', modeAngles: [45, 0] }, 'soft', both],
  [{ adapter: 'gain' }, 'soft', closing],
  [{ adapter: 'lora-r2' }, 'soft', closing],
];

describe.each(cases)('%j, %s', (small, form, units) => {
  const model = smallModel(small);
  const asked = { form: form === 'hard' ? ('hard' as const) : ('soft' as const) };
  const gated = units.some(({ state }) => state === 'open');
  const labels = unitLabels(model);
  const replacements = units.map(({ unit, state }) => ({
    site: gated ? ('decision' as const) : ('output' as const),
    unit: labels.indexOf(unit),
    value: Number(state === 'open'),
  }));

  test('accuracies, and every image whose answer changes, are those of holding them one by one', async () => {
    const { measures, facts } = await run(model, { ...asked, units });
    for (const [i, angle] of [0, 45].entries()) {
      const set = smallImages('test', angle);
      const images = Array.from({ length: COUNT }, (_entry, image) => {
        const [before, after] = [reference(model, form, set, image, angle), reference(model, form, set, image, angle, replacements)];
        const label = set.labels[image];
        return { image, label, from: answerIn(before), to: answerIn(after), moved: marginIn(after, label) - marginIn(before, label) };
      });
      const share = (right: (one: (typeof images)[number]) => boolean) => (100 * images.filter(right).length) / COUNT;
      const at = (name: string) => measures[name].data[i];
      expect(at('accuracy')).toBeCloseTo(
        share(({ from, label }) => from === label),
        9,
      );
      expect(at('accuracyForced')).toBeCloseTo(
        share(({ to, label }) => to === label),
        9,
      );
      expect(at('change')).toBeCloseTo(at('accuracyForced') - at('accuracy'), 9);
      const changes = images.filter(({ from, to }) => from !== to);
      expect(at('changed')).toBe(changes.length);
      expect(changes.length).toBeGreaterThan(3);
      const matters = ({ from, to, label }: (typeof images)[number]) => Number(from === label || to === label);
      const listed = changes.sort((a, b) => matters(b) - matters(a) || Math.abs(b.moved) - Math.abs(a.moved)).slice(0, 40);
      const of = (name: string) => measures[name].data.slice(40 * i, 40 * i + 40);
      const padded = (values: number[]) => [...values, ...new Array<number>(40 - values.length).fill(-1)];
      expectClose(of('changedImage'), padded(listed.map(({ image }) => image)), EXACT, 'image');
      for (const name of ['from', 'to', 'label'] as const) expectClose(of(name), padded(listed.map((one) => one[name])), EXACT, name);

      // The bootstrap interval against the normal one, at so many images.
      const gained = images.map(({ from, to, label }) => 100 * (Number(to === label) - Number(from === label)));
      const width = 1.96 * (standardDeviation(gained) / Math.sqrt(COUNT));
      expect(Math.abs(at('changeLow') - (at('change') - width))).toBeLessThan(0.25 * width);
      expect(Math.abs(at('changeHigh') - (at('change') + width))).toBeLessThan(0.25 * width);
    }
    expect(facts).toMatchObject({
      forcedAt: gated ? 'decision' : 'output',
      forced: units.map(({ unit, state }) => `${unit} ${state}`).join(', '),
    });
  });
});

test('no units: nothing changes, exactly', async () => {
  for (const small of [{}, { adapter: 'dopamine' }]) {
    const { measures, facts } = await run(smallModel(small));
    for (const name of ['change', 'changeLow', 'changeHigh', 'changed']) expectClose(measures[name].data, [0, 0], EXACT, name);
    expect(measures.accuracyForced.data).toEqual(measures.accuracy.data);
    expect(new Set(measures.changedImage.data)).toEqual(new Set([-1]));
    expect(facts.forced).toBe('none');
  }
});

test('what is open already and is held open changes nothing, in hard form', async () => {
  const model = smallModel({ adapter: 'dopamine' });
  for (const layer of [0, 1]) model.adapter!.parameters[`layers.${layer}.gate.threshold`].fill(-1);
  const { measures } = await run(model, { form: 'hard', units: unitLabels(model).map(open) });
  expectClose(measures.changed.data, [0, 0], EXACT, 'changed');
});

test('the list is as long as asked, and no longer than there are images; the seed draws the interval alone', async () => {
  const model = smallModel({});
  const units = closing;
  const [one, other] = [await run(model, { units, most: 2 }), await run(model, { units, most: 2 }, 7)];
  expect(one.axes.rank.values).toEqual([1, 2]);
  expect((await run(model, { units, images: 5, most: 200 })).axes.rank.values).toHaveLength(5);
  const { changeLow: _low, changeHigh: _high, ...rest } = one.measures;
  expect(other.measures).toMatchObject(rest);
});

test('units as texts are the same units; their order and the way they are given do not count', () => {
  const job = analysisJob(forced);
  const models = [{ model: smallModel({ adapter: 'dopamine' }) }];
  const parse = (units: unknown[]) => job.parse({ models, options: { units } }).options;
  const one = parse(['L1U2=open', { unit: 'L0U10', state: 'shut' }, 'L0U2=shut'].slice(0, 1).concat(['L0U2=shut']));
  expect(one).toEqual(parse([shut('L0U2'), open('L1U2')]));
  expect(one).toEqual({ units: [shut('L0U2'), open('L1U2')], angles: [0, 45], form: 'soft', images: 10_000, most: 200 });
});

test.each<[SmallModel, unknown, string]>([
  [{ adapter: 'dopamine' }, 'L0U8=shut', 'must be of the model, whose hidden widths are 8, 6, got "L0U8"'],
  [{ adapter: 'dopamine' }, 'L2U0=shut', 'must be of the model, whose hidden widths are 8, 6, got "L2U0"'],
  [{}, 'L0U1=open', 'must be shut, since nothing here has gates that could be opened, got "L0U1"'],
  [{ adapter: 'gain' }, 'L0U1=open', 'must be shut, since nothing here has gates that could be opened, got "L0U1"'],
])('%j refuses %j', async (small, unit, message) => {
  const model = smallModel(small);
  const { units } = parseWith(forced.options, 'forced', { units: [unit] });
  await expect(run(model, { units })).rejects.toThrow(`forced: mode: units ${message}`);
  expect(() => analysisJob(forced).parse({ models: [{ model }], options: { units } })).toThrow(UserError);
});

test('what is no unit, no state, or named twice is refused', () => {
  const told = (units: unknown) => () => parseWith(forced.options, 'forced', { units });
  expect(told('L0U1')).toThrow('forced: units must be a list of units and their states, got "L0U1"');
  expect(told(['L0U1'])).toThrow('forced: units.0 must be a unit and its state, such as L0U17=shut, got "L0U1"');
  expect(told([shut('L0U1'), 'L0U1=open'])).toThrow('forced: units must name each unit once');
  fc.assert(
    fc.property(fc.array(fc.anything(), { maxLength: 3 }), (units) => {
      try {
        parseWith(forced.options, 'forced', { units });
      } catch (error) {
        expect((error as UserError).rule).toMatch(/^must /);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
