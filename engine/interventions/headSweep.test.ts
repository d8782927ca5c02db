/** The sweep against whole graphs patched cell by cell, by both executors; the same bits for any number of threads; wrong input. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { UserError } from '../base/errors.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { shared } from '../execute/sharedMemory.ts';
import { Team } from '../execute/team.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { Tensors } from '../models/parameters.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { HeadSweep, type SweepMetrics, type SweepPrompts } from './headSweep.ts';
import type { HeadSweepData } from './headSweepMember.ts';
import { gap, Naive, randomPrompts, range, room, weights } from './testing/sweeps.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

/** Issue §3: what reuse may cost. */
const tolerance = (metrics: Pick<SweepMetrics, 'clean' | 'donor'>) => ({ relative: 0, absolute: 1e-5 * gap(metrics) });

const SMALL: TransformerConfig = { vocabulary: 17, positions: 8, width: 12, heads: 3, layers: 4, mlp: 20 };

function sweep(config: TransformerConfig, parameters: Tensors, prompts: SweepPrompts, positions: readonly number[], lastOnly: boolean) {
  const made = new HeadSweep(onnx, config, parameters, { lastOnly });
  const pairs = prompts.answer.length;
  const result = room(config, positions.length, pairs);
  made.run(prompts, positions, 0, pairs, result);
  return { made, result };
}

/** Pairs of one cell of `patched`, [layers, heads, positions, pairs]. */
const cellOf = (
  { patched, pairs }: SweepMetrics,
  { heads }: TransformerConfig,
  positions: number,
  at: readonly [number, number, number],
) => {
  const begin = ((at[0] * heads + at[1]) * positions + at[2]) * pairs;
  return patched.subarray(begin, begin + pairs);
};

function expectNaive(
  config: TransformerConfig,
  parameters: Tensors,
  prompts: SweepPrompts,
  positions: readonly number[],
  lastOnly: boolean,
) {
  const { made, result } = sweep(config, parameters, prompts, positions, lastOnly);
  let moved = 0;
  for (const executor of executors) {
    const naive = new Naive(executor, config, parameters, prompts);
    expectClose(result.clean, naive.clean, tolerance(naive), `${executor.name}: clean`);
    expectClose(result.donor, naive.donor, tolerance(naive), `${executor.name}: donor`);
    for (const layer of range(config.layers))
      for (const head of range(config.heads))
        positions.forEach((position, place) => {
          const what = `${executor.name}: L${layer}H${head} at ${position}`;
          const actual = cellOf(result, config, positions.length, [layer, head, place]);
          const expected = naive.cell(layer, head, position);
          const proved = layer === config.layers - 1 && position < prompts.length - 1;
          expect(made.state(layer, position, prompts.length), what).toBe(proved ? 'proved-zero' : 'measured');
          if (proved) {
            expectClose(actual, result.clean, EXACT, `${what}: proved zero`);
            expectClose(expected, naive.clean, EXACT, `${what}: zero in the naive way`);
          } else {
            expectClose(actual, expected, tolerance(naive), what);
            if (expected.some((metric, pair) => Math.abs(metric - naive.clean[pair]) > 1e-3 * gap(naive))) moved++;
          }
        });
  }
  return moved;
}

describe('equal to whole graphs patched cell by cell', () => {
  test.each<[string, TransformerConfig, number, number]>([
    ['four layers of three heads', SMALL, 3, 6],
    ['one head', { ...SMALL, heads: 1, layers: 2 }, 2, 4],
    ['heads one wide', { ...SMALL, width: 4, heads: 4, layers: 2 }, 2, 4],
    ['one layer', { ...SMALL, layers: 1 }, 2, 3],
    ['prompts of one token, one pair', { ...SMALL, layers: 2 }, 1, 1],
    ['prompts of two tokens', { ...SMALL, layers: 2 }, 2, 2],
  ])('%s', (_name, config, pairs, length) => {
    const moved = expectNaive(config, weights(config, 1), randomPrompts(config, pairs, length, 2), range(length), false);
    // What is compared is not nothing: at least the last position of every layer moves the metric.
    expect(moved).toBeGreaterThanOrEqual(config.layers * config.heads);
  });

  test('four layers d128 H4 T32, last position', () => {
    const config = { vocabulary: 64, positions: 32, width: 128, heads: 4, layers: 4, mlp: 512 };
    expect(expectNaive(config, weights(config, 3), randomPrompts(config, 2, 32, 4), [31], true)).toBeGreaterThanOrEqual(24);
  });
});

