/** Every gate family is held to what it promises, and to what gate.ts does for all of them alike. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { EXACT, expectClose, type Tolerance } from '../base/testing/closeTo.ts';
import type { Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { add, gradient, multiply, stopGradient, subtract, sum } from '../ops/index.ts';
import { gate, temperatureInput, type Gated, type GateFamily, type GateParameters, type GateSettings } from './gate.ts';
import { gateFamilies } from './index.ts';

const ROWS = 5;
const WIDTH = 7;
const SEEDS = fc.nat({ max: 2 ** 31 });
/** Some roundings of float32, at 6e-8 each. */
const ROUNDING: Tolerance = { relative: 1e-6, absolute: 1e-6 };
/**
 * Central differences with steps h = 1/32 and h/2, extrapolated: h⁴f⁽⁵⁾/480 is below 1e-4 for sigmoids at T ≥ 0.4 of terms up to 4; rounding
 * what is differenced (up to some 40) to float32 adds 2e-4.
 */
const DIFFERENCES: Tolerance = { relative: 1e-3, absolute: 5e-4 };
const STEP = 1 / 32;

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

interface Built {
  readonly graph: Graph;
  readonly x: Value;
  readonly parameters: GateParameters;
  readonly temperature: Value;
  readonly gated: Gated;
  /** Σ w · output. */
  readonly loss: Value;
  /** x and the parameters, by name. */
  readonly leaves: Readonly<Record<string, Value>>;
}

function build(family: GateFamily, settings: Omit<GateSettings, 'temperature'> = {}): Built {
  const graph = new Graph();
  const x = graph.input('x', [symbol('rows'), WIDTH]);
  const parameters = Object.fromEntries(family.parameters(WIDTH).map(({ name, shape }) => [name, graph.input(name, shape)]));
  const temperature = temperatureInput(graph);
  const gated = graph.within('layers.0', () => gate(family, parameters, x, { temperature, ...settings }));
  const loss = sum(multiply(gated.output, graph.input('w', [symbol('rows'), WIDTH])));
  return { graph, x, parameters, temperature, gated, loss, leaves: { x, ...parameters } };
}

function run(outputs: Readonly<Record<string, Value>>, feeds: Feeds): Record<string, Float32Array> {
  const executable = executor.compile(program(outputs));
  try {
    return Object.fromEntries(Object.entries(executable.run(feeds)).map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    executable.dispose();
  }
}

const scalar = (value: number) => ({ data: Float32Array.of(value), shape: [] });

/** What the family gates: activations after a ReLU (a fifth are 0), or of either sign; and parameters about where they begin. */
function drawn(family: GateFamily, random: Random, temperature: number): Record<string, Feeds[string]> {
  const fill = (shape: readonly number[], draw: () => number) => ({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw),
    shape,
  });
  return {
    x: fill([ROWS, WIDTH], () => {
      const pre = 2.5 * random.uniform() - 0.5;
      if (family.input === 'activation') return Math.max(0, pre);
      // Off the kink of |x|, which differences must not straddle.
      return Math.abs(pre) < 2 * STEP ? pre + 4 * STEP : pre;
    }),
    w: fill([ROWS, WIDTH], () => 2 * random.uniform() - 1),
    temperature: scalar(temperature),
    ...Object.fromEntries(
      family.parameters(WIDTH).map(({ name, shape, value }) => [name, fill(shape, () => value + random.uniform() - 0.5)]),
    ),
  };
}

const only = (feeds: Feeds, ...names: string[]): Feeds => Object.fromEntries(names.map((name) => [name, feeds[name]]));

/** Decisions of a family on given logits [1, n]. */
function decide(family: GateFamily, logits: readonly number[], temperature: number) {
  const graph = new Graph();
  const input = graph.input('logits', [1, logits.length]);
  return run(
    { soft: family.soft(input, temperatureInput(graph)), hard: family.hard(input) },
    { logits: { data: Float32Array.from(logits), shape: [1, logits.length] }, temperature: scalar(temperature) },
  );
}

test('ids are different, and every family says where it comes from', () => {
  expect(new Set(gateFamilies.map(({ id }) => id)).size).toBe(gateFamilies.length);
  for (const family of gateFamilies) {
    expect(family.source).not.toBe('');
    for (const { value } of family.parameters(WIDTH)) expect(Number.isFinite(value)).toBe(true);
  }
});

