/** The gap against both forms in double precision. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { softHardGap } from './softHardGap.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { references, rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);

const models = [
  labelled('warm', { adapter: 'dopamine', temperature: [1, 0.5] }),
  labelled('pre-activation', { adapter: 'dopamine+pre-activation', seed: 3, temperature: [1, 1] }),
];

test('accuracy, answers and logits', async () => {
  const angles = [0, 45];
  const { measures, facts } = await softHardGap.run({ models, seed: 0, options: { angles, part: 'test' } }, context);
  const cells = models.flatMap(({ model }) =>
    angles.map((angle) => {
      const set = smallImages('test', angle);
      const [soft, hard] = (['soft', 'hard'] as const).map((form) => references(model, form, set, angle).map(({ logits }) => logits));
      const answer = (logits: readonly number[]) => logits.indexOf(Math.max(...logits));
      const differences = soft.flatMap((logits, i) => logits.map((logit, c) => Math.abs(logit - hard[i][c])));
      return {
        soft: (100 * rightOf(model, 'soft', set, angle)) / 620,
        hard: (100 * rightOf(model, 'hard', set, angle)) / 620,
        differing: (100 * soft.filter((logits, i) => answer(logits) !== answer(hard[i])).length) / 620,
        mean: differences.reduce((a, b) => a + b, 0) / differences.length,
        largest: Math.max(...differences),
      };
    }),
  );
  const column = (name: keyof (typeof cells)[number]) => cells.map((cell) => cell[name]);
  for (const name of ['soft', 'hard', 'differing'] as const) expectClose(measures[name].data, column(name), EXACT, name);
  expectClose(
    measures.difference.data,
    cells.map(({ soft, hard }) => hard - soft),
    { relative: 0, absolute: 1e-12 },
    'difference',
  );
  // Differences of logits of about 5, each with the rounding of float32.
  expectClose(measures.meanLogitDifference.data, column('mean'), { relative: 1e-5, absolute: 0 }, 'mean');
  expectClose(measures.largestLogitDifference.data, column('largest'), { relative: 1e-5, absolute: 0 }, 'largest');
  expect(Math.min(...measures.differing.data)).toBeGreaterThan(0);
  expect(facts).toMatchObject({ images: 620, temperatures: '1, 0.5; 1, 1' });
});

test('the gap closes as the temperature falls', async () => {
  const cold = [labelled('cold', { adapter: 'dopamine', temperature: [1e-6, 1e-6] })];
  const { measures } = await softHardGap.run({ models: cold, seed: 0, options: { angles: [0, 45], part: 'test' } }, context);
  for (const name of ['difference', 'differing']) expectClose(measures[name].data, [0, 0], EXACT, name);
});
