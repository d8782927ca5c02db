/**
 * The second executor: interprets a program operation by operation on TensorFlow.js.
 *
 * It is the oracle that operations, models and analyses are held against, and a way onto CUDA where the native binding is installed.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { UserError } from '../base/errors.ts';
import { evaluateShape } from '../graph/dimension.ts';
import type { TensorFlow, TensorFlowContext } from '../graph/operation.ts';
import { bindSymbols, type Program, type TensorData } from '../graph/program.ts';
import type { Data, DType, Value } from '../graph/value.ts';
import { ExecutionError, requireFits, type Executable, type Executor, type Feeds, type Results } from './executor.ts';

// It advises users of Node to install its native backend whenever this one is used; which backend runs is our user's choice (devices.ts).
tf.env().set('IS_TEST', true);

export class TensorFlowExecutor implements Executor {
  readonly name: string;
  readonly #tf: TensorFlow;

  /** @param module TensorFlow.js with the backend to use registered; its own CPU backend by default */
  constructor(module: TensorFlow = tf, backend = 'cpu') {
    this.#tf = module;
    this.name = `tensorflow-${backend}`;
    if (module.findBackend(backend) === null) throw new UserError('tensorflow: backend', 'must be registered', backend);
    module.setBackend(backend).catch(() => undefined);
  }

  compile(program: Program): Executable {
    const module = this.#tf;
    return { run: (feeds) => module.tidy(() => interpret(module, program, feeds)), dispose: () => undefined };
  }

  dispose(): void {
    /* tensors live only within a run */
  }
}

function interpret(module: TensorFlow, program: Program, feeds: Feeds): never {
  const bindings = bindSymbols(program.inputs, feeds);
  for (const [name, value] of program.inputs) requireFits(`run: input ${name}`, value.dtype, feeds[name]);
  const context: TensorFlowContext = { tf: module, sizes: (shape) => evaluateShape(shape, bindings) };
  const tensors = new Map<Value, tf.Tensor>();
  for (const [name, value] of program.inputs) tensors.set(value, module.tensor(feeds[name].data, [...feeds[name].shape], value.dtype));
  const tensorOf = (value: Value): tf.Tensor => {
    const known = tensors.get(value);
    if (known) return known;
    const { source } = value;
    let made: tf.Tensor;
    if (source.kind === 'constant') made = module.tensor(source.data, value.shape as number[], value.dtype);
    else if (source.kind === 'uniform')
      made = module.fill(context.sizes(value.shape), source.number, value.dtype === 'bool' ? 'int32' : value.dtype);
    else throw new Error(`tensorflow: ${String(value)} is used before it is computed`);
    if (made.dtype !== value.dtype) made = module.cast(made, value.dtype);
    tensors.set(value, made);
    return made;
  };
  for (const node of program.nodes) {
    try {
      const result = node.operation.tensorflow(context, node.inputs.map(tensorOf), node);
      // A cut output stays what was fed, though another output of its node is computed.
      for (const [slot, tensor] of (Array.isArray(result) ? result : [result]).entries())
        if (!tensors.has(node.outputs[slot])) tensors.set(node.outputs[slot], tensor);
    } catch (error) {
      throw new ExecutionError(node.label, (error as Error).message, { cause: error });
    }
  }
  const results: Results = {};
  for (const [name, value] of program.outputs) results[name] = read(tensorOf(value), value.dtype);
  return results as never;
}

function read(tensor: tf.Tensor, dtype: DType): TensorData {
  const raw = tensor.dataSync();
  const data: Data = dtype === 'float32' ? Float32Array.from(raw) : dtype === 'int32' ? Int32Array.from(raw) : Uint8Array.from(raw);
  return { data, shape: tensor.shape };
}
