/** Accuracy and loss against counting in double precision. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { accuracy } from './accuracy.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { lossOf, rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const models = [
  labelled('foundation', {}),
  labelled('mode', { adapter: 'dopamine' }),
  labelled('context', { adapter: 'dopamine+context', modeAngles: [45, 0] }),
  labelled('gains', { adapter: 'gain', seed: 2 }),
];

test.each(['test', 'heldOut'] as const)('every form at every angle, %s', async (part) => {
  const findings = await accuracy.run({ models, seed: 0, options: { angles: [0, 45], part } }, analysisContext(executor));
  const forms = ['base', 'soft', 'hard'] as const;
  const cells = models.flatMap(({ model }) =>
    forms.flatMap((form) =>
      [0, 45].map((angle) => {
        const missing = (form !== 'base' && !model.adapter) || (form === 'hard' && model.adapter?.id === 'gain');
        const set = smallImages(part, angle, model.seed);
        return missing ? [NaN, NaN] : [(100 * rightOf(model, form, set, angle)) / set.count, lossOf(model, form, set, angle)];
      }),
    ),
  );
  expectClose(
    findings.measures.accuracy.data,
    cells.map(([right]) => right),
    EXACT,
    'accuracy',
  );
  // Losses of about 1, from logits that carry the rounding of some eighty float32 terms.
  expectClose(
    findings.measures.negativeLogLikelihood.data,
    cells.map(([, loss]) => loss),
    { relative: 1e-6, absolute: 0 },
    'loss',
  );
  expect(findings.axes).toEqual({
    model: { values: ['foundation', 'mode', 'context', 'gains'] },
    form: { values: forms },
    angle: { values: [0, 45], unit: '°' },
  });
  expect(findings.facts).toMatchObject({ part, images: part === 'test' ? 620 : 510, device: 'onnxruntime-cpu', angles: '0°, 45°' });
  // The models are not so alike that anything would do.
  expect(new Set(findings.measures.accuracy.data).size).toBeGreaterThan(8);
});
