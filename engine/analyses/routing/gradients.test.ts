/** Gradients of the metric against finite differences of whole runs, edges against the chain rule, and rank agreement against its definition. */
import { afterAll, describe, expect, test } from 'vitest';
import { ranksOf, spearman } from '../../base/inference/rankAgreement.ts';
import { expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import type { TensorData } from '../../graph/program.ts';
import { metricOf } from '../../interventions/effects.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites, type Hook } from '../../interventions/testing/plainForward.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import { headOutput } from '../../models/sites.ts';
import { BASE, options, ROLES } from '../../models/testing/options.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { attributionPatching } from './attributionPatching.ts';
import { edgeAttributionPatching } from './edgeAttributionPatching.ts';
import { EdgeScores } from './edgeScores.ts';
import { MetricGradients } from './gradients.ts';
import { interchange } from './swaps.ts';
import { RunSteps } from './heads.ts';
import { analyse, at, randomModel } from './testing/subjects.ts';
import { unevenNorms } from './testing/unevenNorms.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const pairsFor = (config: TransformerConfig): PairSet => ({
  ...drawnPairs(config, { pairs: 4, length: 5, divergence: 1, seed: 4 }),
  roles: Int32Array.of(0, 1, 2, 1, 2),
  roleNames: ROLES,
});
const runnerOf = (model: ReturnType<typeof randomModel>) => new WholeRunner(onnx, model);

test('the gradient at a head is the slope of M there, by central differences of whole runs', async () => {
  const config = { ...BASE, ...options.llama };
  const model = unevenNorms(randomModel(config, 3));
  const pairs = pairsFor(config);
  const gradients = new MetricGradients(onnx, model, pairs);
  const site = headOutput(1);
  const found: TensorData[] = [];
  for (const chunk of gradients.chunks)
    found.push(gradients.run({ gradients: [site], values: [] }, 'sensitive', chunk).gradients.get(site)!);
  gradients.dispose();
  expect(found).toHaveLength(1);
  const [{ data, shape }] = found;
  const [, length, heads, size] = shape;
  const runner = runnerOf(model);
  const vector = Float32Array.from({ length: size }, (_entry, i) => Math.cos(3 * i + 1));
  const step = 0.02;
  const effects = await runner.run(
    pairs,
    'sensitive',
    [step, -step].map((amount) => ({ id: String(amount), writes: [{ site, index: 2, positions: [3], op: 'add', vector, amount }] })),
  );
  runner.dispose();
  const slopes = Array.from({ length: pairs.pairs }, (_entry, pair) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += vector[i] * data[((pair * length + 3) * heads + 2) * size + i];
    return sum;
  });
  const [up, down] = [step, -step].map((amount) => metricOf(effects, 'difference', String(amount)));
  expectClose(
    slopes,
    Array.from(up, (value, pair) => (value - down[pair]) / (2 * step)),
    { relative: 5e-3, absolute: 1e-4 },
    'slopes',
  );
});

test('integrated over activations, the heads of a layer add up to what swapping the layer does', async () => {
  const config = { ...BASE };
  const model = unevenNorms(randomModel(config, 5));
  const pairs = pairsFor(config);
  const findings = await analyse(attributionPatching, onnx, { model, pairs }, { positions: 'all', steps: 40 });
  const runner = runnerOf(model);
  const layers = [0, 1, 2].map((layer) => ({ id: `L${layer}`, heads: [0, 1, 2, 3].map((head) => ({ layer, head })) }));
  const context = {
    signal: new AbortController().signal,
    progress: () => undefined,
    breathe: async () => undefined,
    executor: onnx,
    runner: () => runner,
  };
  const { necessity } = await interchange(runner, pairs, layers, 'all', { steps: new RunSteps('test', context, 2) });
  runner.dispose();
  const effects = at(findings, 'estimatePairs', { method: 'activations' });
  for (const [layer] of layers.entries())
    for (let pair = 0; pair < 4; pair++) {
      const sum = [0, 1, 2, 3].reduce((total, head) => total + effects[(layer * 4 + head) * 4 + pair], 0);
      expectClose([sum], [necessity[layer * 4 + pair]], { relative: 5e-3, absolute: 2e-3 }, `layer ${layer}, pair ${pair}`);
    }
});

