/** What every analysis promises, over the registry: valid findings, the same bits twice, TensorFlow.js agrees, mistakes are told. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Cancelled, UserError } from '../base/errors.ts';
import { cells, checkFindings, type Findings } from '../base/findings.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { parseWith } from '../base/schema.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { analysisJob } from '../jobs/analyse.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { AnalysisContext, AnyAnalysis, LabelledModel } from './analysis.ts';
import { analyses } from './index.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

/** What to ask an analysis, where one mode and the defaults are not it. */
const questions: Readonly<Record<string, { models: LabelledModel[]; options?: object }>> = {
  frontier: {
    models: [0, 1, 2].map((variant) => labelled(`mode ${variant}`, { adapter: 'dopamine', variant, sparsity: variant / 100 })),
    options: { active: 60 },
  },
  paired: {
    models: [1, 2].flatMap((seed) => ['dopamine', 'lora-r2'].map((adapter) => labelled(`${adapter}, ${seed}`, { adapter, seed }))),
  },
  forced: {
    models: [labelled('mode', { adapter: 'dopamine' })],
    options: { units: ['L0U1=shut', { unit: 'L1U2', state: 'open' }, 'L1U4=shut'] },
  },
  expressivity: {
    models: [[0, 45], [0]].flatMap((angles) =>
      ['dopamine', 'lora-r2'].map((adapter) => labelled(`${adapter}, ${angles.join()}`, { adapter, angles })),
    ),
  },
};

function questionFor({ id, options, models: { least } }: AnyAnalysis) {
  const { models, options: given = {} } = questions[id] ?? {
    models: Array.from({ length: least }, (_entry, variant) => labelled(`mode ${variant}`, { adapter: 'dopamine', variant })),
  };
  return { models, seed: 3, options: parseWith(options, id, given) };
}

/** Figures are counts, or means of some float32 of about 1 that two executors sum in two orders. */
const TWO_EXECUTORS = { relative: 2e-5, absolute: 1e-6 };

/** The facts that are numbers, or those that are not. */
const select = (facts: Findings['facts'], numbers: boolean) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => (typeof value === 'number') === numbers));

test('ids are distinct, and could be file names', () => {
  const ids = analyses.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]*$/);
});

