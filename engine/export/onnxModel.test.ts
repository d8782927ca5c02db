/** The file that stands alone, run by ONNX Runtime on its own: the bits of our executor, for every adapter and form. */
import { afterAll, describe, expect, test } from 'vitest';
import { Forward, rowFeeds } from '../analyses/forward.ts';
import { smallImages, smallModel } from '../analyses/testing/models.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { bindSession, OnnxRuntimeExecutor, openSession } from '../execute/onnxruntime.ts';
import { formsOf, onnxModel } from './onnxModel.ts';
import { everyKind } from './testing/everyKind.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const images = smallImages('test', 45);
const ROWS = 50;

describe.each(everyKind)('%s', (_name, settings) => {
  const model = smallModel(settings);

  test.each(formsOf(model))('%s', (form) => {
    const { images: data, modes } = rowFeeds(model, images, 0, ROWS, 45);
    const feeds = {
      images: { ...data, dtype: 'float32' as const },
      ...(modes && form !== 'base' && { modes: { ...modes, dtype: 'float32' as const } }),
    };
    const alone = bindSession(openSession(onnxModel(model, form)), feeds, { logits: null })().logits;
    using forward = new Forward(executor, model, form, ({ logits }) => ({ outputs: { logits } }));
    expectClose(alone.data as Float32Array, forward.run(images, 0, ROWS, 45).logits.data, EXACT, form);
    expect(alone.dims).toEqual([ROWS, 3]);
  });
});

test('a form that the model has not is refused', () => {
  expect(() => onnxModel(smallModel({ adapter: 'gain' }), 'hard')).toThrow(
    'onnx: form must be one of soft, base, which this model has, got "hard"',
  );
  expect(() => onnxModel(smallModel(), 'soft')).toThrow('onnx: form must be one of base, which this model has, got "soft"');
});

test('the file says what it is', () => {
  const text = Buffer.from(
    onnxModel(smallModel({ adapter: 'dopamine+context', modeAngles: [0, 45] }), 'hard', { title: 'two modes' }),
  ).toString('latin1');
  for (const word of ['two modes', 'dopamine+context', '0,45', '36,8,6,3']) expect(text).toContain(word);
});
