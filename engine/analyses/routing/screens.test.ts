/** Screens against plain loops: what an interchange and an ablation of a head is, over pairs and over the corpus; gaps that may be 0 divide nothing. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { Random } from '../../base/random.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites } from '../../interventions/testing/plainForward.ts';
import { weights } from '../../interventions/testing/weights.ts';
import { checkPairs, type PairSet } from '../../tasks/pairs.ts';
import type { AnyRoutingAnalysis } from './analysis.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { gateIdentification } from './gateIdentification.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { pooled } from './pooled.ts';
import { routingAnalyses } from './index.ts';
import { screenMeasures } from './screens.ts';
import { gapOf } from './shares.ts';
import { analyse, at, plantedPairs, randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const CONFIG = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 2, mlp: 10 };
const LENGTH = 5;
const PAIRS = 4;
const SIZE = 4;
const model = randomModel(CONFIG, 1);
const parameters = weights(CONFIG, 1);
const pairs: PairSet = {
  ...drawnPairs(CONFIG, { pairs: PAIRS, length: LENGTH, divergence: 1, seed: 2 }),
  content: Int32Array.of(1, 2, 3, 1),
};
const tokens = (arm: 'sensitive' | 'control', pair: number) => pairs.arms[arm].subarray(pair * LENGTH, (pair + 1) * LENGTH);
const M = (logits: Float64Array[], pair: number) => {
  const { positive, negative } = pairs.metric;
  const own = logits[pairs.read[pair]];
  return (own[positive.tokens[2 * pair]] + own[positive.tokens[2 * pair + 1]]) / 2 - own[negative.tokens[pair]];
};
const each = <T>(act: (pair: number) => T): T[] => Array.from({ length: PAIRS }, (_entry, pair) => act(pair));
const z = (layer: number) => `blocks.${layer}.attn.hook_z`;
const part = (values: Float64Array, head: number) => values.subarray(head * SIZE, (head + 1) * SIZE);
const sites = {
  sensitive: each((pair) => plainSites(CONFIG, parameters, tokens('sensitive', pair))),
  control: each((pair) => plainSites(CONFIG, parameters, tokens('control', pair))),
};
const base = (arm: 'sensitive' | 'control') => each((pair) => M(plainForward(CONFIG, parameters, tokens(arm, pair)), pair));
/** M with a head at some positions as `donor` says. */
const written = (
  arm: 'sensitive' | 'control',
  [layer, head]: readonly [number, number],
  positions: (pair: number) => number[],
  donor: (pair: number, position: number) => ArrayLike<number>,
) =>
  each((pair) =>
    M(
      plainForward(CONFIG, parameters, tokens(arm, pair), (site, values) => {
        if (site === z(layer)) positions(pair).forEach((position) => part(values[position], head).set(donor(pair, position)));
      }),
      pair,
    ),
  );
const CLOSE = { relative: 1e-4, absolute: 1e-5 };

test('interchange is what plain loops say, pair by pair, at every set of positions', async () => {
  const findings = await analyse(headInterchange, onnx, { model, pairs });
  const all = [0, 1, 2, 3, 4];
  for (const [place, positions] of [
    ['read', (pair: number) => [pairs.read[pair]]],
    ['content', (pair: number) => [pairs.content![pair]]],
    ['all', () => all],
  ] as const)
    for (const head of [
      [0, 1],
      [1, 2],
    ] as const) {
      const where = { positions: place, layer: head[0], head: head[1] };
      const noised = written('sensitive', head, positions, (pair, position) =>
        part(sites.control[pair].get(z(head[0]))![position], head[1]),
      );
      const denoised = written('control', head, positions, (pair, position) =>
        part(sites.sensitive[pair].get(z(head[0]))![position], head[1]),
      );
      const necessity = base('sensitive').map((value, pair) => value - noised[pair]);
      const sufficiency = denoised.map((value, pair) => value - base('control')[pair]);
      expectClose(at(findings, 'necessityPairs', where), necessity, CLOSE, `necessity, ${place}`);
      expectClose(at(findings, 'sufficiencyPairs', where), sufficiency, CLOSE, `sufficiency, ${place}`);
      const gap = base('sensitive').reduce((sum, value, pair) => sum + value - base('control')[pair], 0);
      if (at(findings, 'necessity', where).every(Number.isFinite))
        expectClose(
          at(findings, 'necessity', where),
          [necessity.reduce((a, b) => a + b, 0) / gap],
          { relative: 1e-3, absolute: 1e-4 },
          'share',
        );
    }
});

