/** Direct effects: complete for every option of the transformer, each as plain loops have it, and the traps of the frozen scale. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { UserError } from '../../base/errors.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { metricOf } from '../../interventions/effects.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites } from '../../interventions/testing/plainForward.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import { BASE, options, ROLES } from '../../models/testing/options.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { DirectEffects, incompleteness, requireComplete, sharesOf } from './components.ts';
import { randomModel } from './testing/subjects.ts';
import { unevenNorms } from './testing/unevenNorms.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const pairsFor = (config: TransformerConfig): PairSet => ({
  ...drawnPairs(config, { pairs: 5, length: 6, divergence: 2, seed: 4 }),
  roles: Int32Array.of(0, 1, 2, 1, 1, 2),
  roleNames: ROLES,
  // Read at two different places.
  read: Int32Array.of(5, 5, 4, 5, 4),
});

async function attributed(config: TransformerConfig) {
  const model = unevenNorms(randomModel(config, 3));
  const pairs = pairsFor(config);
  const runner = new WholeRunner(onnx, model);
  const direct = new DirectEffects(model, pairs);
  const effects = await runner.run(pairs, 'sensitive', [], { observe: direct.observe });
  runner.dispose();
  return {
    direct,
    values: direct.of(effects.baseObserved),
    metric: metricOf(effects, 'difference'),
    pairs,
    observed: effects.baseObserved,
  };
}

describe.each(Object.entries({ 'the default': {}, ...options }))('%s', (name, given) => {
  test('components add up to the metric', async () => {
    const { values, metric } = await attributed({ ...BASE, ...given });
    const size = Math.max(...metric.map(Math.abs));
    const error = incompleteness(values, metric) / size;
    // A row that leaves early does not take its logits from the last residual: then it does not add up, and is refused.
    if (name === 'an early exit all take' || name === 'an early exit some take') {
      expect(error).toBeGreaterThan(1e-3);
      expect(() => requireComplete('test', error, 1)).toThrow(UserError);
    } else expect(error).toBeLessThan(1e-5);
  });
});

test('each component is what plain loops say', async () => {
  const config = { ...BASE };
  const { values, pairs, direct } = await attributed(config);
  const { parameters } = unevenNorms(randomModel(config, 3));
  const { width, vocabulary, heads } = config;
  const size = width / heads;
  for (let pair = 0; pair < pairs.pairs; pair++) {
    const tokens = pairs.arms.sensitive.subarray(pair * 6, pair * 6 + 6);
    const sites = plainSites(config, parameters, tokens);
    const read = pairs.read[pair];
    const { positive, negative } = pairs.metric;
    const v = Array.from({ length: width }, (_entry, i) => {
      const u = (token: number) => parameters['unembed.W_U'][i * vocabulary + token];
      return (u(positive.tokens[2 * pair]) + u(positive.tokens[2 * pair + 1])) / 2 - u(negative.tokens[pair]);
    });
    const final = sites.get('blocks.2.hook_resid_post')![read];
    const mean = final.reduce((a, b) => a + b, 0) / width;
    const deviation = Math.sqrt(final.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width + 1e-5);
    // The norm of a component alone, at that deviation: what TransformerLens' apply_ln_to_stack does.
    const through = (component: ArrayLike<number>) => {
      const own = Array.from(component).reduce((a, b) => a + b, 0) / width;
      return v.reduce((sum, entry, i) => sum + entry * ((component[i] - own) / deviation) * parameters['ln_final.w'][i], 0);
    };
    for (let layer = 0; layer < 3; layer++) {
      for (let head = 0; head < heads; head++) {
        const z = sites.get(`blocks.${layer}.attn.hook_z`)![read].subarray(head * size, (head + 1) * size);
        const wrote = Array.from({ length: width }, (_entry, j) =>
          z.reduce((sum, x, i) => sum + x * parameters[`blocks.${layer}.attn.W_O`][(head * size + i) * width + j], 0),
        );
        expectClose(
          [values[(layer * heads + head) * pairs.pairs + pair]],
          [through(wrote)],
          { relative: 1e-4, absolute: 1e-6 },
          `L${layer}H${head}`,
        );
      }
    }
    const logits = plainForward(config, parameters, tokens)[read];
    const m = (logits[positive.tokens[2 * pair]] + logits[positive.tokens[2 * pair + 1]]) / 2 - logits[negative.tokens[pair]];
    let total = 0;
    for (let c = 0; c < direct.labels.length; c++) total += values[c * pairs.pairs + pair];
    expectClose([total], [m], { relative: 1e-4, absolute: 1e-5 }, 'M in plain loops');
  }
});

test.each(['layer', 'rms'] as const)(
  'trap T1, %s norm: with the scale of a residual that is already normed nothing adds up',
  async (normalisation) => {
    const config = { ...BASE, normalisation };
    const { direct, observed, metric } = await attributed(config);
    // The last observation is the residual whose scale is frozen; a normed one has a scale of about 1.
    const normed = observed.map((data, i) =>
      i < observed.length - 1
        ? data
        : Float32Array.from(data, (value, at) => {
            const row = data.subarray(Math.floor(at / 8) * 8, Math.floor(at / 8) * 8 + 8);
            return value / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / 8);
          }),
    );
    const size = Math.max(...metric.map(Math.abs));
    const error = incompleteness(direct.of(normed), metric);
    expect(error / size).toBeGreaterThan(0.05);
    expect(() => requireComplete('test', error, size)).toThrow('test: components must add up to the metric within 0.001 of the gap');
  },
);

test('what may not be written counts nothing', async () => {
  const { values, direct, pairs } = await attributed({ ...BASE, ...options['write masks'] });
  // The read positions are content (4) and ask (5): attention of layer 1 writes at content, of the others at ask.
  const asks = Array.from(pairs.read, (read) => read === 5);
  for (const [layer, written] of [
    [0, (ask: boolean) => ask],
    [1, (ask: boolean) => !ask],
    [2, (ask: boolean) => ask],
  ] as const)
    for (let head = 0; head < 4; head++)
      asks.forEach((ask, pair) => {
        const value = values[(layer * 4 + head) * pairs.pairs + pair];
        expect([layer, head, pair, value !== 0]).toEqual([layer, head, pair, written(ask)]);
      });
  expect(direct.labels).toContain('L1 attention bias');
});

test('shares are of the sum of sizes, lifts of an equal share', () => {
  const { means, shares, lifts } = sharesOf(Float64Array.of(1, 3, -1, -1, 0, 0, 1, 1), 4);
  expect([...means]).toEqual([2, -1, 0, 1]);
  expect([...shares]).toEqual([0.5, 0.25, 0, 0.25]);
  expect([...lifts]).toEqual([2, 1, 0, 1]);
});
