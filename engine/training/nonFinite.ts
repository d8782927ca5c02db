/** Finds where a computation first stopped being finite. */
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { program, type Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';

/** The label of the first node (in the order of computing) with a NaN or an infinity, or the input that brought one. */
export function firstNonFinite(source: Program, feeds: Feeds): string | undefined {
  const bad = (data: ArrayLike<number>) => Array.prototype.some.call(data, (entry: number) => !Number.isFinite(entry));
  for (const name of source.inputs.keys()) if (bad(feeds[name].data)) return `input ${name}`;
  const outputs: Record<string, Value> = {};
  for (const node of source.nodes) node.outputs.forEach((value, slot) => value.dtype === 'float32' && (outputs[`${node.label}:${slot}`] = value));
  const executor = new OnnxRuntimeExecutor();
  try {
    const results = evaluateOnce(executor, program(outputs), feeds);
    const name = Object.keys(outputs).find((key) => bad(results[key].data));
    return name?.replace(/:\d+$/, '');
  } finally {
    executor.dispose();
  }
}
