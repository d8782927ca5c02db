/** Analyses of circuits as jobs: what their keys depend on, what they refuse by field, rule and value, and a whole one from request to findings. */
import { describe, expect, test } from 'vitest';
import type { Findings } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { siteSweep } from '../analyses/routing/siteSweep.ts';
import type { JobContext } from '../contract.ts';
import { languageModelDigest } from '../formats/languageModelDigest.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { initialise } from '../models/parameters.ts';
import { transformerParameters } from '../models/transformer.ts';
import { policyPairs } from '../tasks/policyPairs.ts';
import { policyTask } from '../tasks/policyRouting.ts';
import { routingJob } from './analysePairs.ts';
import { planSweep } from './planSweep.ts';

const task = policyTask({ topics: 6, high: 2, middle: 1, keys: 1 });
const config = { vocabulary: task.vocabulary, positions: 8, width: 8, heads: 2, layers: 2, mlp: 4, normalisation: 'rms' as const };
const model: LanguageModel = {
  architecture: 'transformer',
  config,
  parameters: initialise(transformerParameters(config), new Random(1)),
  origin: { kind: 'trained', name: 'recipe' },
};
const pairs = policyPairs(task, { pairs: 6 });
const job = routingJob(siteSweep);
const request = { model, label: 'mine', pairs };
const counted = (given: object) =>
  JSON.stringify(job.counts!(job.parse(given)), (_name, value: unknown) =>
    ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value,
  );
const context: JobContext = {
  signal: new AbortController().signal,
  threads: 1,
  resume: undefined,
  progress: () => undefined,
  checkpoint: async () => undefined,
  breathe: async () => undefined,
};

describe('what numbers depend on', () => {
  const base = counted(request);

  test('are model, pairs, options and seed', () => {
    const weights = {
      ...model.parameters,
      'unembed.W_U': model.parameters['unembed.W_U'].map((value, i) => (i === 0 ? value + 1e-3 : value)),
    };
    expect(counted({ ...request, model: { ...model, parameters: weights } })).not.toBe(base);
    expect(counted({ ...request, model: { ...model, config: { ...config, epsilon: 1e-6 } } })).not.toBe(base);
    expect(counted({ ...request, pairs: policyPairs(task, { pairs: 6, seed: 1 }) })).not.toBe(base);
    expect(counted({ ...request, seed: 1 })).not.toBe(base);
    expect(counted({ ...request, options: { donor: 'zero' } })).not.toBe(base);
  });

  test('are neither where the model came from, nor the order of its config, nor what is the default anyway', () => {
    const reordered = Object.fromEntries(Object.entries(config).reverse()) as typeof config;
    const twin = { ...model, config: reordered, origin: { kind: 'loaded' as const, name: '/elsewhere' }, tokens: [...task.names] };
    expect(counted({ ...request, model: twin })).toBe(base);
    expect(counted({ ...request, seed: 0, options: { sites: 'L*H*' } })).toBe(base);
    // Named by its folder, it is the same once it is known which one it is.
    expect(counted({ ...request, model: { folder: '/anywhere', digest: languageModelDigest(model) } })).toBe(base);
  });
});

describe('what is refused', () => {
  const refusal = (given: object) => {
    try {
      job.parse(given);
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
    return 'nothing';
  };
  const { sensitive } = pairs.arms;
  test.each([
    [{ ...request, pairs: { ...pairs, arms: { sensitive } } }, /^siteSweep: pairs\.arms\.control must be an Int32Array, got undefined$/],
    [{ ...request, seed: -1 }, /^siteSweep: seed must be an integer in \[0, /],
    [{ ...request, options: { donor: 'friend' } }, /^siteSweep: donor must be "pair", "mean", "zero" or "resample", got "friend"$/],
    [{ ...request, options: { sites: '' } }, /^siteSweep: sites must name sites, got ""$/],
    [{ ...request, others: [request] }, /^siteSweep: others must be 0, got 1$/],
    [{ ...request, model: { folder: '/models', digest: 'abc' } }, /^siteSweep: model\.digest must be 64 hexadecimal digits, got "abc"$/],
  ])('case %#', (given, message) => {
    expect(refusal(given)).toMatch(message);
  });

  test('by the engine: tokens the model does not know, prompts that are too long, weights that are none, another model', async () => {
    const small = { ...config, vocabulary: 5 };
    const run = (given: object) => job.run(job.parse(given), context);
    const smaller = { ...model, config: small, parameters: initialise(transformerParameters(small), new Random(1)) };
    await expect(run({ ...request, model: smaller })).rejects.toThrow(/^pairs: sensitive must hold integers in \[0, 4\], got/);
    const short = { ...config, positions: 7 };
    await expect(
      run({ ...request, model: { ...model, config: short, parameters: initialise(transformerParameters(short), new Random(1)) } }),
    ).rejects.toThrow(/^pairs: length must be at most 7 tokens, as the model takes, got 8$/);
    const broken = { ...model.parameters, 'unembed.W_U': model.parameters['unembed.W_U'].map((value, i) => (i === 3 ? NaN : value)) };
    await expect(run({ ...request, model: { ...model, parameters: broken } })).rejects.toThrow(
      /unembed\.W_U\[3\] must be a finite number, got NaN/,
    );
    await expect(run({ ...request, model: { folder: '/nowhere' } })).rejects.toThrow(
      /^siteSweep: model: folder must exist, got "\/nowhere"$/,
    );
  });
});

test('a sweep of heads and residuals: swapping everything at the last residual is the whole gap, an early read position nothing', async () => {
  const options = { sites: 'L*H*,blocks.*.hook_resid_post,blocks.0.hook_resid_pre,L1H0@4', permutations: 99, resamples: 100 };
  expect(await planSweep.run(planSweep.parse({ model, pairs, options }), context)).toMatchObject({
    cells: 8,
    family: 8,
    pairs: 6,
    naiveForwards: 10,
    proved: 1,
  });
  const findings: Findings = await job.run(job.parse({ ...request, options }), context);
  const { values } = findings.axes.cell;
  const at = (measure: string, cell: string) => findings.measures[measure].data[values.indexOf(cell)];
  const gap = findings.facts.gap as number;
  expect(at('effect', 'blocks.1.hook_resid_post')).toBeCloseTo(gap, 5);
  // ASK is the same token in both prompts: nothing has reached it yet.
  expect(at('effect', 'blocks.0.hook_resid_pre')).toBe(0);
  expect(at('p', 'blocks.0.hook_resid_pre')).toBe(1);
  expect(at('moved', 'blocks.0.hook_resid_pre')).toBe(0);
  const byPair = findings.measures.byPair.data as Float32Array;
  const row = values.indexOf('L1H0') * 6;
  expect(byPair.subarray(row, row + 6).reduce((a, b) => a + b, 0) / 6).toBeCloseTo(at('effect', 'L1H0'), 5);
  // What a head of the last layer gives elsewhere is never read: it is not run, and says so.
  expect([at('state', 'L1H0'), at('state', 'L1H0@4'), at('effect', 'L1H0@4'), at('p', 'L1H0@4')]).toEqual([1, 2, 0, 1]);
  expect(findings.facts['model digest']).toBe(languageModelDigest(model));
});
