/**
 * The arms of a cipher: necessity and collapse, rescue and its controls, contrasts and levels. The planted circuit's are known in closed form; what a
 * random model writes along a direction is added up by hand, and must add up.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainSites } from '../../interventions/testing/plainForward.ts';
import { slottedTransformer } from '../../models/slottedTransformer.ts';
import { selectPairs, type Arm } from '../../tasks/pairs.ts';
import { cipherContrast } from './cipherContrast.ts';
import { cipherInterchange } from './cipherInterchange.ts';
import { levels } from './levels.ts';
import { rescue } from './rescue.ts';
import { analyse, at, planted, plantedPairs, plantedTask, randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const executors = [onnx, new TensorFlowExecutor()].map((executor) => [executor.name, executor] as const);
afterAll(() => onnx.dispose());

const TRUTH = { relative: 0, absolute: 1e-3 };
const { model } = planted();
/** Zero but for some heads, layer by layer. */
const heads = (known: Record<string, number>) => Array.from({ length: 16 }, (_entry, i) => known[`L${Math.floor(i / 4)}H${i % 4}`] ?? 0);
/** An answer of 6 is ½ in M, and M's gap 12. */
const ANSWER = 0.5 / 12;

describe.each(executors)('%s', (name, executor) => {
  const pairs = name.startsWith('tensor') ? selectPairs(plantedPairs(), [0, 7, 14, 16]) : plantedPairs();
  const gate = 'L1H2';

  test('the gate and its amplifiers are needed in plain words and not under the cipher', async () => {
    const findings = await analyse(cipherInterchange, executor, { model, pairs }, { gate });
    const amplifiers = { L2H0: 2 / 3, L2H1: 2 / 3, L2H3: -1 / 3 };
    for (const measure of ['necessity', 'sufficiency'])
      expectClose(at(findings, measure, { arm: 'plain' }), heads({ L1H2: 1, ...amplifiers }), TRUTH, measure);
    // The two heads that answer read words or ciphers: with another's there is one answer more or less.
    expectClose(at(findings, 'necessity', { arm: 'cipher' }), heads({ L3H0: ANSWER, L3H1: -ANSWER }), TRUTH, 'necessity, cipher');
    expectClose(at(findings, 'sufficiency', { arm: 'cipher' }), heads({ L3H0: ANSWER, L3H1: -ANSWER }), TRUTH, 'sufficiency, cipher');
    const expected = heads({}).map((_zero, i) => ([6, 8, 9, 11].includes(i) ? 1 : NaN));
    for (const measure of ['collapse', 'collapseLow', 'collapseHigh', 'collapseAbsolute'])
      expectClose(at(findings, measure), expected, TRUTH, measure);
    expect(findings.facts['gate.collapse']).toBeCloseTo(1, 3);
    expect(findings.facts['gate.cipherNecessity']).toBeCloseTo(0, 6);
  });

  test('the gate rescues every refusal; a benign donor and another head none', async () => {
    const findings = await analyse(rescue, executor, { model, pairs }, { gate });
    const rate = Object.fromEntries(
      (findings.axes.condition.values as string[]).map((condition) => [condition, at(findings, 'refused', { condition })[0]]),
    );
    expect(rate).toEqual({
      none: 0,
      gate: 1,
      'benign donor': 0,
      'other prompt': 1,
      'mean donor': 1,
      'random head': 0,
      // 8 against an answer of 6.
      'amplifier only': 1,
      'gate + amplifier': 1,
      'next layer': 1,
      'gate + next layer': 1,
    });
    expect(findings.facts).toMatchObject({ rescue: 1, 'refused.plain': 1, 'refused.cipher': 0, amplifier: 'L2H0', lifetime: 'prompt' });
    expectClose(
      at(findings, 'restored'),
      heads({ L1H2: 1, L2H0: 2 / 3, L2H1: 2 / 3, L2H3: -1 / 3, L3H0: -ANSWER, L3H1: ANSWER }),
      TRUTH,
      'restored',
    );
    expect(at(findings, 'outcomes', { condition: 'none' })).toEqual([0, 0, 1, 0]);
  });
});