describe.each(
  [
    'the default',
    'grouped queries',
    'rms norm',
    'no norm',
    'rotary',
    'silu-gated',
    'relu',
    'read masks',
    'write masks',
    'llama',
    'a large epsilon',
  ].map((name) => [name, { ...BASE, ...options[name] }] as const),
)('edges: %s', (_name, config) => {
  test('what leaves a head, summed over all that read it, is its whole first-order effect', () => {
    const model = unevenNorms(randomModel(config, 3));
    const pairs = pairsFor(config);
    const edges = new EdgeScores(model, pairs);
    const gradients = new MetricGradients(onnx, model, pairs);
    const layers = [0, 1, 2];
    const sites = layers.map(headOutput);
    const [chunk] = gradients.chunks;
    const plus = gradients.run({ gradients: [...edges.gradients, ...sites], values: edges.values }, 'sensitive', chunk);
    const minus = gradients.run({ gradients: [], values: edges.values }, 'control', chunk).values;
    gradients.dispose();
    const scores = new Float64Array(edges.senders.length * edges.readers.length * 4);
    edges.add(scores, chunk, { plus: plus.values, minus, base: plus.values, slopes: plus.gradients }, 1);
    edges.senders.forEach(({ layer, head }, s) => {
      const { data: slope, shape } = plus.gradients.get(sites[layer])!;
      const [one, other] = [plus.values.get(sites[layer])!.data, minus.get(sites[layer])!.data];
      const [, length, heads, size] = shape;
      for (let row = 0; row < 4; row++) {
        let whole = 0;
        for (let position = 0; position < length; position++)
          for (let i = 0; i < size; i++) {
            const k = ((row * length + position) * heads + head) * size + i;
            whole += (one[k] - other[k]) * slope[k];
          }
        let sum = 0;
        for (let r = 0; r < edges.readers.length; r++) sum += scores[(s * edges.readers.length + r) * 4 + chunk[row]];
        expectClose([sum], [whole], { relative: 1e-3, absolute: 1e-5 }, `L${layer}H${head}, row ${row}`);
      }
    });
  });
});

test('an edge to the logits is what a head writes there, and nothing that MLPs on the way make of it', async () => {
  const config = { ...BASE, layers: 2 };
  const model = unevenNorms(randomModel(config, 6));
  const pairs = pairsFor(config);
  const findings = await analyse(edgeAttributionPatching, onnx, { model, pairs }, { steps: 1, exact: 1000 });
  const { width, heads } = config;
  const size = width / heads;
  const tokens = (arm: 'sensitive' | 'control', pair: number) => pairs.arms[arm].subarray(pair * 5, pair * 5 + 5);
  const [layer, head] = [0, 1];
  const expected = Array.from({ length: pairs.pairs }, (_entry, pair) => {
    const [plus, minus] = (['sensitive', 'control'] as const).map(
      (arm) => plainSites(config, model.parameters, tokens(arm, pair)).get(headOutput(layer))![pairs.read[pair]],
    );
    const M = (hook?: Hook) => {
      const logits = plainForward(config, model.parameters, tokens('sensitive', pair), hook)[pairs.read[pair]];
      const { positive, negative } = pairs.metric;
      return (logits[positive.tokens[2 * pair]] + logits[positive.tokens[2 * pair + 1]]) / 2 - logits[negative.tokens[pair]];
    };
    const without: Hook = (site, values) => {
      if (site !== 'blocks.1.hook_resid_post') return;
      for (let i = head * size; i < (head + 1) * size; i++)
        for (let j = 0; j < width; j++)
          values[pairs.read[pair]][j] += (minus[i] - plus[i]) * model.parameters[`blocks.${layer}.attn.W_O`][i * width + j];
    };
    return M() - M(without);
  });
  expectClose(at(findings, 'exactPairs', { sender: 'L0H1', reader: 'logits' }), expected, { relative: 1e-3, absolute: 1e-5 }, 'edge');
});

test('ranks take ties at their mean, and agree as far as Pearson says of them', () => {
  expect([...ranksOf([3, 1, 3, 2])]).toEqual([3.5, 1, 3.5, 2]);
  expect(spearman([1, 2, 3, 4], [10, 20, 30, 1000])).toBeCloseTo(1, 12);
  expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
  // Σd² = 4 of 5 without ties: 1 − 6·4/(5·24).
  expect(spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(0.8, 12);
  expect(spearman([1, 1], [1, 2])).toBeNaN();
  expect(() => spearman([1], [1, 2])).toThrow('spearman: values must be as many in both');
});
