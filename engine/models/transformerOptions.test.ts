/** Every option of the transformer, alone and drawn together, against plain loops in double precision, by both executors; gradients; mistakes. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import { gradient, multiply, sum } from '../ops/index.ts';
import { parameterInputs, type Tensors } from './parameters.ts';
import { causalMask, checkRoles, transformer, transformerInputs, transformerParameters, type TransformerConfig } from './transformer.ts';
import { drawnConfig, drawnRoles } from './testing/drawnConfig.ts';
import { BASE, options, READS, ROLES } from './testing/options.ts';
import { plainTransformer, randomWeights, range } from './testing/plainTransformer.ts';

/** Set GATESCOPE_SEED to look at other models. */
const SEED = Number(process.env.GATESCOPE_SEED ?? 20_260_101);

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const [ROWS, POSITIONS] = [symbol('rows'), symbol('positions')];

function build(config: TransformerConfig) {
  const graph = new Graph();
  const inputs = transformerInputs(config, graph, ROWS, POSITIONS);
  return { graph, logits: transformer(config, parameterInputs(graph, transformerParameters(config)), inputs) };
}

function feedsOf(config: TransformerConfig, weights: Tensors, tokens: Int32Array, length: number, roles: Int32Array): Feeds {
  return {
    ...Object.fromEntries(transformerParameters(config).map(({ name, shape }) => [name, { data: weights[name], shape }])),
    tokens: { data: tokens, shape: [tokens.length / length, length] },
    positions: { data: Int32Array.from(range(length)), shape: [length] },
    mask: { data: causalMask(length), shape: [length, length] },
    ...(config.roles && { roles: { data: roles, shape: [length] } }),
  };
}

/** How near a choice of experts or an exit may be to another one before rounding decides it. */
const NEAR = 1e-4;

/** Whether the logits were compared: they are not where a choice hangs on rounding. */
function check(config: TransformerConfig, seed: number, rows: number): boolean {
  const random = new Random(seed);
  const weights = randomWeights(config, random);
  const length = 1 + random.integer(config.positions);
  const tokens = Int32Array.from({ length: rows * length }, () => random.integer(config.vocabulary));
  const roles = drawnRoles(config, length, random);
  if (config.roles) checkRoles(config, roles);
  const runs = range(rows).map((row) =>
    plainTransformer(config, weights, [...tokens.subarray(row * length, (row + 1) * length)], [...roles]),
  );
  const { threshold } = config.exit ?? {};
  if (runs.some(({ margin, confidence }) => margin < NEAR || (confidence !== undefined && Math.abs(confidence - threshold!) < NEAR)))
    return false;
  const expected = runs.flatMap(({ logits }) => logits.flat());
  const scale = Math.max(...expected.map(Math.abs));
  for (const executor of executors) {
    const { logits } = evaluateOnce(executor, program({ logits: build(config).logits }), feedsOf(config, weights, tokens, length, roles));
    expect(logits.shape).toEqual([rows, length, config.vocabulary]);
    expectClose(logits.data, expected, { relative: 1e-5, absolute: 1e-5 * scale }, executor.name, logits.shape);
  }
  return true;
}

describe('logits are those of plain loops in double precision', () => {
  test.each(Object.entries(options))('%s', (_name, option) => {
    const compared = range(6).filter((seed) => check({ ...BASE, ...option }, seed, 3)).length;
    expect(compared).toBeGreaterThanOrEqual(3);
  });

  test(`drawn together (fast-check seed ${SEED})`, () => {
    let compared = 0;
    const property = fc.property(drawnConfig, fc.nat(), fc.integer({ min: 1, max: 3 }), (config, seed, rows) => {
      if (check(config, seed, rows)) compared++;
    });
    fc.assert(property, { seed: SEED, numRuns: 80 });
    expect(compared).toBeGreaterThan(60);
  });
});

/** Σ logits · slopes along random directions of the parameters: by the graph's gradient, and by differences of plain loops. */
function checkGradient(config: TransformerConfig, seed: number): boolean {
  const random = new Random(seed);
  const weights = randomWeights(config, random);
  const length = config.positions;
  const tokens = Int32Array.from({ length }, () => random.integer(config.vocabulary));
  const roles = drawnRoles(config, length, random);
  const slopes = new Float32Array(length * config.vocabulary);
  random.fillNormal(slopes, 0, 1);
  const run = plainTransformer(config, weights, [...tokens], [...roles]);
  if (run.margin < NEAR || Math.abs((run.confidence ?? 2) - (config.exit?.threshold ?? 0)) < NEAR) return false;

  const { graph, logits } = build(config);
  const loss = sum(multiply(logits, graph.input('slopes', logits.shape)));
  const specs = transformerParameters(config);
  const slopesOf = gradient(
    loss,
    specs.map(({ name }) => graph.inputs.get(name)!),
  );
  const outputs = Object.fromEntries(specs.map(({ name }, i) => [`d.${name}`, slopesOf[i]]));
  const directions = Object.fromEntries(
    specs.map(({ name }) => {
      const direction = new Float32Array(weights[name].length);
      random.fillNormal(direction, 0, 1);
      return [name, direction];
    }),
  );
  /** Σ logits · slopes with one parameter moved along its direction, in double precision. */
  const moved = (name: string, step: number): number => {
    const there = Float64Array.from(weights[name], (entry, i) => entry + step * directions[name][i]);
    const { logits: rows } = plainTransformer(config, { ...weights, [name]: there as never }, [...tokens], [...roles]);
    return rows.flat().reduce((total, logit, i) => total + logit * slopes[i], 0);
  };
  const expected = specs.map(({ name }) => (moved(name, 1e-5) - moved(name, -1e-5)) / 2e-5);
  const scale = Math.max(...expected.map(Math.abs));
  for (const executor of executors) {
    const made = evaluateOnce(executor, program(outputs), {
      ...feedsOf(config, weights, tokens, length, roles),
      slopes: { data: slopes, shape: [1, length, config.vocabulary] },
    });
    const actual = specs.map(({ name }) => directions[name].reduce((total, entry, i) => total + entry * made[`d.${name}`].data[i], 0));
    expectClose(actual, expected, { relative: 0, absolute: 1e-4 * scale }, `${executor.name}: ${specs.map(({ name }) => name).join()}`);
  }
  return true;
}

