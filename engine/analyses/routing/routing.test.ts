/** What every analysis of circuits promises, over the registry: valid findings, the same bits twice, TensorFlow.js agrees, mistakes are told. */
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Cancelled, UserError } from '../../base/errors.ts';
import { cells, checkFindings, type Findings } from '../../base/findings.ts';
import { expectClose, type Tolerance } from '../../base/testing/closeTo.ts';
import type { Executor } from '../../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import type { Runner } from '../../interventions/effects.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { PlannedRunner } from '../../interventions/plannedRunner.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { analyses } from '../index.ts';
import type { AnyRoutingAnalysis, RoutingContext, Subject } from './analysis.ts';
import { routingAnalyses } from './index.ts';
import { randomModel } from './testing/subjects.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const CONFIG = { vocabulary: 9, positions: 4, width: 8, heads: 2, layers: 2, mlp: 6, normalisation: 'rms' as const };
const drawn = (seed: number): PairSet => {
  const pairs = drawnPairs(CONFIG, { pairs: 5, length: 4, divergence: 1, after: false, seed });
  const { cipher, sensitive, control } = pairs.arms;
  // Severities and topics for analyses that ask for them; the pairs are no task's.
  return {
    ...pairs,
    arms: { sensitive, control, cipher: cipher!, benignCipher: control },
    labels: { topic: { sensitive: new Int32Array(5), control: new Int32Array(5).fill(1) }, topicNames: ['one', 'other'] },
  };
};
const subject = (seed: number): Subject => ({ label: `model ${seed}`, model: randomModel(CONFIG, seed), pairs: drawn(7) });

/** Small, so that a registry of many stays a matter of seconds. */
const smaller: Readonly<Record<string, object>> = {
  attributionPatching: { steps: 2 },
  edgeAttributionPatching: { steps: 2, exact: 6 },
  gateIdentification: { draws: 20 },
};

function contextOn(
  on: Executor,
  more: Partial<RoutingContext> = {},
  Runs: typeof WholeRunner | typeof PlannedRunner = WholeRunner,
): RoutingContext & { dispose: () => void } {
  const runners = new Map<object, Runner>();
  return {
    executor: on,
    signal: new AbortController().signal,
    progress: () => undefined,
    breathe: async () => undefined,
    runner: (model) => {
      const found = runners.get(model) ?? new Runs(on, model);
      runners.set(model, found);
      return found;
    },
    ...more,
    dispose: () => runners.forEach((runner) => runner.dispose()),
  };
}

interface Asked extends Partial<RoutingContext> {
  readonly on?: Executor;
  readonly own?: Subject;
  readonly runs?: typeof WholeRunner | typeof PlannedRunner;
}

async function ask(analysis: AnyRoutingAnalysis, { on = executor, own = subject(1), runs, ...more }: Asked = {}): Promise<Findings> {
  const context = contextOn(on, more, runs);
  const others = Array.from({ length: analysis.others?.least ?? 0 }, (_entry, i) => subject(2 + i));
  try {
    const options = analysis.options.parse(smaller[analysis.id] ?? {});
    return await analysis.run({ ...own, seed: 3, options, ...(others.length > 0 && { others }) }, context);
  } finally {
    context.dispose();
  }
}

/** Figures are sums of float32 of about 1 in two orders; a p or a rank may move by what a near tie is worth. */
const toleranceOf = (name: string): Tolerance =>
  /P$|stability|winner|agreement|Slope|State/i.test(name) ? { relative: 0, absolute: 0.05 } : { relative: 1e-3, absolute: 2e-5 };

test('ids are distinct, from those of classifiers too, and could be file names', () => {
  const ids = [...analyses, ...routingAnalyses].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]*$/);
});