describe('parts of a sweep', () => {
  const parameters = weights(SMALL, 5);
  const length = 7;
  const prompts = randomPrompts(SMALL, 5, length, 6);
  const whole = sweep(SMALL, parameters, prompts, range(length), false).result;

  test('the last position alone is the last column of all', () => {
    const last = sweep(SMALL, parameters, prompts, [length - 1], true).result;
    for (const layer of range(SMALL.layers))
      for (const head of range(SMALL.heads))
        expectClose(
          cellOf(last, SMALL, 1, [layer, head, 0]),
          cellOf(whole, SMALL, length, [layer, head, length - 1]),
          tolerance(whole),
          `L${layer}H${head}`,
        );
  });

  test('some positions are the same bits as among all', () => {
    const positions = [1, 4, 6];
    const some = sweep(SMALL, parameters, prompts, positions, false).result;
    for (const layer of range(SMALL.layers))
      for (const head of range(SMALL.heads))
        positions.forEach((position, place) =>
          expectClose(
            cellOf(some, SMALL, 3, [layer, head, place]),
            cellOf(whole, SMALL, length, [layer, head, position]),
            EXACT,
            `L${layer}H${head} at ${position}`,
          ),
        );
  });

  test('pairs in parts, written where they belong', () => {
    const made = new HeadSweep(onnx, SMALL, parameters, { lastOnly: false });
    const parts = room(SMALL, length, 5);
    made.run(prompts, range(length), 2, 5, parts);
    made.run(prompts, range(length), 0, 2, parts);
    for (const name of ['patched', 'clean', 'donor'] as const) expectClose(parts[name], whole[name], tolerance(whole), name);
  });

  test('a donor that is the clean prompt changes nothing', () => {
    const same = sweep(SMALL, parameters, { ...prompts, donor: prompts.clean.slice() }, range(length), false).result;
    const { pairs } = same;
    const expected = Float32Array.from(same.patched, (_entry, i) => same.clean[i % pairs]);
    expectClose(same.patched, expected, tolerance(whole), 'patched');
    expectClose(same.donor, same.clean, tolerance(whole), 'donor');
  });
});

describe('threads', () => {
  const length = 6;
  const pairs = 11;
  const prompts = randomPrompts(SMALL, pairs, length, 8);
  const parameters = Object.fromEntries(Object.entries(weights(SMALL, 7)).map(([name, data]) => [name, shared(data)]));
  const inThreads = async (threads: number, chunk: number) => {
    const result = room(SMALL, length, pairs);
    const common = {
      clean: shared(prompts.clean),
      donor: shared(prompts.donor),
      answer: shared(prompts.answer),
      other: shared(prompts.other),
    };
    const data: HeadSweepData = { config: SMALL, parameters, prompts: { ...common, length }, positions: range(length), ...result };
    const team = await Team.create(new URL('./headSweepMember.ts', import.meta.url).href, data, { threads, chunk });
    team.run(pairs);
    const first = result.patched.slice();
    team.run(pairs);
    await team.dispose();
    expectClose(result.patched, first, EXACT, `${threads} threads: run again`);
    return result;
  };

  test.each([2, 4, 11])('1, 2 and 3 of them give the same bits, chunks of %i', async (chunk) => {
    const one = await inThreads(1, chunk);
    for (const threads of [2, 3]) {
      const result = await inThreads(threads, chunk);
      for (const name of ['patched', 'clean', 'donor'] as const) expectClose(result[name], one[name], EXACT, `${threads} threads: ${name}`);
    }
    const whole = sweep(SMALL, parameters, prompts, range(length), false).result;
    expectClose(one.patched, whole.patched, tolerance(whole), 'against one run of all rows');
  });
});

