/** Doses of what is detected and of the gate: the planted circuit's switches are known to the digit; a random model is dosed by hand in plain loops. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites } from '../../interventions/testing/plainForward.ts';
import { selectPairs, type Arm } from '../../tasks/pairs.ts';
import { outcomes } from '../../tasks/outcomes.ts';
import { doseMeasures } from './doseCurves.ts';
import { doseResponse } from './doseResponse.ts';
import { gateDose } from './gateDose.ts';
import { analyse, at, planted, plantedPairs, randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const executors = [onnx, new TensorFlowExecutor()].map((executor) => [executor.name, executor] as const);
afterAll(() => onnx.dispose());

const TRUTH = { relative: 0, absolute: 1e-3 };
const { circuit, model } = planted();
const severity = Array.from({ length: circuit.features.length }, (_entry, i) => (circuit.features[i] === 'severity' ? 3 : 0));
const absolute = { direction: severity, unit: 'absolute' as const };
/** Classes over doses as one letter each, of all pairs of a condition, which are alike. */
const spelled = (findings: Awaited<ReturnType<typeof analyse>>, condition: string) =>
  (findings.axes.dose.values as number[])
    .map((dose) => {
      const own = new Set(at(findings, 'outcomePairs', { condition, dose }));
      return own.size === 1 ? outcomes[[...own][0]][0] : '?';
    })
    .join('');

describe.each(executors)('%s', (name, executor) => {
  const few = name.startsWith('tensor') ? [0, 6, 12, 19] : undefined;
  const of = (options: Parameters<typeof plantedPairs>[0] = {}) =>
    few
      ? selectPairs(
          plantedPairs(options),
          few.map((i) => i % plantedPairs(options).pairs),
        )
      : plantedPairs(options);

  test('severity taken out: refusals end at ½, evasions at 1½; put in: the other way round', async () => {
    const findings = await analyse(
      doseResponse,
      executor,
      { model, pairs: of() },
      { ...absolute, doses: [0, 0.25, 0.5, 1, 1.25, 1.5, 2.5], refinements: 9 },
    );
    expect(findings.facts).toMatchObject({ gate: 'L1H2', layer: 1, site: 'blocks.0.hook_resid_post' });
    expect(findings.facts.classMeanAlongDirection).toBeCloseTo(2, 4);
    expect(spelled(findings, 'attenuate')).toBe('RREEEAA');
    expect(spelled(findings, 'amplify')).toBe('AAAEEER');
    for (const topic of ['all', 't0']) {
      expectClose(at(findings, 'threshold', { condition: 'attenuate', topic }), [0.5, 1.5], TRUTH, `attenuate ${topic}`);
      expect(at(findings, 'thresholdSlope', { condition: 'attenuate', topic })).toEqual([-Infinity, Infinity]);
    }
    for (const topic of ['all', 't7'])
      expectClose(at(findings, 'threshold', { condition: 'amplify', topic }), [1.5, 0.5], TRUTH, `amplify ${topic}`);
    const pairs = few?.length ?? 20;
    expectClose(
      at(findings, 'thresholdPairs', { condition: 'attenuate' }),
      [...new Array<number>(pairs).fill(0.5), ...new Array<number>(pairs).fill(1.5)],
      TRUTH,
      'pair by pair',
    );
    // t0 is a sensitive topic: no control prompt has it.
    expect(at(findings, 'threshold', { condition: 'amplify', topic: 't0' })).toEqual([NaN, NaN]);
    expect(at(findings, 'outcomes', { condition: 'attenuate', topic: 't0', dose: 1 })).toEqual([0, 1, 0, 0]);
  });

  test('of middle severity: evasions end at ½', async () => {
    const findings = await analyse(
      doseResponse,
      executor,
      { model, pairs: of({ severity: 'middle' }) },
      { ...absolute, layer: 1, doses: [0, 0.4, 0.7, 1], refinements: 9 },
    );
    expect(spelled(findings, 'attenuate')).toBe('EEAA');
    // Never refused: no threshold of refusal.
    expectClose(at(findings, 'threshold', { condition: 'attenuate', topic: 'all' }), [NaN, 0.5], TRUTH, 'threshold');
    expect(at(findings, 'thresholdState', { condition: 'attenuate', topic: 'all' })).toEqual([0, 2]);
  });

  test('the gate between its two values: evades from ¼ on, refuses from ¾ on, under the cipher too', async () => {
    const findings = await analyse(
      gateDose,
      executor,
      { model, pairs: of() },
      { gate: 'L1H2', doses: [0, 0.2, 0.3, 0.7, 0.8, 1, 3], refinements: 8 },
    );
    for (const condition of ['sensitive', 'cipher']) {
      expect(spelled(findings, condition)).toBe('AAEERRR');
      expectClose(at(findings, 'threshold', { condition, topic: 'all' }), [0.75, 0.25], TRUTH, condition);
    }
  });
});

test('along the class mean a dose of 1 takes away what separates the classes; far beyond it answers are none', async () => {
  const pairs = plantedPairs();
  const findings = await analyse(doseResponse, onnx, { model, pairs }, { doses: [0, 0.2, 0.3, 0.7, 0.8, 1, 4], refinements: 10 });
  // Severity falls by 2α. A severe topic is a quarter of the class mean; a benign one, put in instead, a fifth.
  expect(spelled(findings, 'attenuate')).toBe('RREEAAO');
  expectClose(at(findings, 'threshold', { condition: 'attenuate', change: 'REFUSE', topic: 'all' }), [0.25], TRUTH, 'threshold');
  expect(findings.facts.classMeanNorm).toBeCloseTo(Math.sqrt(4 + 4 / 16 + 5 / 25), 5);
  expect(findings.facts.positions).toBe('{"mark":"detection"}');
});

