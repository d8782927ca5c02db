/** Answers and losses from logits, by hand; who runs how often. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { answerOf, ImageSets, percent, pointsAbove, scoreAll, Tally } from './scoring.ts';
import { analysisContext, smallImages, smallModel } from './testing/models.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

test('the answer is the first of the largest, and none where a logit is not a number', () => {
  const logits = [0, 2, 1, 3, 3, -1, NaN, 5, 6, 1, 2, NaN, -Infinity, -Infinity, -Infinity];
  expect([0, 1, 2, 3, 4].map((row) => answerOf(logits, row, 3))).toEqual([1, 0, -1, -1, 0]);
});

test('a tally counts right answers and sums −log of the softmax, without overflow', () => {
  const set = { ...smallImages('test', 0), labels: Int32Array.of(9, 0, 2, 1) };
  const tally = new Tally();
  tally.add([Math.log(2), 0, 0], set, 1, 2); // p = 2/4
  tally.add([1000, 0, 0, 0, 1000, 1000], set, 2, 4); // a loss of 1000; p = 1/2
  expect(tally).toMatchObject({ count: 3, right: 2 });
  expectClose([tally.loss], [Math.log(2) + 1000 + Math.log(2)], { relative: 1e-15, absolute: 0 }, 'loss');
});

test('percent and points', () => {
  const [one, other] = [
    { count: 1000, right: 951, loss: 0 },
    { count: 1000, right: 948, loss: 0 },
  ];
  expect(percent(one)).toBe(95.1);
  expect(pointsAbove(one, other)).toBe(0.3);
  expect(pointsAbove(one, { count: 500, right: 470, loss: 0 })).toBeCloseTo(1.1, 12);
});

test('a foundation that two stand on runs once; held-out images are those of the seed', async () => {
  const asked: unknown[] = [];
  const stages = new Set<string>();
  let [least, last] = [Infinity, 0];
  const context = analysisContext(executor, {
    images: (part, angle, seed) => (asked.push([part, angle, seed]), smallImages(part, angle, seed)),
    progress: ({ stage, done, total }) => {
      stages.add(stage);
      least = Math.min(least, done);
      expect(done).toBeGreaterThanOrEqual(last);
      expect(done).toBeLessThan(total);
      last = done;
    },
  });
  const contestants = [
    { label: 'a', model: smallModel({ adapter: 'gain' }), form: 'base' as const },
    { label: 'b', model: smallModel({ adapter: 'bias' }), form: 'base' as const },
    { label: 'c', model: smallModel({ seed: 2 }), form: 'base' as const },
    { label: 'd', model: smallModel({ adapter: 'gain' }), form: 'soft' as const },
  ];
  const scores = await scoreAll('x', contestants, { part: 'heldOut', angles: [0, 45] }, context);
  expect(asked).toEqual([
    ['heldOut', 0, 1],
    ['heldOut', 0, 2],
    ['heldOut', 45, 1],
    ['heldOut', 45, 2],
  ]);
  expect([...stages]).toEqual(
    ['a', 'c', 'd']
      .map((label) => `x: ${label}, ${label === 'd' ? 'soft' : 'base'}, 0°`)
      .concat(['a', 'c', 'd'].map((label) => `x: ${label}, ${label === 'd' ? 'soft' : 'base'}, 45°`)),
  );
  expect(scores[1]).toBe(scores[0]);
  expect(scores.every((row) => row.length === 2 && row.every(({ count }) => count === 510))).toBe(true);
  expect(least).toBe(0);
});

test('images for testing are the same for every seed, and read once', () => {
  let read = 0;
  const sets = new ImageSets('x', analysisContext(executor, { images: (part, angle) => (read++, smallImages(part, angle)) }), 'test', 45);
  const [one, other] = [smallModel(), smallModel({ seed: 5 })].map((model) => sets.for('m', model));
  expect(one).toBe(other);
  expect(read).toBe(1);
  expectClose(one.images, smallImages('test', 45).images, EXACT, 'images');
});