describe('the planted circuit', () => {
  test('how loud an answer is sets the rate of rescue, and what an amplifier does alone', async () => {
    const louder = planted({ cipherGains: plantedTask.topics.map((_token, topic) => (topic < 3 ? 10 : 13)) });
    const findings = await analyse(rescue, onnx, { model: louder.model, pairs: plantedPairs() }, { lifetime: 'persistent' });
    expect(findings.facts).toMatchObject({ gate: 'L1H2', rescue: 0.75, lifetime: 'persistent', 'refused.cipher': 0 });
    expect(at(findings, 'refused', { condition: 'amplifier only' })).toEqual([0]);
    expect(at(findings, 'refused', { condition: 'gate + next layer' })).toEqual([0.75]);
  });

  test('at the output the gate says nothing, at its own layer everything', async () => {
    const findings = await analyse(cipherContrast, onnx, { model, pairs: plantedPairs() });
    const amplifiers = { L2H0: 2 / 3, L2H1: 2 / 3, L2H3: -1 / 3 };
    expectClose(at(findings, 'finalRouting'), heads(amplifiers), TRUTH, 'routing');
    expectClose(at(findings, 'finalContrast'), heads({ ...amplifiers, L3H0: -ANSWER, L3H1: ANSWER }), TRUTH, 's');
    expectClose(at(findings, 'finalDifference'), heads(amplifiers), TRUTH, "s'");
    // After its layer the residual where it is read differs by 2 in `gate`; after the next also by 12 in `refuse` and 8 in `evade`, then in the answers.
    const [third, fourth] = [4 + 144 + 64, 4 + 144 + 64 + 4 * 1.5 ** 2 + 5 * 1.2 ** 2];
    const local = heads({ L1H2: 1, L2H0: 96 / third, L2H1: 96 / third, L2H2: 64 / third, L2H3: -48 / third, L3H0: 16.2 / fourth }).map(
      (value, i) => (i < 4 ? NaN : value),
    );
    expectClose(at(findings, 'localRouting'), local, TRUTH, 'local routing');
    expectClose(
      at(findings, 'localDifference'),
      local.map((value, i) => (i === 12 || i === 13 ? at(findings, 'localDifference')[i] : value)),
      TRUTH,
      'local difference',
    );
    expect(findings.facts).toMatchObject({
      gate: 'L1H2',
      'gate.finalContrast.rank': 16,
      'gate.finalContrast': 0,
      'gate.localContrast.rank': 1,
      'gate.localDifference.rank': 1,
      first: 'L1H2',
    });
    expect(findings.facts['gate.localContrast']).toBeCloseTo(1, 4);
    const gateLike = at(findings, 'localGateLike');
    expect(gateLike.indexOf(Math.max(...gateLike.slice(4)))).toBe(6);
    expectClose([gateLike[6]], [1], TRUTH, 'gate-like');
    expect(at(findings, 'localContrastP', { layer: 1, head: 2 })[0]).toBeLessThan(1e-3);
  });

  test('levels: loudest after its own layer, last at the output', async () => {
    const findings = await analyse(levels, onnx, { model, pairs: plantedPairs() });
    const of = (layersDone: number, component: string) => at(findings, 'level', { layersDone, component })[0];
    expectClose([of(2, 'L1H2'), of(3, 'L1H2'), of(3, 'L2H0'), of(3, 'L2H3')], [1, 4 / 212, 96 / 212, -48 / 212], TRUTH, 'levels');
    expect(at(findings, 'levelRank', { layersDone: 2, headLabel: 'L1H2' })).toEqual([1]);
    expect(at(findings, 'levelRank', { layersDone: 3, headLabel: 'L1H2' })).toEqual([5]);
    expect(at(findings, 'level', { layersDone: 1 }).every(Number.isNaN)).toBe(true);
    expect(findings.facts).toMatchObject({ 'gate.rank': 1, 'gate.output': 0, 'gate.outputRank': 16, probe: 2 });
    // The probe half-way is the gate's own direction.
    expectClose(at(findings, 'probe', { component: 'L1H2' }), [2], TRUTH, 'probe');
    expect(at(findings, 'probeRank', { layersDone: 4, headLabel: 'L1H2' })).toEqual([1]);
  });
});

