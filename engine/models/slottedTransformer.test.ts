/** The slots keep what they promise, with any weights: what a head may not carry has no effect at all, whatever is put there. */
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { policyPairs } from '../tasks/policyPairs.ts';
import { policyRoles, policyTask } from '../tasks/policyRouting.ts';
import { initialise } from './parameters.ts';
import { slottedParameters, slottedTransformer, type Slots } from './slottedTransformer.ts';
import { HeadSwaps, type Head } from './testing/headSwaps.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const task = policyTask();
const pairs = policyPairs(task, { pairs: 12 });
const ASK = 7;
const shape = { vocabulary: task.vocabulary, width: 32, heads: 4, mlp: 24 };

function lab(slots: Slots, bridge: 'open' | 'closed') {
  const config = slottedTransformer({ ...shape, slots }, bridge);
  const swaps = new HeadSwaps(executor, config, initialise(slottedParameters(config), new Random(2)));
  const prompts = (arm: 'sensitive' | 'control') => ({ tokens: pairs.arms[arm], length: 8, roles: pairs.roles! });
  const [sensitive, control] = [swaps.run(prompts('sensitive')), swaps.run(prompts('control'))];
  /** The largest change of a logit at ASK when heads are swapped. */
  const moved = (heads: readonly Head[], positions: readonly number[]) => {
    const { logits } = swaps.run(prompts('sensitive'), { swap: { heads, donor: control, positions } });
    let largest = 0;
    for (let pair = 0; pair < pairs.pairs; pair++)
      for (let token = 0; token < task.vocabulary; token++) {
        const at = (pair * 8 + ASK) * task.vocabulary + token;
        largest = Math.max(largest, Math.abs(logits[at] - sensitive.logits[at]));
      }
    return largest;
  };
  return { sensitive, control, moved };
}

test('roles are those of the task', () => {
  expect(slottedTransformer({ ...shape, slots: 'free' }, 'open').roles).toEqual(policyRoles);
});

describe('one slot', () => {
  const { moved, sensitive, control } = lab('one', 'open');

  test('at ASK, only the bridge of the first two layers knows of the words; then those that read it', () => {
    for (const layer of [0, 1])
      for (let head = 0; head < 4; head++) {
        if (layer === 1 && head === 0) expect(moved([[1, 0]], [ASK])).toBeGreaterThan(1e-3);
        else expect(moved([[layer, head]], [ASK])).toBe(0);
      }
    for (const head of [0, 1, 2, 3]) expect(moved([[2, head]], [ASK])).toBeGreaterThan(1e-5);
    for (const head of [0, 1]) expect(moved([[3, head]], [ASK])).toBeGreaterThan(1e-3);
  });

  test('layers 1 and 2 write nowhere but at MODE and ASK', () => {
    const words = [0, 1, 2, 3, 4, 5];
    for (const layer of [1, 2]) for (let head = 0; head < 4; head++) expect(moved([[layer, head]], words)).toBe(0);
    for (const position of words)
      for (let pair = 0; pair < pairs.pairs; pair++)
        for (const run of [sensitive, control]) {
          const at = (layer: number) => run.residual[layer].subarray((pair * 8 + position) * 32, (pair * 8 + position + 1) * 32);
          expectClose(at(3), at(1), EXACT, `residual at position ${position}`);
        }
  });

  test('MODE knows nothing of the words', () => {
    for (let pair = 0; pair < pairs.pairs; pair++) {
      const at = (run: typeof sensitive) => run.residual[4].subarray((pair * 8 + 6) * 32, (pair * 8 + 7) * 32);
      expectClose(at(sensitive), at(control), EXACT, 'residual at MODE');
    }
  });
});

test('with the bridge closed nothing of the words is at ASK before the last layer', () => {
  const { sensitive, control, moved } = lab('one', 'closed');
  for (let pair = 0; pair < pairs.pairs; pair++) {
    const at = (run: typeof sensitive) => run.residual[3].subarray((pair * 8 + ASK) * 32, (pair * 8 + ASK + 1) * 32);
    expectClose(at(sensitive), at(control), EXACT, 'residual at ASK');
  }
  expect(moved([[1, 0]], [ASK])).toBe(0);
});

test('with a whole layer of slots every head of it is a bridge; free, words are read from the first layer on', () => {
  const layer = lab('layer', 'open');
  for (let head = 0; head < 4; head++) expect(layer.moved([[1, head]], [ASK])).toBeGreaterThan(1e-3);
  expect(layer.moved([[0, 1]], [ASK])).toBe(0);
  const free = lab('free', 'open');
  for (let head = 0; head < 4; head++) expect(free.moved([[0, head]], [ASK])).toBeGreaterThan(1e-3);
});

test('an odd number of heads has no halves', () => {
  expect(() => slottedTransformer({ ...shape, heads: 1, slots: 'one' }, 'open')).toThrow('slottedTransformer: heads must be even, got 1');
  expect(() => slottedTransformer({ ...shape, heads: 1, slots: 'free' }, 'open')).not.toThrow();
});