describe('gradients are slopes of plain loops', () => {
  test.each(Object.entries(options))('%s', (_name, option) => {
    const config = { ...BASE, layers: 2, ...option };
    const fitted = {
      ...config,
      ...(config.reads && { reads: config.reads.slice(0, 2) }),
      ...(config.writes && { writes: config.writes.slice(0, 2) }),
      ...(config.exit && { exit: { ...config.exit, after: 0 } }),
    };
    expect(range(3).some((seed) => checkGradient({ ...fitted, positions: 4 }, seed))).toBe(true);
  });
});

describe('wrong options are named', () => {
  const all = range(3).map(() => range(4).map(() => range(3).map(() => [true, true, true])));
  test.each<[string, Partial<TransformerConfig>, RegExp]>([
    ['a width of heads that is none', { headWidth: 0 }, /^transformer: headWidth must be a positive integer, got 0$/],
    ['groups that do not come out even', { keyValueHeads: 3 }, /^transformer: keyValueHeads must divide the heads 4, got 3$/],
    ['an unknown norm', { normalisation: 'batch' as never }, /^transformer: normalisation must be one of layer, rms, none, got "batch"$/],
    ['an epsilon of nothing', { epsilon: 0 }, /^transformer: epsilon must be a number > 0, got 0$/],
    ['unknown positions', { positional: { kind: 'alibi' } as never }, /^transformer: positional must be one of learned, rotary, none/],
    ['odd heads that are to rotate', { width: 12, positional: { kind: 'rotary', base: 9 } }, /headWidth must be even with rotary.* got 3$/],
    ['a base of nothing', { positional: { kind: 'rotary', base: NaN } }, /^transformer: positional\.base must be a number > 0/],
    ['an unknown activation', { activation: 'swish' as never }, /^transformer: activation must be one of gelu, silu-gated, relu/],
    ['half tied', { tied: 1 as never }, /^transformer: tied must be one of true, false, got 1$/],
    ['a scale of 0', { scale: 0 }, /^transformer: scale/],
    ['reads without roles', { reads: all }, /^transformer: reads must have roles to speak of/],
    ['no roles', { roles: [] }, /^transformer: roles must be names/],
    ['a role twice', { roles: ['a', 'a'] }, /^transformer: roles must name each role once/],
    ['reads of fewer layers', { roles: ROLES, reads: all.slice(1) }, /^transformer: reads must be a list of 3, got 2$/],
    [
      'reads of fewer heads',
      { roles: ROLES, reads: [...all.slice(1), all[0].slice(1)] },
      /^transformer: reads\[2\] must be a list of 4, got 3$/,
    ],
    ['reads of other roles', { roles: ['a', 'b'], reads: all }, /^transformer: reads\[0\]\[0\] must be a list of 2, got 3$/],
    [
      'writes of other roles',
      { roles: ROLES, writes: range(3).map(() => ({ attention: [true], mlp: [] })) },
      /writes\[0\]\.attention must be/,
    ],
    [
      'flags that are numbers',
      { roles: ROLES, writes: range(3).map(() => ({ attention: [1, 0, 1] as never, mlp: [] })) },
      /true and false, got 1/,
    ],
    [
      'more experts chosen than there are',
      { experts: { count: 2, chosen: 3 } },
      /^transformer: experts\.chosen must be an integer in \[1, 2\], got 3$/,
    ],
    [
      'an exit after the last layer',
      { exit: { after: 2, threshold: 0.5 } },
      /^transformer: exit\.after must be an integer in \[0, 1\], got 2$/,
    ],
    ['an exit from one layer', { layers: 1, exit: { after: 0, threshold: 0.5 } }, /^transformer: exit must have a layer after it/],
    [
      'a threshold that is no probability',
      { exit: { after: 0, threshold: 2 } },
      /^transformer: exit\.threshold must be a probability, got 2$/,
    ],
  ])('%s', (_name, wrong, message) => {
    expect(() => transformerParameters({ ...BASE, ...wrong })).toThrow(UserError);
    expect(() => transformerParameters({ ...BASE, ...wrong })).toThrow(message);
  });

  test('roles that are not there, or leave somebody with nothing to read', () => {
    const config: TransformerConfig = { ...BASE, roles: ROLES, reads: READS };
    expect(() => checkRoles(config, Int32Array.of(0, 3))).toThrow(/role of position 1 must be in \[0, 2\], got 3/);
    const alone = READS.map((ofLayer) =>
      ofLayer.map(() => [
        [true, true, true],
        [true, false, false],
        [true, true, true],
      ]),
    );
    expect(() => checkRoles({ ...config, reads: alone }, Int32Array.of(1, 0))).toThrow(
      /reads\[0\]\[0\] must let position 0 read something/,
    );
    expect(() => checkRoles({ ...config, reads: alone }, Int32Array.of(0, 1, 2))).not.toThrow();
    const graph = new Graph();
    const { roles: _roles, ...inputs } = transformerInputs(config, graph, ROWS, POSITIONS);
    expect(() => transformer(config, parameterInputs(graph, transformerParameters(config)), inputs)).toThrow(
      /^transformer: roles must be an input/,
    );
  });
});