test('ablations are what plain loops say, on both members; means and draws are over the whole corpus', async () => {
  const findings = await analyse(headAblation, onnx, { model, pairs }, { positions: 'read', ablations: ['zero', 'mean'] });
  const [layer, head] = [1, 0] as const;
  const read = (pair: number) => [pairs.read[pair]];
  const prompts = [...sites.sensitive, ...sites.control];
  const mean = Array.from(
    { length: SIZE },
    (_entry, i) => prompts.reduce((sum, own) => sum + part(own.get(z(layer))![LENGTH - 1], head)[i], 0) / prompts.length,
  );
  for (const [ablation, donor] of [
    ['zero', new Array<number>(SIZE).fill(0)],
    ['mean', mean],
  ] as const) {
    const where = { ablation, layer, head };
    const [plus, minus] = (['sensitive', 'control'] as const).map((arm) => written(arm, [layer, head], read, () => donor));
    expectClose(
      at(findings, 'sensitivePairs', where),
      base('sensitive').map((value, pair) => value - plus[pair]),
      CLOSE,
      `${ablation}, x⁺`,
    );
    expectClose(
      at(findings, 'controlPairs', where),
      minus.map((value, pair) => value - base('control')[pair]),
      CLOSE,
      `${ablation}, x⁻`,
    );
    expectClose(
      at(findings, 'level', where),
      [plus, minus].map((own) => own.reduce((a, b) => a + b, 0) / PAIRS),
      CLOSE,
      `${ablation}, levels`,
    );
  }
  const pattern = sites.sensitive.map((own) => own.get('blocks.1.attn.hook_pattern')![LENGTH - 1][0]);
  expectClose(
    at(findings, 'sinkMass', { member: 'sensitive', layer: 1, head: 0 }),
    [pattern.reduce((a, b) => a + b, 0) / PAIRS],
    CLOSE,
    'sink mass',
  );
});

test('one seed gives one gap, with one interval, whichever screen is asked', async () => {
  const facts = await Promise.all(
    [directLogitAttribution, headInterchange, headAblation, gateIdentification].map(async (analysis) => {
      const { facts } = await analyse(analysis as AnyRoutingAnalysis, onnx, { model, pairs });
      return [facts.gap, facts['gap.low'], facts['gap.high']];
    }),
  );
  for (const own of facts) expect(own).toEqual(facts[0]);
});

test('both members of the pairs as one set', () => {
  const set = plantedPairs();
  const both = pooled(set);
  checkPairs(both, 1000);
  expect(both.pairs).toBe(2 * set.pairs);
  const first = set.pairs * set.length;
  expect(both.arms.sensitive.slice(0, first)).toEqual(set.arms.sensitive);
  expect(both.arms.sensitive.slice(first)).toEqual(set.arms.control);
  expect(both.arms.control.slice(first)).toEqual(set.arms.sensitive);
  expect(both.marks!.topic.slice(set.pairs)).toEqual(set.marks!.topic);
});

describe('a gap that may be 0', () => {
  const same: PairSet = { ...pairs, arms: { sensitive: pairs.arms.sensitive, control: pairs.arms.sensitive } };
  const screens = routingAnalyses.filter(({ id }) =>
    ['directLogitAttribution', 'headInterchange', 'headAblation', 'knockoutCascade', 'bands', 'gateIdentification'].includes(id),
  );

  test.each(screens.map((analysis) => [analysis.id, analysis] as const))(
    '%s: divides nothing, and is named with its number',
    async (_id, analysis) => {
      const findings = await analyse(analysis, onnx, { model, pairs: same });
      expect(findings.facts.denominator).toMatch(
        /^refused: .* = 0\.000 logits, 95 % interval \[0\.000, 0\.000\], contains 0, so there are no shares$/,
      );
      const share = ['necessity', 'sensitive', 'direct'].find((name) => name in findings.measures);
      if (share) expect(findings.measures[share].data.every(Number.isNaN)).toBe(true);
    },
  );
});

test('what was proved to be zero and not run is told from what was measured, and what failed is in no family', () => {
  const gap = gapOf([2, 3, 4], [1, 1, 1], new Random(1));
  const screen = screenMeasures(
    {
      name: 'effect',
      over: 'way',
      axes: ['cell'],
      definition: 'a number',
      ways: [
        {
          label: 'one',
          effects: Float64Array.of(1, 2, 3, 0, 0, 0, NaN, NaN, NaN),
          state: ['measured', 'proved-zero', 'not-run'],
          moved: [1, 0, 0],
        },
        {
          label: 'two',
          effects: Float64Array.of(1, NaN, 3, 1, 1, 1, 2, 2, 2),
          state: ['failed', 'measured', 'measured'],
          moved: [1, 1, 1],
        },
      ],
    },
    gap,
    new Random(2),
  );
  expect([...screen.effectState.data]).toEqual([1, 2, 0, -1, 1, 1]);
  expect([...screen.effect.data]).toEqual([1, 0, NaN, NaN, 0.5, 1]);
  expect(Array.from(screen.effectP.data, Number.isNaN)).toEqual([false, false, true, true, false, false]);
  expect(screen.effectP.data[1]).toBe(1);
  expect(screen.effectP.axes).toEqual(['way', 'cell']);
  expect(screen.effectPairs.axes).toEqual(['way', 'cell', 'pair']);
});