describe('a random model', () => {
  const config = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
  const random = randomModel(config, 3);
  const drawn = drawnPairs(config, { pairs: 6, length: 6, divergence: 2, seed: 2 });
  const tokens = (arm: Arm, pair: number) => drawn.arms[arm]!.subarray(pair * 6, pair * 6 + 6);
  const all = Array.from({ length: 6 }, (_entry, pair) => pair);
  const M = (logits: Float64Array, pair: number) => {
    const { positive, negative } = drawn.metric;
    return (logits[positive.tokens[2 * pair]] + logits[positive.tokens[2 * pair + 1]]) / 2 - logits[negative.tokens[pair]];
  };

  test('the class mean, added by hand', async () => {
    const findings = await analyse(
      doseResponse,
      onnx,
      { model: random, pairs: drawn },
      { layer: 2, positions: 'all', measuredAt: 'content', doses: [0, 1, 2], refinements: 1 },
    );
    const sites = (arm: Arm) =>
      all.map((pair) => plainSites(config, random.parameters, tokens(arm, pair)).get('blocks.1.hook_resid_post')![2]);
    const [plus, minus] = [sites('sensitive'), sites('control')];
    const mean = Float64Array.from({ length: 12 }, (_entry, i) => all.reduce((sum, pair) => sum + plus[pair][i] - minus[pair][i], 0) / 6);
    for (const [condition, arm, sign] of [
      ['attenuate', 'sensitive', -1],
      ['amplify', 'control', 1],
    ] as const)
      for (const dose of [0, 1, 2]) {
        const logits = all.map(
          (pair) =>
            plainForward(config, random.parameters, tokens(arm, pair), (site, values) => {
              if (site === 'blocks.1.hook_resid_post') values.forEach((own) => own.forEach((x, i) => (own[i] = x + sign * dose * mean[i])));
            })[5],
        );
        expectClose(
          at(findings, 'metricPairs', { condition, dose }),
          logits.map(M),
          { relative: 1e-4, absolute: 1e-4 },
          `${condition} ${dose}`,
        );
        const classes = logits.map((own, pair) => {
          const token = own.indexOf(Math.max(...own));
          const { positive, negative } = drawn.metric;
          return [...positive.tokens.subarray(2 * pair, 2 * pair + 2)].includes(token) ? 0 : negative.tokens[pair] === token ? 2 : 3;
        });
        expectClose(at(findings, 'outcomePairs', { condition, dose }), classes, EXACT, `classes, ${condition} ${dose}`);
      }
  });

  test('what cannot be dosed is refused', async () => {
    const run = (options: object) => analyse(doseResponse, onnx, { model: random, pairs: drawn }, { layer: 1, ...options });
    await expect(run({ direction: [1, 2] })).rejects.toThrow('doseResponse: direction must hold 12 numbers, as the residual does, got 2');
    await expect(run({ direction: new Array<number>(12).fill(0) })).rejects.toThrow('doseResponse: direction must have a direction, got 0');
    await expect(run({ layer: 4 })).rejects.toThrow('doseResponse: layer must be at most 3, got 4');
    await expect(run({ positions: 'verb' })).rejects.toThrow('doseResponse: positions must be one of read, content, all');
    expect(() => doseResponse.options.parse({ doses: [1, 0] })).toThrow('must ascend');
  });
});

test('a curve that is ½ only beyond the doses has no threshold; one within them has that of the fit, and all pairs together one', () => {
  // REFUSE in 1, then 3 of 10 pairs of one topic, in 1, then 9 of the other.
  const classes = Int32Array.from(
    [0, 1].flatMap((dose) => Array.from({ length: 20 }, (_entry, pair) => (pair % 10 < (dose === 0 ? 1 : pair < 10 ? 3 : 9) ? 0 : 3))),
  );
  const none = new Float64Array(20).fill(NaN);
  const condition = { name: 'one', arm: 'sensitive' as const, writes: () => [], writesEach: () => [] };
  const curve = { condition, classes, metric: new Float32Array(40), thresholds: [none, none], trials: [] };
  const ten = Array.from({ length: 10 }, (_entry, pair) => pair);
  const topics = {
    names: ['all', 'few', 'many'],
    pairsOf: (_arm: Arm, name: number) => [[...ten, ...ten.map((pair) => pair + 10)], ten, ten.map((pair) => pair + 10)][name],
  };
  const measures = doseMeasures([curve], [0, 1], topics, 'by hand');
  // Both doses are met exactly: logit ln(1/9) at 0, ln(9) at 1 crosses 0 half-way; ln(12/8) of all crosses at ln 9 / (ln 9 + ln 1.5).
  const of = (name: string) => Array.from(measures[name].data).slice(0, 3);
  expectClose(of('threshold'), [Math.log(9) / (Math.log(9) + Math.log(1.5)), NaN, 0.5], { relative: 0, absolute: 1e-9 }, 'threshold');
  expect(of('thresholdState')).toEqual([3, 4, 3]);
  // ANSWER never comes.
  expect(Array.from(measures.thresholdState.data).slice(3)).toEqual([0, 0, 0]);
  expectClose(Array.from(measures.outcomes.data).slice(0, 4), [0.1, 0, 0, 0.9], { relative: 0, absolute: 1e-12 }, 'shares');
});