describe.each(gateFamilies.map((family) => [family.id, family] as const))('%s', (_id, family) => {
  const { promises } = family;
  const logits = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: WIDTH, maxLength: WIDTH });
  const temperatures = fc.double({ min: -6, max: 4, noNaN: true }).map((power) => 10 ** power);

  test('soft decisions lie in the promised range; hard ones are 0 or 1', () => {
    fc.assert(
      fc.property(logits, temperatures, (values, temperature) => {
        const { soft, hard } = decide(family, values, temperature);
        const [low, high] = promises.range;
        for (const value of soft) expect(value >= low && value <= high).toBe(true);
        for (const value of hard) expect([0, 1]).toContain(value);
      }),
      { numRuns: 30 },
    );
  });

  if (promises.monotone)
    test('the soft decision never falls as the logit grows', () => {
      const ascending = Array.from({ length: 4001 }, (_entry, i) => (i - 2000) / 100);
      for (const temperature of [1e-3, 0.03, 0.2, 1, 30]) {
        const { soft } = decide(family, ascending, temperature);
        // A vectorised exponential is not monotone to the last bit.
        for (let i = 1; i < soft.length; i++) expect(soft[i]).toBeGreaterThanOrEqual(soft[i - 1] - 1e-6);
      }
    });

  if (promises.hardLimit)
    test('the soft decision goes to the hard one as the temperature goes to 0, but at a logit of 0', () => {
      const values = [-30, -1, -0.01, 0.01, 1, 30];
      const gap = (temperature: number) => {
        const { soft, hard } = decide(family, values, temperature);
        return Math.max(...soft.map((value, i) => Math.abs(value - hard[i])));
      };
      const gaps = [1, 0.1, 0.01, 0.001, 1e-6].map(gap);
      for (let i = 1; i < gaps.length; i++) expect(gaps[i]).toBeLessThan(gaps[i - 1] + 1e-9);
      expect(gaps.at(-1)).toBeLessThan(1e-6);
    });

  if (promises.exactZeros)
    test('closed hard gates give exactly 0, and open ones do not', () => {
      fc.assert(
        fc.property(SEEDS, (seed) => {
          const { gated } = build(family, { form: 'hard' });
          const feeds = drawn(family, new Random(seed), 0.2);
          const { decision, output } = run({ decision: gated.decision, output: gated.output }, withoutW(feeds));
          decision.forEach((open, i) => {
            if (open === 0) expect(output[i] === 0).toBe(true);
          });
        }),
        { numRuns: 20 },
      );
    });

  if (promises.cardinality !== undefined)
    test('as many gates are open as promised', () => {
      const { gated } = build(family, { form: 'hard' });
      const { decision } = run({ decision: gated.decision }, withoutW(drawn(family, new Random(1), 0.2)));
      for (let row = 0; row < ROWS; row++)
        expect(decision.subarray(row * WIDTH, (row + 1) * WIDTH).reduce((a, b) => a + b, 0)).toBe(promises.cardinality);
    });

  test('gradients of the soft form are finite differences', () => {
    fc.assert(
      fc.property(SEEDS, fc.double({ min: 0.4, max: 2, noNaN: true }), (seed, temperature) => {
        const { loss, leaves } = build(family);
        const feeds = drawn(family, new Random(seed), temperature);
        const names = Object.keys(leaves);
        const gradients = gradient(loss, Object.values(leaves));
        const found = run(Object.fromEntries(names.map((name, i) => [`gradient.${name}`, gradients[i]])), feeds);
        const executable = executor.compile(program({ loss }));
        const lossAt = (name: string, i: number, move: number) => {
          const { data, shape } = feeds[name];
          const moved = Float32Array.from(data);
          moved[i] += move;
          return executable.run({ ...feeds, [name]: { data: moved, shape } }).loss.data[0];
        };
        for (const name of names) {
          const slope = (i: number, h: number) => (lossAt(name, i, h) - lossAt(name, i, -h)) / (2 * h);
          const expected = Float64Array.from(feeds[name].data, (_entry, i) => (4 * slope(i, STEP / 2) - slope(i, STEP)) / 3);
          expectClose(found[`gradient.${name}`], expected, DIFFERENCES, `${family.id}: d loss / d ${name}`, feeds[name].shape);
        }
        executable.dispose();
      }),
      { numRuns: 5 },
    );
  });

  test('straight-through: forward as hard, backward as soft', () => {
    fc.assert(
      fc.property(SEEDS, (seed) => {
        const feeds = drawn(family, new Random(seed), 0.3);
        const estimated = build(family, { form: 'hard', estimator: 'straight-through' });
        const hard = build(family, { form: 'hard', estimator: 'none' });
        const forward = run({ output: estimated.gated.output }, withoutW(feeds)).output;
        expectClose(forward, run({ output: hard.gated.output }, only(feeds, 'x', ...parametersOf(family))).output, EXACT, 'output');

        // The second road: hard + (soft − what soft is), so that only the soft form has a slope.
        const { parameters, x, temperature, graph } = estimated;
        const logits = family.logits(parameters, x);
        const soft = family.soft(logits, temperature);
        const decision = add(stopGradient(family.hard(logits)), subtract(soft, stopGradient(soft)));
        const loss = sum(multiply(family.apply(parameters, x, decision), graph.inputs.get('w')!));
        const leaves = Object.values(estimated.leaves);
        const mine = gradient(estimated.loss, leaves);
        const theirs = gradient(loss, leaves);
        const results = run(
          Object.fromEntries(leaves.flatMap((_leaf, i) => [[`a${i}`, mine[i]] as const, [`b${i}`, theirs[i]] as const])),
          feeds,
        );
        leaves.forEach((_leaf, i) => expectClose(results[`a${i}`], results[`b${i}`], ROUNDING, `gradient ${i}`));
      }),
      { numRuns: 10 },
    );
  });

  test("estimator 'none' lets no gradient into the logits, 'straight-through' does", () => {
    const slope = (estimator: 'none' | 'straight-through') => {
      const { gated, loss } = build(family, { form: 'hard', estimator });
      return gradient(loss, [gated.logits])[0];
    };
    expect(slope('none').uniform).toBe(0); // zeros as a constant of the graph
    const { found } = run({ found: slope('straight-through') }, drawn(family, new Random(3), 0.3));
    expect(found.some((value) => value !== 0)).toBe(true);
  });

  test('annealing compiles nothing anew: the temperature is an input', () => {
    const { gated } = build(family);
    const compiled = program({ probability: gated.probability });
    expect([...compiled.inputs.keys()]).toContain('temperature');
    const executable = executor.compile(compiled);
    const feeds = drawn(family, new Random(4), 1);
    const at = (temperature: number) => executable.run({ ...feeds, temperature: scalar(temperature) }).probability.data as Float32Array;
    for (const temperature of [2, 0.2, 0.01]) {
      const graph = new Graph();
      const parameters = Object.fromEntries(family.parameters(WIDTH).map(({ name, shape }) => [name, graph.input(name, shape)]));
      const constant = family.soft(family.logits(parameters, graph.input('x', [ROWS, WIDTH])), graph.uniform(temperature));
      expectClose(at(temperature), run({ constant }, feeds).constant, ROUNDING, `T = ${temperature}`);
    }
    executable.dispose();
  });

  if (family.unit === 'neuron')
    test('openness is the mean of the soft decisions; of activations, only a > 0 counts', () => {
      const { gated } = build(family);
      const feeds = drawn(family, new Random(5), 0.2);
      const results = run({ openness: gated.openness, probability: gated.probability }, feeds);
      const expected = Float64Array.from({ length: ROWS }, (_entry, row) => {
        let total = 0;
        for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++)
          total += family.input !== 'activation' || feeds.x.data[i] > 0 ? results.probability[i] : 0;
        return total / WIDTH;
      });
      expectClose(results.openness, expected, ROUNDING, 'openness');
      if (family.input !== 'activation') return;
      const dead = { data: new Float32Array(ROWS * WIDTH), shape: [ROWS, WIDTH] };
      expectClose(
        run({ openness: gated.openness }, { ...feeds, x: dead }).openness,
        new Float32Array(ROWS),
        EXACT,
        'openness of silent units',
      );
    });

  test('marks its sites', () => {
    const { graph, gated } = build(family);
    const names = ['hook_logit', 'hook_prob', 'hook_decision', 'hook_margin', 'hook_out'].map((name) => `layers.0.gate.${name}`);
    expect([...graph.sites.keys()].sort()).toEqual(names.sort());
    expect(graph.sites.get('layers.0.gate.hook_logit')).toBe(gated.logits);
    expect(graph.sites.get('layers.0.gate.hook_prob')).toBe(gated.probability);
    expect(graph.sites.get('layers.0.gate.hook_decision')).toBe(gated.decision);
    expect(graph.sites.get('layers.0.gate.hook_out')).toBe(gated.output);
    const results = run({ margin: graph.sites.get('layers.0.gate.hook_margin')!, logit: gated.logits }, drawn(family, new Random(6), 0.2));
    expectClose(results.margin, results.logit.map(Math.abs), EXACT, 'margin');
  });
});

function parametersOf(family: GateFamily): string[] {
  return family.parameters(WIDTH).map(({ name }) => name);
}

function withoutW(feeds: Feeds): Feeds {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => name !== 'w'));
}
