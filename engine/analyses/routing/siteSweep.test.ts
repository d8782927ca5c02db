/** A sweep against whole graphs with heads swapped in plain sight, zeros against a weight that is taken away, and going on from where it was. */
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../../base/random.ts';
import type { Findings } from '../../base/findings.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { initialise } from '../../models/parameters.ts';
import { HeadSwaps } from '../../models/testing/headSwaps.ts';
import { transformerParameters } from '../../models/transformer.ts';
import { policyPairs } from '../../tasks/policyPairs.ts';
import { policyTask } from '../../tasks/policyRouting.ts';
import type { RoutingContext } from './analysis.ts';
import { CELL_STATES, siteSweep, stateOf, sweepOptions } from './siteSweep.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const task = policyTask({ topics: 6, high: 2, middle: 1, keys: 1 });
const config = { vocabulary: task.vocabulary, positions: 8, width: 12, heads: 3, layers: 2, mlp: 8, normalisation: 'rms' as const };
const model: LanguageModel = {
  architecture: 'transformer',
  config,
  parameters: initialise(transformerParameters(config), new Random(5)),
  origin: { kind: 'trained' },
};
const PAIRS = 70;
const pairs = policyPairs(task, { pairs: PAIRS });
const contextWith = (more: Partial<RoutingContext> = {}): RoutingContext => ({
  executor,
  runner: (asked) => new WholeRunner(executor, asked),
  signal: new AbortController().signal,
  progress: () => undefined,
  breathe: async () => undefined,
  ...more,
});
const sweep = (options: object, more?: Partial<RoutingContext>, asked = model): Promise<Findings> =>
  siteSweep.run(
    { model: asked, label: 'mine', pairs, seed: 1, options: sweepOptions.parse({ permutations: 99, resamples: 100, ...options }) },
    contextWith(more),
  );
const rows = (findings: Findings, measure: string) =>
  Object.fromEntries(findings.axes.cell.values.map((cell, i) => [String(cell), findings.measures[measure].data[i]]));

/** M of every pair from logits at every position. */
function metrics(logits: Float32Array): number[] {
  const mean = ({ count, tokens }: (typeof pairs.metric)['positive'], pair: number) => {
    const at = (pair * pairs.length + pairs.read[pair]) * task.vocabulary;
    return tokens.subarray(pair * count, (pair + 1) * count).reduce((sum, token) => sum + logits[at + token], 0) / count;
  };
  return Array.from({ length: PAIRS }, (_, pair) => mean(pairs.metric.positive, pair) - mean(pairs.metric.negative, pair));
}
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('every head, in both directions', () => {
  const swaps = new HeadSwaps(executor, config, model.parameters);
  afterAll(() => swaps[Symbol.dispose]());
  const prompts = (arm: 'sensitive' | 'control') => ({ tokens: pairs.arms[arm], length: pairs.length });
  const base = { sensitive: swaps.run(prompts('sensitive')), control: swaps.run(prompts('control')) };

  test.each([
    ['noising', 'sensitive', 'control', 1],
    ['denoising', 'control', 'sensitive', -1],
  ] as const)('%s', async (direction, own, other, sign) => {
    const found = rows(await sweep({ direction }), 'effect');
    const before = average(metrics(base[own].logits));
    for (const [layer, head] of [0, 1].flatMap((l) => [0, 1, 2].map((h) => [l, h] as const))) {
      const swap = { heads: [[layer, head] as const], donor: base[other], positions: [pairs.read[0]] };
      const after = average(metrics(swaps.run(prompts(own), { swap }).logits));
      expect(found[`L${layer}H${head}`]).toBeCloseTo(sign * (before - after), 6);
    }
  });
});

test('zeroing a head at every position is a model without its part of W_O', async () => {
  const found = rows(await sweep({ sites: 'L1H2@all', donor: 'zero' }), 'effect');
  const size = config.width / config.heads;
  const weights = model.parameters['blocks.1.attn.W_O'].slice().fill(0, 2 * size * config.width);
  const without = { ...model, parameters: { ...model.parameters, 'blocks.1.attn.W_O': weights } };
  const level = async (asked: LanguageModel) => {
    const effects = await new WholeRunner(executor, asked).run(pairs, 'sensitive', []);
    return average([...effects.base]);
  };
  expect(found['L1H2@all']).toBeCloseTo((await level(model)) - (await level(without)), 6);
});

test('a sweep that was interrupted goes on to the same numbers', async () => {
  const states: unknown[] = [];
  const whole = await sweep({}, { long: { resume: undefined, checkpoint: async (state) => void states.push(structuredClone(state)) } });
  expect(states.length).toBeGreaterThan(1);
  let forwards = 0;
  const resumed = await sweep(
    {},
    { long: { resume: states.at(-1), checkpoint: async () => undefined }, breathe: async () => void forwards++ },
  );
  expect(resumed.measures).toEqual(whole.measures);
  let all = 0;
  await sweep({}, { breathe: async () => void all++ });
  expect(forwards).toBeLessThan(all);
});

test('a gap that may be 0 divides nothing, and is said', async () => {
  const same = { ...pairs, arms: { ...pairs.arms, control: pairs.arms.sensitive } };
  const { measures, facts } = await siteSweep.run(
    { model, label: 'mine', pairs: same, seed: 1, options: sweepOptions.parse({}) },
    contextWith(),
  );
  expect([...measures.share.data].every(Number.isNaN)).toBe(true);
  expect([...measures.effect.data]).toEqual(Array(6).fill(0));
  expect([...measures.p.data]).toEqual(Array(6).fill(1));
  expect(facts.denominator).toMatch(/^refused: mean M\(x⁺\) − M\(x⁻\) = 0\.000 logits/);
});

test('pair by pair only if asked for, and states by name', async () => {
  expect((await sweep({ pairEffects: false })).measures.byPair).toBeUndefined();
  for (const [state, code] of Object.entries(CELL_STATES)) expect(stateOf(code)).toBe(state);
});
