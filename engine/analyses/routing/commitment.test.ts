/** Commitment: the planted circuit's layers are known; a random model's curves and lens are found by forwards in plain loops. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites, type Hook } from '../../interventions/testing/plainForward.ts';
import { commitment } from './commitment.ts';
import { analyse, at, planted, plantedPairs, randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const executors = [onnx, new TensorFlowExecutor()].map((executor) => [executor.name, executor] as const);
afterAll(() => onnx.dispose());

const TRUTH = { relative: 0, absolute: 1e-3 };

describe.each(executors)('%s', (_name, executor) => {
  test('the planted circuit commits to the route when its gate has been read, and to the answer in its last layer', async () => {
    const { model } = planted();
    const findings = await analyse(commitment, executor, { model, pairs: plantedPairs() });
    for (const way of ['Noising', 'Denoising']) {
      expectClose(at(findings, `route${way}`), [0, 0, 1, 1, 1], TRUTH, `route, ${way}`);
      expectClose(at(findings, `content${way}`), [0, 0, 0, 0, 1], TRUTH, `content, ${way}`);
    }
    expect(findings.facts).toMatchObject({ 'commit.route': 2, 'commit.content': 4, 'commit.route.denoising': 2, earlyCommitment: 0.5 });
    // The refusal is written by the third layer, the answer (6, a twelfth of it in M) by the fourth.
    expectClose(at(findings, 'lens', { arm: 'sensitive' }), [0, 0, 0, 12, 11.5], TRUTH, 'lens of sensitive');
    expectClose(at(findings, 'lens', { arm: 'control' }), [0, 0, 0, 0, -0.5], TRUTH, 'lens of control');
    expectClose(at(findings, 'lensShare'), [0, 0, 0, 1, 1], TRUTH, 'share');
    expect(at(findings, 'routeNoisingP')).toEqual([1, 1, ...at(findings, 'routeNoisingP').slice(2)]);
    expect(Math.max(...at(findings, 'routeNoisingP').slice(2))).toBeLessThan(1e-3);
  });
});

test('moved to other layers, it commits there; where the words stand, the mirror image', async () => {
  const { model } = planted({ mover: 1, gateLayer: 3, amplifierLayer: 4, layers: 7 });
  const { facts } = await analyse(commitment, onnx, { model, pairs: plantedPairs() });
  expect(facts).toMatchObject({ 'commit.route': 4, 'commit.content': 6 });
  expect(facts.earlyCommitment).toBeCloseTo(1 / 3, 12);
  const mirror = await analyse(commitment, onnx, { model: planted().model, pairs: plantedPairs() }, { positions: 'content' });
  expectClose(at(mirror, 'routeNoising'), [1, 1, 0, 0, 0], TRUTH, 'content positions');
});

describe('a random model', () => {
  const config = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
  const model = randomModel(config, 1);
  const pairs = drawnPairs(config, { pairs: 6, length: 6, divergence: 2, seed: 2 });
  const all = Array.from({ length: pairs.pairs }, (_entry, pair) => pair);
  const tokens = (arm: 'sensitive' | 'control', pair: number) => pairs.arms[arm].subarray(pair * 6, pair * 6 + 6);
  const sites = (arm: 'sensitive' | 'control') => all.map((pair) => plainSites(config, model.parameters, tokens(arm, pair)));
  const donors = { sensitive: sites('sensitive'), control: sites('control') };
  const M = (pair: number, arm: 'sensitive' | 'control', hook?: Hook) => {
    const logits = plainForward(config, model.parameters, tokens(arm, pair), hook)[5];
    const { positive, negative } = pairs.metric;
    return (logits[positive.tokens[2 * pair]] + logits[positive.tokens[2 * pair + 1]]) / 2 - logits[negative.tokens[pair]];
  };
  const site = (done: number) => (done === 0 ? 'blocks.0.hook_resid_pre' : `blocks.${done - 1}.hook_resid_post`);

  test('curves and lens by hand; without answers no content', async () => {
    const findings = await analyse(commitment, onnx, { model, pairs });
    const gap = all.reduce((sum, pair) => sum + Math.abs(M(pair, 'sensitive') - M(pair, 'control')), 0) / all.length;
    const close = { relative: 0, absolute: 1e-5 * gap };
    for (let done = 0; done <= 3; done++) {
      const put =
        (into: string, from: Float64Array): Hook =>
        (name, values) => {
          if (name === into) values[5].set(from);
        };
      const swapped = (base: 'sensitive' | 'control', donor: 'sensitive' | 'control') =>
        all.map((pair) => M(pair, base, put(site(done), donors[donor][pair].get(site(done))![5])) - M(pair, base));
      expectClose(
        at(findings, 'routeNoisingPairs', { layersDone: done }),
        swapped('sensitive', 'control').map((x) => -x),
        close,
        `noising ${done}`,
      );
      expectClose(at(findings, 'routeDenoisingPairs', { layersDone: done }), swapped('control', 'sensitive'), close, `denoising ${done}`);
      for (const arm of ['sensitive', 'control'] as const)
        expectClose(
          at(findings, 'lensPairs', { arm, layersDone: done }),
          all.map((pair) => M(pair, arm, put(site(3), donors[arm][pair].get(site(done))![5]))),
          close,
          `lens ${arm} ${done}`,
        );
    }
    expect(Object.keys(findings.measures).some((name) => name.startsWith('content'))).toBe(false);
    expect(findings.facts['content.pairs']).toMatch(/^none: the pairs do not say/);
    expect(findings.facts.earlyCommitment).toBeNaN();
  });
});

test('arms that are the same have no gap: shares are refused, with the number', async () => {
  const pairs = plantedPairs();
  const same = { ...pairs, arms: { sensitive: pairs.arms.control, control: pairs.arms.control } };
  const findings = await analyse(commitment, onnx, { model: planted().model, pairs: same });
  expect(findings.facts.denominator).toMatch(/^refused: .* = 0.000 logits, .* contains 0/);
  expect(at(findings, 'routeNoising').every(Number.isNaN)).toBe(true);
  expect(findings.facts['commit.route']).toBeNaN();
});