describe('wrong input', () => {
  const parameters = weights(SMALL, 9);
  const length = 4;
  const prompts = randomPrompts(SMALL, 3, length, 10);
  const made = new HeadSweep(onnx, SMALL, parameters, { lastOnly: false });
  const run = (wrong: Partial<SweepPrompts>, positions = range(length), [begin, end] = [0, 3]) =>
    made.run({ ...prompts, ...wrong }, positions, begin, end, room(SMALL, positions.length, 3));
  const withToken = (name: 'clean' | 'donor' | 'answer' | 'other', at: number, token: number) => ({
    [name]: prompts[name].map((old, i) => (i === at ? token : old)),
  });
  const expectMistake = (act: () => void, message: RegExp) => {
    expect(act).toThrow(UserError);
    expect(act).toThrow(message);
  };

  test.each<[string, () => void, RegExp]>([
    ['prompts too short for their length', () => run({ length: 5 }), /headSweep: clean must hold 15 tokens.* got 12/],
    ['a donor of another length', () => run({ donor: prompts.donor.slice(1) }), /headSweep: donor must hold 12 tokens.* got 11/],
    ['answers for some', () => run({ other: prompts.other.slice(1) }), /headSweep: other must hold 3 tokens.* got 2/],
    ['more positions than the model has', () => run({ length: 9 }), /headSweep: length must be an integer in \[1, 8\], got 9/],
    ['no positions', () => run({ length: 0 }), /headSweep: length/],
    ['a token beyond the vocabulary', () => run(withToken('clean', 5, 17)), /headSweep: clean 5 must be a token in \[0, 16\], got 17/],
    ['a token below it', () => run(withToken('donor', 0, -1)), /headSweep: donor 0 must be a token/],
    ['an answer beyond it', () => run(withToken('answer', 2, 99)), /headSweep: answer 2 must be a token/],
    ['another answer below it', () => run(withToken('other', 1, -7)), /headSweep: other 1 must be a token/],
    ['a position beyond the prompt', () => run({}, [1, 4]), /headSweep: position must be an integer in \[2, 3\], got 4/],
    ['positions not ascending', () => run({}, [2, 2]), /headSweep: position/],
    ['pairs that are not there', () => run({}, range(length), [2, 4]), /headSweep: pairs must be a part of \[0, 3\), got "\[2, 4\)"/],
    ['no room', () => made.run(prompts, [3], 0, 3, room(SMALL, 2, 3)), /headSweep: result patched must have room for 36 numbers, got 72/],
  ])('%s', (_name, act, message) => expectMistake(act, message));

  test('an earlier position in a sweep of the last alone is refused, not called zero', () => {
    const last = new HeadSweep(onnx, SMALL, parameters, { lastOnly: true });
    expectMistake(() => last.run(prompts, [1], 0, 3, room(SMALL, 1, 3)), /headSweep: position must be the last, 3/);
    expectMistake(() => last.state(0, 1, length), /headSweep: position must be the last/);
    expect(last.state(3, 3, length)).toBe('measured');
  });

  test('weights that do not fit are named', () => {
    const sweepWith = (more: Tensors) => new HeadSweep(onnx, SMALL, { ...parameters, ...more }, { lastOnly: true });
    expectMistake(
      () => sweepWith({ 'blocks.2.attn.W_O': new Float32Array(143) }),
      /parameter blocks.2.attn.W_O must hold 12 × 12 numbers, got 143/,
    );
    const { 'unembed.W_U': _missing, ...rest } = parameters;
    expectMistake(
      () => new HeadSweep(onnx, SMALL, rest, { lastOnly: true }),
      /parameter unembed.W_U must hold 12 × 17 numbers, got undefined/,
    );
  });

  test('a mistake reaches whoever starts a team, whichever thread meets it', async () => {
    const { answer, ...others } = prompts;
    const data: HeadSweepData = {
      config: SMALL,
      parameters,
      prompts: { ...others, answer: answer.map(() => 17) },
      positions: [3],
      ...room(SMALL, 1, 3),
    };
    const team = await Team.create(new URL('./headSweepMember.ts', import.meta.url).href, data, { threads: 2, chunk: 1 });
    expectMistake(() => team.run(3), /headSweep: answer 0 must be a token/);
    await team.dispose();
  });
});

test('programs are let go', () => {
  const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
  const made = new HeadSweep(executor, SMALL, weights(SMALL, 11), { lastOnly: true });
  expect(executor.sessions).toBeGreaterThan(0);
  made.dispose();
  new HeadSweep(executor, { ...SMALL, layers: 1 }, weights({ ...SMALL, layers: 1 }, 11), { lastOnly: true }).dispose();
  expect(executor.sessions).toBeLessThanOrEqual(3);
  executor.dispose();
});
