/** How fast this machine multiplies here and now: one large product of two float32 matrices in ONNX Runtime. */
import { OnnxRuntimeExecutor } from '../../engine/execute/onnxruntime.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { program } from '../../engine/graph/program.ts';
import { matmul } from '../../engine/ops/index.ts';

const SIZE = 1024;
/** The fastest counts. */
const TIMES = 15;

/** In 1e9 multiplications and additions a second. */
export function productRate(threads: number): number {
  const graph = new Graph();
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, [SIZE, SIZE]));
  const executor = new OnnxRuntimeExecutor({ threads });
  const run = executor.compile(program({ product: matmul(a, b) }));
  const matrix = { data: Float32Array.from({ length: SIZE * SIZE }, (_entry, i) => (i % 7) - 3), shape: [SIZE, SIZE] };
  let best = Infinity;
  for (let i = 0; i < TIMES; i++) {
    const began = performance.now();
    run.run({ a: matrix, b: matrix });
    best = Math.min(best, performance.now() - began);
  }
  run.dispose();
  executor.dispose();
  return (2 * SIZE ** 3) / (best * 1e6);
}
