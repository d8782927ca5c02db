/** The curve against counting in double precision. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { angleCurve } from './angleCurve.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const models = [
  labelled('mode', { adapter: 'dopamine' }),
  labelled('bias', { adapter: 'bias', seed: 2 }),
  labelled('foundation', { seed: 2 }),
];
const angles = [0, 30, 90];

test('accuracy at every angle, of the model and of its foundation', async () => {
  const { measures, facts } = await angleCurve.run(
    { models, seed: 0, options: { angles, form: 'hard', part: 'test' } },
    analysisContext(executor),
  );
  const right = (form: (id: string | undefined) => 'base' | 'soft' | 'hard') =>
    models.flatMap(({ model }) =>
      angles.map((angle) => (100 * rightOf(model, form(model.adapter?.id), smallImages('test', angle), angle)) / 620),
    );
  const own = right((id) => (id === 'dopamine' ? 'hard' : id ? 'soft' : 'base'));
  const base = right(() => 'base');
  expectClose(measures.accuracy.data, own, EXACT, 'accuracy');
  expectClose(measures.base.data, base, EXACT, 'base');
  expectClose(
    measures.difference.data,
    own.map((value, i) => value - base[i]),
    { relative: 1e-12, absolute: 1e-12 },
    'difference',
  );
  expectClose(measures.difference.data.slice(6), [0, 0, 0], EXACT, 'difference of a foundation');
  expect(facts).toMatchObject({ form: 'hard; models without gates have one form', images: 620, angles: '0°, 30°, 90°' });
});