describe.each(analyses.map((analysis) => [analysis.id, analysis] as const))('%s', (id, analysis) => {
  const ask = (more: Parameters<typeof analysisContext>[1] = {}, on: Parameters<typeof analysisContext>[0] = executor) =>
    analysis.run(questionFor(analysis), analysisContext(on, more));

  test('gives valid findings that survive a structured clone, with units, definitions and what they rest on', async () => {
    const findings = checkFindings(await ask());
    expect(structuredClone(findings)).toEqual(findings);
    for (const { definition, data } of Object.values(findings.measures)) {
      expect(definition.length).toBeGreaterThan(10);
      expect(data.length).toBeGreaterThan(0);
    }
    expect([...cells(findings)].length).toBeGreaterThan(0);
    expect(findings.facts).toMatchObject({
      device: executor.name,
      images: expect.any(Number) as number,
      part: expect.any(String) as string,
    });
    expect(JSON.stringify(findings.facts)).not.toMatch(/undefined|\[object/);
    const used = new Set(Object.values(findings.measures).flatMap(({ axes }) => axes));
    expect([...used].sort()).toEqual(Object.keys(findings.axes).sort());
  });

  test('gives the same bits twice, and changes no model and no image', async () => {
    const question = questionFor(analysis);
    const before = structuredClone(question.models);
    const seen = new Map<string, ImageSet>();
    const images: AnalysisContext['images'] = (part, angle, seed = 0) => {
      const key = JSON.stringify([part, angle, seed]);
      const set = seen.get(key) ?? smallImages(part, angle, seed);
      seen.set(key, set);
      return set;
    };
    const first = await analysis.run(question, analysisContext(executor, { images }));
    expect(question.models).toEqual(before);
    for (const [key, set] of seen) expect(set).toEqual(smallImages(...(JSON.parse(key) as Parameters<typeof smallImages>)));
    expect(await ask()).toEqual(first);
  });

  test('gives on TensorFlow.js what it gives on ONNX Runtime', async () => {
    const [one, other] = [await ask(), await ask({}, new TensorFlowExecutor())];
    expect(other.axes).toEqual(one.axes);
    const [figures, words] = [true, false].map((number) => [one, other].map(({ facts }) => select(facts, number)));
    expect(words[1]).toEqual({ ...words[0], device: 'tensorflow-cpu' });
    expect(Object.keys(figures[1])).toEqual(Object.keys(figures[0]));
    expectClose(Object.values(figures[1]) as number[], Object.values(figures[0]) as number[], TWO_EXECUTORS, 'facts');
    for (const [name, { data }] of Object.entries(one.measures)) expectClose(other.measures[name].data, data, TWO_EXECUTORS, name);
  });

  test('stops when it is called off, at the first chance', async () => {
    let chances = 0;
    const breathe = async () => {
      chances += 1;
      throw new Cancelled();
    };
    await expect(ask({ breathe })).rejects.toThrow(Cancelled);
    expect(chances).toBe(1);
  });

  test('tells how far it is, in its own name, and never beyond the end', async () => {
    let last = 0;
    await ask({
      progress({ stage, done, total }) {
        expect(stage).toContain(id);
        expect(done).toBeGreaterThanOrEqual(last);
        expect(done).toBeLessThanOrEqual(total);
        last = done;
      },
    });
    expect(last).toBeGreaterThan(0);
  });

  test('refuses images that do not fit the models', async () => {
    const images = (part: 'test' | 'heldOut' | 'train', angle: number) => ({ ...smallImages(part, angle), width: 5 });
    await expect(ask({ images })).rejects.toThrow(UserError);
  });

  test('refuses too few models, too many, and those of another kind', () => {
    const job = analysisJob(analysis);
    const { models } = questionFor(analysis);
    const { least, most, adapter } = analysis.models;
    const refuse = (given: readonly LabelledModel[]) => expect(() => job.parse({ models: given })).toThrow(UserError);
    expect(() => job.parse({ models })).not.toThrow();
    refuse(models.slice(0, least - 1));
    if (most < Infinity)
      refuse(Array.from({ length: most + 1 }, (_entry, i) => labelled(`mode ${i}`, { adapter: 'dopamine', variant: i })));
    refuse([...models.slice(1), models[1] ?? models[0], models[1] ?? models[0]]);
    const others = models.slice(1);
    if (adapter !== 'optional') refuse([labelled('foundation', {}), ...others]);
    if (adapter === 'gated') refuse([labelled('gains', { adapter: 'gain' }), ...others]);
  });

  test('has strict options, each with a default and a description', () => {
    expect(analysis.options).toBeInstanceOf(z.ZodObject);
    const { shape } = analysis.options as z.ZodObject<Record<string, z.ZodType>>;
    expect(Object.keys(parseWith(analysis.options, id, {}) as object)).toEqual(Object.keys(shape));
    for (const [name, option] of Object.entries(shape)) expect(option.meta()?.description, name).toMatch(/^[a-zλ].{10,}$/);
    expect(() => parseWith(analysis.options, id, { nonsense: 1 })).toThrow(`${id}: fields must be known, got [nonsense]`);
  });

  test('options of any kind are told apart: a mistake that names its rule, or a value that stays what it is', () => {
    const { shape } = analysis.options as z.ZodObject<Record<string, z.ZodType>>;
    const number = fc.oneof(fc.integer({ min: -400, max: 400 }), fc.double(), fc.constantFrom(0, 1, 45, 0.5));
    const plausible = fc.oneof(
      number,
      fc.array(number, { maxLength: 4 }),
      fc.constantFrom('soft', 'hard', 'test', 'heldOut'),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.record(Object.fromEntries(Object.keys(shape).map((name) => [name, plausible])), { requiredKeys: [] }), (given) => {
        let parsed: unknown;
        try {
          parsed = parseWith(analysis.options, id, given);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as UserError).rule).toMatch(/^must /);
          expect((error as UserError).field).toMatch(new RegExp(`^${id}: `));
          return;
        }
        expect(parseWith(analysis.options, id, parsed)).toEqual(parsed);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