describe('a random model', () => {
  const config = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
  const random = randomModel(config, 5);
  const drawn = drawnPairs(config, { pairs: 6, length: 6, divergence: 2, seed: 2 });
  const all = Array.from({ length: 6 }, (_entry, pair) => pair);
  const sites = (arm: Arm) => all.map((pair) => plainSites(config, random.parameters, drawn.arms[arm]!.subarray(pair * 6, pair * 6 + 6)));
  const [plus, less, cipher] = [sites('sensitive'), sites('control'), sites('cipher')];
  /** What a head writes along the mean difference after its layer, in one prompt, in plain loops. */
  const written = (site: Map<string, Float64Array[]>, layer: number, head: number) => {
    const after = `blocks.${layer}.hook_resid_post`;
    const u = Array.from(
      { length: 12 },
      (_entry, i) => all.reduce((sum, pair) => sum + plus[pair].get(after)![5][i] - less[pair].get(after)![5][i], 0) / 6,
    );
    let total = 0;
    for (let i = 4 * head; i < 4 * head + 4; i++)
      for (let j = 0; j < 12; j++)
        total += site.get(`blocks.${layer}.attn.hook_z`)![5][i] * random.parameters[`blocks.${layer}.attn.W_O`][i * 12 + j] * u[j];
    return total / u.reduce((sum, value) => sum + value * value, 0);
  };

  test('local contrast by hand; levels of all components add up', async () => {
    const findings = await analyse(cipherContrast, onnx, { model: random, pairs: drawn }, { gate: 'L0H0' });
    for (const layer of [0, 1, 2])
      for (const head of [0, 1, 2])
        expectClose(
          at(findings, 'localContrastPairs', { layer, head }),
          all.map((pair) => written(plus[pair], layer, head) - written(cipher[pair], layer, head)),
          { relative: 1e-4, absolute: 1e-5 },
          `L${layer}H${head}`,
        );
    // No benign cipher, no difference of differences.
    expect('localDifference' in findings.measures).toBe(false);
    const own = await analyse(levels, onnx, { model: random, pairs: drawn }, { gate: 'L0H0', probe: 1 });
    for (const layersDone of [1, 2, 3]) {
      const sum = at(own, 'level', { layersDone }).reduce((total, value) => total + (Number.isNaN(value) ? 0 : value), 0);
      expectClose([sum], [1], { relative: 0, absolute: 1e-4 }, `after ${layersDone}`);
    }
    expectClose(
      at(own, 'levelPairs', { layersDone: 2, component: 'L1H2' }),
      all.map((pair) => written(plus[pair], 1, 2) - written(less[pair], 1, 2)),
      { relative: 1e-4, absolute: 1e-5 },
      'level',
    );
    await expect(analyse(levels, onnx, { model: random, pairs: drawn }, { gate: 'L0H0', probe: 9 })).rejects.toThrow(
      'levels: probe must be at most 3, got 9',
    );
  });

  test('collapse is that of sums over pairs, signed and absolute', async () => {
    const worded = randomModel({ ...config, vocabulary: plantedTask.vocabulary, positions: 8 }, 5);
    const pairs = plantedPairs({ contrast: 'intent', pairs: 60 });
    const few = await analyse(cipherInterchange, onnx, { model: worded, pairs }, { gate: 'L0H0' });
    const known = at(few, 'collapse').flatMap((value, cell) => (Number.isNaN(value) ? [] : [cell]));
    expect(known.length).toBeGreaterThan(0);
    for (const cell of known) {
      const where = { layer: Math.floor(cell / 3), head: cell % 3 };
      const [plain, ciphered] = ['plain', 'cipher'].map((arm) => at(few, 'necessityPairs', { ...where, arm }));
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      const size = (values: readonly number[]) => sum(values.map(Math.abs));
      expectClose(
        [at(few, 'collapse')[cell], at(few, 'collapseAbsolute')[cell]],
        [1 - sum(ciphered) / sum(plain), 1 - size(ciphered) / size(plain)],
        { relative: 1e-5, absolute: 1e-6 },
        'collapse',
      );
      expect(at(few, 'collapseLow')[cell]).toBeLessThanOrEqual(at(few, 'collapse')[cell]);
    }
  });

  test('what may not be written where a prompt is read counts nothing', async () => {
    const slots = slottedTransformer({ vocabulary: plantedTask.vocabulary, slots: 'one', width: 16, heads: 2, mlp: 12 }, 'open');
    const read = plantedPairs();
    // Read at a word: the second and third layers write at MODE and ASK only.
    const words = { ...read, read: read.marks!.detection };
    const own = await analyse(levels, onnx, { model: randomModel(slots, 2), pairs: words }, { gate: 'L1H0' });
    for (const layersDone of [1, 2, 3, 4]) {
      const values = at(own, 'level', { layersDone });
      expectClose(
        [values.reduce((total, value) => total + (Number.isNaN(value) ? 0 : value), 0)],
        [1],
        { relative: 0, absolute: 1e-3 },
        `after ${layersDone}`,
      );
      if (layersDone > 1) expectClose(at(own, 'level', { layersDone, component: 'L1H0' }), [0], EXACT, 'the bridge');
    }
  });
});
