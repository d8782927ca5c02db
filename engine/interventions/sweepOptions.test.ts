/** The head sweep of every architecture option against whole graphs patched cell by cell, by both executors. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { BASE, options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import { HeadSweep, type SweepPrompts } from './headSweep.ts';
import { CutRefusal } from './restrict.ts';
import { gap, Naive, randomPrompts, range, room } from './testing/sweeps.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const LENGTH = 8;
const PAIRS = 2;
/** Where prompts may differ first: at the beginning, in the middle, where they are read. */
const POSITIONS = [0, LENGTH / 2, LENGTH - 1];
/** What reuse may cost, as a part of the gap (issue §2). */
const ALLOWED = 1e-5;

function prepare(config: TransformerConfig) {
  const prompts: SweepPrompts = {
    ...randomPrompts(config, PAIRS, LENGTH, 4),
    ...(config.roles && { roles: Int32Array.from({ length: LENGTH }, (_entry, i) => (i === 0 ? 0 : i < LENGTH - 2 ? 1 : 2)) }),
  };
  const parameters = randomWeights(config, new Random(3));
  const result = room(config, POSITIONS.length, PAIRS);
  const sweep = new HeadSweep(onnx, config, parameters, { lastOnly: false });
  sweep.run(prompts, POSITIONS, 0, PAIRS, result);
  const cell = (layer: number, head: number, place: number) => {
    const begin = ((layer * config.heads + head) * POSITIONS.length + place) * PAIRS;
    return result.patched.subarray(begin, begin + PAIRS);
  };
  return { prompts, parameters, sweep, result, cell };
}

const withoutExit = Object.entries(options).filter(([, option]) => !option.exit);

describe('equal to whole graphs patched cell by cell', () => {
  test.each(withoutExit)('%s', (_name, option) => {
    const config = { ...BASE, ...option };
    const { prompts, parameters, sweep, result, cell } = prepare(config);
    for (const executor of executors) {
      const naive = new Naive(executor, config, parameters, prompts);
      const tolerance = { relative: 0, absolute: ALLOWED * gap(naive) };
      expectClose(result.clean, naive.clean, tolerance, `${executor.name}: clean`);
      let moved = 0;
      for (const layer of range(config.layers))
        POSITIONS.forEach((position, place) => {
          const expected = range(config.heads).map((head) => naive.cell(layer, head, position));
          range(config.heads).forEach((head) => {
            const what = `${executor.name}: L${layer}H${head} at ${position}`;
            const actual = cell(layer, head, place);
            expectClose(actual, expected[head], tolerance, what);
            if (sweep.state(layer, position, LENGTH) === 'proved-zero') {
              expectClose(actual, result.clean, EXACT, `${what}: proved zero`);
              expectClose(expected[head], naive.clean, EXACT, `${what}: zero in the naive way`);
              return;
            }
            // The check has teeth: the number of another head is not taken for this one's.
            const other = expected[(head + 1) % config.heads];
            if (!expected[head].some((metric, pair) => Math.abs(metric - other[pair]) > 1e-3 * gap(naive))) return;
            expect(() => expectClose(actual, other, tolerance, what)).toThrow(what);
            moved++;
          });
        });
      expect(moved, 'cells that tell heads apart').toBeGreaterThanOrEqual(config.layers * config.heads);
    }
  });

  test('what roles may not read moves nothing, to the bit; what they may not write, nothing but last bits', () => {
    const blind = range(3).map((layer) =>
      range(4).map(() => range(3).map((query) => range(3).map((key) => key === 0 || query === key || (layer === 0 && query === 2)))),
    );
    const config: TransformerConfig = { ...BASE, roles: ['start', 'content', 'ask'], reads: blind };
    const { cell, result } = prepare(config);
    // Content is read by nobody but content after the first layer, so its z there goes nowhere.
    for (const layer of [1, 2]) for (const head of range(4)) expectClose(cell(layer, head, 1), result.clean, EXACT, `L${layer}H${head}`);
    const silent: TransformerConfig = {
      ...BASE,
      roles: ['start', 'content', 'ask'],
      writes: range(3).map((layer) => ({ attention: [true, layer !== 1, true], mlp: [true, true, true] })),
    };
    const made = prepare(silent);
    // Later layers are computed anew, and a suffix sums over clean keys and those of branches apart.
    const bits = { relative: 0, absolute: 1e-6 * gap(made.result) };
    for (const head of range(4)) expectClose(made.cell(1, head, 1), made.result.clean, bits, `L1H${head} may not write`);
    expect(() => expectClose(made.cell(0, 0, 1), made.result.clean, bits, 'L0H0 may')).toThrow();
  });
});

test('an early exit is refused, with the place where a row is decided as a whole', () => {
  const config: TransformerConfig = { ...BASE, exit: { after: 1, threshold: 0.5 } };
  const make = () => new HeadSweep(onnx, config, randomWeights(config, new Random(3)), { lastOnly: false });
  expect(make).toThrow(CutRefusal);
  expect(make).toThrow(/^cut positions: .* must not be one for all positions where the change reaches it \(an early exit by rows/);
});

test('prompts without the roles that a model asks for', () => {
  const config: TransformerConfig = { ...BASE, ...options['read masks'] };
  const { sweep, prompts } = prepare(config);
  const { roles: _roles, ...without } = prompts;
  const run = (given: SweepPrompts) => () => sweep.run(given, POSITIONS, 0, PAIRS, room(config, POSITIONS.length, PAIRS));
  expect(run(without)).toThrow(/headSweep: roles must be one for each of 8 positions, got undefined/);
  expect(run({ ...prompts, roles: new Int32Array(LENGTH).fill(5) })).toThrow(/role of position 0 must be in \[0, 2\], got 5/);
});
