/** The planned way against whole forwards of both executors: every architecture option, and prompts that differ from the start, the middle, the end on. */
import { afterAll, test } from 'vitest';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { options } from '../models/testing/options.ts';
import { holdToWholes, LENGTH } from './testing/holdToWholes.ts';

const onnx = new OnnxRuntimeExecutor();
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

test.each(Object.entries({ 'as it is by default': {}, ...options }))('%s', async (_name, option) => {
  await holdToWholes([onnx, tensorflow], option, [0, LENGTH / 2, LENGTH - 1]);
});
