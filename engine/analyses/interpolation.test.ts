/** Accuracy along paths against counting in double precision on each point; the ends against the base and the modes. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { interpolate } from '../models/modes.ts';
import { interpolation } from './interpolation.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);
const options = { steps: 3, angles: [0, 45], part: 'test' } as const;
const run = (models: Parameters<typeof interpolation.run>[0]['models']) =>
  interpolation.run({ models, seed: 0, options: { ...options, angles: [0, 45] } }, context);

describe.each([
  ['dopamine', ['soft', 'hard']],
  ['lora-r2', ['soft']],
] as const)('%s', (id, forms) => {
  const one = labelled('one', { adapter: id });
  const other = labelled('other', { adapter: id, variant: 1 });

  test.each([
    ['from the base', [one]],
    ['between modes', [one, other]],
  ])('%s', async (_path, models) => {
    const { measures, axes, facts } = await run(models);
    expect(axes).toEqual({ form: { values: forms }, t: { values: [0, 0.5, 1] }, angle: { values: [0, 45], unit: '°' } });
    const expected = forms.flatMap((form) =>
      [0, 0.5, 1].flatMap((t) =>
        [0, 45].map((angle) => {
          const set = smallImages('test', angle);
          const base = t === 0 && models.length === 1;
          const point = t === 0 ? one.model : t === 1 ? (models[1] ?? one).model : interpolate(one.model, models[1]?.model, t);
          return (100 * rightOf(point, base ? 'base' : form, set, angle)) / 620;
        }),
      ),
    );
    expectClose(measures.accuracy.data, expected, EXACT, 'accuracy');
    expect(new Set(measures.accuracy.data).size).toBeGreaterThan(2);
    expect(facts).toMatchObject(models.length === 1 ? { from: 'base', to: 'one' } : { from: 'one', to: 'other' });
  });
});

test('a gate in the place of the ReLU has no base to begin at', async () => {
  await expect(run([labelled('mode', { adapter: 'dopamine+pre-activation' })])).rejects.toThrow(
    'interpolate: adapter must gate activations',
  );
});
