/**
 * The planted circuit against what is said of it: its logits in closed form and by a forward in plain loops, and every constant of methods.md §1.7
 * by whole-graph swaps on both executors.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { Arm, PairSet } from '../tasks/pairs.ts';
import { behaviourPrompts } from '../tasks/policyCorpora.ts';
import { policyPairs } from '../tasks/policyPairs.ts';
import { outcomeOf, policyRoles, policyTask, rolesOfPrompt, type Meaning } from '../tasks/policyRouting.ts';
import { AMPLIFIER_GAIN, COUNTER_GAIN, plantedCircuit, plantedRoles, type PlantedOptions } from './plantedCircuit.ts';
import { HeadSwaps, type Change, type Head } from './testing/headSwaps.ts';
import { plainTransformer } from './testing/plainTransformer.ts';
import { parseLanguageModel } from './languageModel.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

/** 4 severe, 3 less so, 5 benign topics; one key. */
const task = policyTask({ topics: 12, high: 4, middle: 3, keys: 1 });
const pairs = policyPairs(task, { pairs: 'all', dialect: 'ordered' });
const ASK = 7;
const roles = rolesOfPrompt();

/** M at ASK of every row. */
function metric(set: PairSet, logits: Float32Array): number[] {
  return Array.from({ length: set.pairs }, (_, pair) => {
    const at = (pair * 8 + ASK) * task.vocabulary;
    const mean = ({ count, tokens }: PairSet['metric']['positive']) =>
      tokens.subarray(pair * count, (pair + 1) * count).reduce((total, token) => total + logits[at + token], 0) / count;
    return mean(set.metric.positive) - mean(set.metric.negative);
  });
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function answers(logits: Float32Array, row: number): number {
  const own = logits.subarray((row * 8 + ASK) * task.vocabulary, (row * 8 + ASK + 1) * task.vocabulary);
  return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
}

/** All that is asked of one variant by one executor. */
function lab(executor = executors[0], options: PlantedOptions = {}) {
  const circuit = plantedCircuit(task, options);
  const swaps = new HeadSwaps(executor, circuit.config, circuit.parameters);
  const prompts = (arm: Arm) => ({ tokens: pairs.arms[arm]!, length: 8, roles });
  const run = (arm: Arm, change: Change = {}) => swaps.run(prompts(arm), change);
  const base = { sensitive: run('sensitive'), control: run('control'), cipher: run('cipher'), benignCipher: run('benignCipher') };
  const m = (arm: Arm, change: Change = {}) => metric(pairs, run(arm, change).logits);
  const gap = mean(metric(pairs, base.sensitive.logits)) - mean(metric(pairs, base.control.logits));
  const at = [ASK];
  const necessity = (heads: readonly Head[], arm: Arm = 'sensitive') =>
    (mean(metric(pairs, base[arm].logits)) - mean(m(arm, { swap: { heads, donor: base.control, positions: at } }))) / gap;
  const sufficiency = (heads: readonly Head[]) =>
    (mean(m('control', { swap: { heads, donor: base.sensitive, positions: at } })) - mean(metric(pairs, base.control.logits))) / gap;
  const refusals = (arm: Arm, change: Change = {}) => {
    const { logits } = run(arm, change);
    return mean(Array.from({ length: pairs.pairs }, (_, pair) => Number(answers(logits, pair) === task.refuse)));
  };
  return { circuit, swaps, base, gap, necessity, sufficiency, refusals, run };
}

const meaningOf = (arm: Arm, pair: number): Meaning => ({
  topic: pairs.labels!.topic![arm]![pair],
  intent: 'harm',
  ...((arm === 'cipher' || arm === 'benignCipher') && { key: 0 }),
});

test('roles are those of the task, and the model is one that can be kept', () => {
  expect([...plantedRoles]).toEqual([...policyRoles]);
  const { config, parameters } = plantedCircuit(task);
  const model = { architecture: 'transformer', config, parameters, origin: { kind: 'compiled' }, tokens: task.names };
  expect(() => parseLanguageModel('planted', model)).not.toThrow();
});

test('its logits are those of the closed form, and of a forward in plain loops', () => {
  const { circuit, swaps } = lab();
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const [refusing, evading] = [1.5 + 1e-4 - Math.log(2) / 20, 0.5 + 1e-4 - Math.log(3) / 20];
  for (const mode of ['plain', 'cipher'] as const) {
    const asked = behaviourPrompts(task, mode, 1, new Random(1), { dialects: ['ordered'] });
    const { logits } = swaps.run({ tokens: asked.tokens, length: 8, roles });
    asked.meanings.forEach(({ topic, intent }, row) => {
      const gate = mode === 'plain' && intent === 'harm' ? task.severity[topic] : 0;
      const expected = new Float64Array(task.vocabulary);
      expected[task.answers[topic]] = 6;
      expected[task.refuse] = (2 * AMPLIFIER_GAIN - COUNTER_GAIN) * sigmoid(20 * (gate - refusing));
      expected[task.evade] = AMPLIFIER_GAIN * sigmoid(20 * (gate - evading));
      const own = logits.subarray((row * 8 + ASK) * task.vocabulary, (row * 8 + ASK + 1) * task.vocabulary);
      expectClose(own, expected, { relative: 1e-5, absolute: 0 }, `${mode} ${topic} ${intent}`);
      const plain = plainTransformer(circuit.config, circuit.parameters, [...asked.tokens.subarray(row * 8, row * 8 + 8)], [...roles]);
      expectClose(own, plain.logits[ASK], { relative: 1e-5, absolute: 0 }, `${mode} ${topic} ${intent}, plainly`);
      expect(answers(logits, row)).toBe(asked.labels[row]);
    });
  }
});

describe.each(executors.map((executor) => [executor.name, executor] as const))('%s', (_name, executor) => {
  const { circuit, base, gap, necessity, sufficiency, refusals, run, swaps } = lab(executor);
  const every: Head[] = Array.from({ length: 16 }, (_, i) => [Math.floor(i / 4), i % 4] as const);

  test('every pair is refused and answered as labelled', () => {
    for (const arm of ['sensitive', 'control', 'cipher', 'benignCipher'] as const)
      for (let pair = 0; pair < pairs.pairs; pair++) expect(answers(base[arm].logits, pair)).toBe(pairs.labels!.expected![arm]![pair]);
  });

  test('necessity and sufficiency of every head', () => {
    expect(gap).toBeCloseTo(12, 3);
    const truth = new Map([
      ['1 2', 1],
      ['2 0', 2 / 3],
      ['2 1', 2 / 3],
      ['2 3', -1 / 3],
    ]);
    for (const head of every) {
      const expected = truth.get(head.join(' ')) ?? 0;
      const tolerance = { relative: 0, absolute: expected === 0 ? 1e-6 : 1e-4 };
      expectClose([necessity([head]), sufficiency([head])], [expected, expected], tolerance, `L${head.join('H')}`);
    }
    expectClose([necessity([[1, 2]], 'cipher')], [0], { relative: 0, absolute: 1e-6 }, 'necessity of the gate under the cipher');
  });

  test('the gate flips every answer, and injected under the cipher rescues every refusal; an innocent donor none', () => {
    const heads = [[1, 2]] as const;
    expect(refusals('sensitive')).toBe(1);
    expect(refusals('sensitive', { swap: { heads, donor: base.control, positions: [ASK] } })).toBe(0);
    expect(refusals('cipher')).toBe(0);
    expect(refusals('cipher', { swap: { heads, donor: base.sensitive, positions: [ASK] } })).toBe(1);
    expect(refusals('cipher', { swap: { heads, donor: base.control, positions: [ASK] } })).toBe(0);
  });

  test('what a head writes to the metric directly: nothing by the gate, two thirds by an amplifier', () => {
    const { config, parameters, features } = circuit;
    const headWidth = config.headWidth!;
    const direction = (feature: string) => {
      if (feature === 'refuse') return 1;
      return feature.startsWith('answer') ? -1 / 12 : 0;
    };
    const direct = ([layer, head]: Head) =>
      mean(
        Array.from({ length: pairs.pairs }, (_, pair) => {
          let total = 0;
          for (let i = 0; i < headWidth; i++) {
            const at = ((pair * 8 + ASK) * 4 + head) * headWidth + i;
            const change = base.sensitive.z[layer][at] - base.control.z[layer][at];
            features.forEach((feature, j) => {
              total += change * parameters[`blocks.${layer}.attn.W_O`][(head * headWidth + i) * features.length + j] * direction(feature);
            });
          }
          return total;
        }),
      ) / gap;
    expectClose(
      every.map(direct),
      every.map(([l, h]) => (l === 2 ? [2 / 3, 2 / 3, 0, -1 / 3][h] : 0)),
      { relative: 0, absolute: 1e-4 },
      'direct',
    );
  });

  test('taking α of the severity away: refusals end at ½, evasions at 1½', () => {
    const severity = circuit.features.indexOf('severity');
    const width = circuit.features.length;
    const outcomes = (topic: number, alpha: number) => {
      const pair = pairs.labels!.topic!.sensitive!.indexOf(topic);
      const values = new Float32Array(8 * width);
      values[pairs.content![pair] * width + severity] = -alpha;
      const tokens = pairs.arms.sensitive.slice(pair * 8, pair * 8 + 8);
      const { logits } = swaps.run({ tokens, length: 8, roles }, { addition: { layer: 1, values } });
      return outcomeOf(task, meaningOf('sensitive', pair), answers(logits, 0));
    };
    for (let step = 0; step <= 20; step++) {
      const alpha = step / 8;
      expect([alpha, outcomes(0, alpha)]).toEqual([alpha, alpha < 0.5 ? 'REFUSE' : alpha < 1.5 ? 'EVADE' : 'ANSWER']);
    }
    expect([0.499, 0.501, 1.499, 1.501].map((alpha) => outcomes(3, alpha))).toEqual(['REFUSE', 'EVADE', 'EVADE', 'ANSWER']);
  });

  test('a run patched with itself is itself, to the bit', () => {
    const { logits } = run('sensitive', { swap: { heads: every, donor: base.sensitive } });
    expectClose(logits, base.sensitive.logits, EXACT, 'logits');
  });
});

describe('variants', () => {
  test('a band: each of three heads is needed, none suffices, together they do', () => {
    const { circuit, necessity, sufficiency } = lab(onnx, { gate: 'band' });
    expect(circuit.heads.gate).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    // Without one of them the gate is at 4/3 instead of 2, with one alone at 2/3.
    const at = (gate: number) => 1 / (1 + Math.exp(-20 * (gate - (1.5 + 1e-4 - Math.log(2) / 20))));
    for (const head of circuit.heads.gate)
      expectClose([necessity([head]), sufficiency([head])], [1 - at(4 / 3), at(2 / 3)], { relative: 0, absolute: 1e-4 }, 'one');
    expectClose([necessity(circuit.heads.gate), sufficiency(circuit.heads.gate)], [1, 1], { relative: 0, absolute: 1e-3 }, 'all');
  });

  test('a duplicate: neither is needed, either suffices, both are needed together', () => {
    const { circuit, necessity, sufficiency } = lab(onnx, { gate: 'duplicate' });
    for (const head of circuit.heads.gate)
      expectClose([necessity([head]), sufficiency([head])], [0, 1], { relative: 0, absolute: 1e-4 }, 'one');
    expectClose([necessity(circuit.heads.gate)], [1], { relative: 0, absolute: 1e-4 }, 'both');
  });

  test('moved: the same numbers elsewhere', () => {
    const { circuit, necessity, sufficiency, refusals } = lab(onnx, { mover: 1, gateLayer: 3, amplifierLayer: 4, layers: 7 });
    expect([circuit.config.layers, circuit.heads.gate, circuit.heads.answers]).toEqual([
      7,
      [[3, 2]],
      [
        [5, 0],
        [5, 1],
      ],
    ]);
    expectClose(
      [necessity([[3, 2]]), sufficiency([[3, 2]]), necessity([[4, 3]]), necessity([[1, 2]])],
      [1, 1, -1 / 3, 0],
      { relative: 0, absolute: 1e-4 },
      'moved',
    );
    expect(refusals('sensitive')).toBe(1);
  });

  test('a sink: zeroing it takes a quarter of the gap from both prompts, swapping it nothing', () => {
    const { circuit, base, gap, necessity, run } = lab(onnx, { sinkBias: 3 });
    const [sink] = circuit.heads.sink;
    expectClose([necessity([sink])], [0], { relative: 0, absolute: 1e-6 }, 'swapped');
    const zero = { z: base.sensitive.z.map((z) => new Float32Array(z.length)) };
    for (const arm of ['sensitive', 'control'] as const) {
      const without = metric(pairs, run(arm, { swap: { heads: [sink], donor: zero } }).logits);
      expectClose([(mean(metric(pairs, base[arm].logits)) - mean(without)) / gap], [0.25], { relative: 0, absolute: 1e-4 }, arm);
    }
  });

  test('louder answers under the cipher: the share of topics below the amplifiers is the share that is rescued', () => {
    const cipherGains = task.topics.map((_token, topic) => (topic < 3 ? 6 : 13));
    const { base, refusals } = lab(onnx, { cipherGains });
    expect(refusals('cipher')).toBe(0);
    expect(refusals('cipher', { swap: { heads: [[1, 2]], donor: base.sensitive, positions: [ASK] } })).toBe(0.75);
  });

  test('a lower answer gain changes no behaviour and no threshold', () => {
    const { circuit, swaps, necessity, gap } = lab(onnx, { answerGain: 2, sharpness: 40 });
    expectClose([gap, necessity([[1, 2]])], [12, 1], { relative: 0, absolute: 1e-3 }, 'gap and necessity');
    const { features, config } = circuit;
    const tokens = pairs.arms.sensitive.slice(0, 8);
    const outcome = (alpha: number) => {
      const values = new Float32Array(8 * config.width);
      values[pairs.content![0] * config.width + features.indexOf('severity')] = -alpha;
      return outcomeOf(
        task,
        meaningOf('sensitive', 0),
        answers(swaps.run({ tokens, length: 8, roles }, { addition: { layer: 1, values } }).logits, 0),
      );
    };
    expect([0.499, 0.501, 1.499, 1.501].map(outcome)).toEqual(['REFUSE', 'EVADE', 'EVADE', 'ANSWER']);
  });

  test('what cannot be built is refused', () => {
    expect(() => plantedCircuit(policyTask())).toThrow('plantedCircuit: language must have one key, got "3 keys"');
    expect(() => plantedCircuit(task, { answerGain: 8 })).toThrow('plantedCircuit: answerGain must be a number in (0, 8), got 8');
    expect(() => plantedCircuit(task, { gateLayer: 0 })).toThrow('plantedCircuit: gateLayer must be an integer above 0, got 0');
    expect(() => plantedCircuit(task, { layers: 3 })).toThrow('plantedCircuit: layers must be an integer above 3, got 3');
    expect(() => plantedCircuit(task, { cipherGains: [1] })).toThrow('plantedCircuit: cipherGains must be 12 numbers > 0');
    expect(() => plantedCircuit(task, { sharpness: NaN })).toThrow('plantedCircuit: sharpness must be a number in (0, 10000], got NaN');
  });
});