describe.each(routingAnalyses.map((analysis) => [analysis.id, analysis] as const))('%s', (id, analysis) => {
  // What it says to the default question; asked once.
  let answer: Promise<Findings> | undefined;
  const asked = () => (answer ??= ask(analysis));

  test('gives valid findings that survive a structured clone, with units, definitions and what they rest on', async () => {
    const findings = checkFindings(await asked());
    expect(structuredClone(findings)).toEqual(findings);
    for (const { definition, data } of Object.values(findings.measures)) {
      expect(definition.length).toBeGreaterThan(10);
      expect(data.length).toBeGreaterThan(0);
    }
    expect([...cells(findings)].length).toBeGreaterThan(0);
    expect(findings.facts).toMatchObject({ device: executor.name });
    expect(JSON.stringify(findings.facts)).not.toMatch(/undefined|\[object/);
    const used = new Set(Object.values(findings.measures).flatMap(({ axes }) => axes));
    expect([...used].sort()).toEqual(Object.keys(findings.axes).sort());
  });

  test('every p has an effect, an interval, a state and the pairs behind it', async () => {
    const { measures } = await asked();
    for (const name of Object.keys(measures).filter((one) => one.endsWith('P') && `${one.slice(0, -1)}Pairs` in measures)) {
      const base = name.slice(0, -1);
      for (const part of ['', 'Low', 'High', 'State', 'Effect']) expect(Object.keys(measures)).toContain(`${base}${part}`);
      const tested = measures[`${base}State`].data.filter((state) => state > 0);
      expect(tested.length).toBeGreaterThan(0);
      measures[name].data.forEach((p, i) => {
        if (measures[`${base}State`].data[i] > 0) expect(p > 0 && p <= 1).toBe(true);
      });
    }
  });

  test('gives the same bits twice, and changes no model and no pairs', async () => {
    const own = subject(1);
    const before = structuredClone(own);
    const first = await ask(analysis, { own });
    expect(own).toEqual(before);
    expect(await asked()).toEqual(first);
  });

  test('gives on TensorFlow.js what it gives on ONNX Runtime', async () => {
    const [one, other] = [await asked(), await ask(analysis, { on: new TensorFlowExecutor() })];
    expect(other.axes).toEqual(one.axes);
    for (const [name, { data }] of Object.entries(one.measures))
      expectClose(other.measures[name].data, data, toleranceOf(name), `${id}: ${name}`);
  });

  test('gives with planned runs what it gives with whole ones, but for what is proved instead of measured', async () => {
    const [one, other] = [await asked(), await ask(analysis, { runs: PlannedRunner })];
    expect(other.axes).toEqual(one.axes);
    for (const [name, { data }] of Object.entries(one.measures))
      if (!/State$/.test(name)) expectClose(other.measures[name].data, data, toleranceOf(name), `${id}: ${name}`);
  });

  test('stops when it is called off, at the first chance', async () => {
    let chances = 0;
    const breathe = async () => {
      chances += 1;
      throw new Cancelled();
    };
    await expect(ask(analysis, { breathe })).rejects.toThrow(Cancelled);
    expect(chances).toBe(1);
  });

  test('tells how far it is, and never beyond the end', async () => {
    let [last, calls] = [0, 0];
    await ask(analysis, {
      progress({ stage, done, total }) {
        calls++;
        expect(stage.length).toBeGreaterThan(3);
        expect(done / total).toBeGreaterThanOrEqual(last);
        last = done / total;
      },
    });
    expect(calls).toBeGreaterThan(0);
    // Fewer runs than planned for are no harm, more are.
    expect(last).toBeGreaterThan(0);
    expect(last).toBeLessThanOrEqual(1);
  });

  test('refuses pairs of another language, and weights that are no numbers', async () => {
    const own = subject(1);
    const { positive } = own.pairs.metric;
    const foreign = { ...own.pairs, metric: { ...own.pairs.metric, positive: { ...positive, tokens: positive.tokens.map(() => 9) } } };
    await expect(ask(analysis, { own: { ...own, pairs: foreign } })).rejects.toThrow(UserError);
    const broken = { ...own.model, parameters: { ...own.model.parameters, 'embed.W_E': new Float32Array(72).fill(NaN) } };
    await expect(ask(analysis, { own: { ...own, model: broken } })).rejects.toThrow(UserError);
  });

  test('options have a default and a description', () => {
    const { properties = {} } = z.toJSONSchema(analysis.options, { io: 'input' });
    expect(analysis.options.safeParse({}).success).toBe(true);
    for (const [name, property] of Object.entries(properties)) {
      expect(property, name).toHaveProperty('description');
      expect(property, name).toHaveProperty('default');
    }
    expect(analysis.options.safeParse({ surely: 'not an option' }).success).toBe(false);
  });
});
