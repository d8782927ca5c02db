/** Finds where a computation first stopped being finite. */
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { program, type Program } from '../graph/program.ts';
import type { Node, Value } from '../graph/value.ts';

/**
 * The first place (in the order of computing) with a NaN or an infinity: an input, or a site and the node whose value it names.
 * @param tables inputs of which only the rows named by the feed `index` count
 */
export function firstNonFinite(source: Program, feeds: Feeds, tables: readonly string[] = []): string | undefined {
  for (const [name, { dtype }] of source.inputs) {
    if (dtype !== 'float32') continue;
    const { data, shape } = feeds[name];
    if (tables.includes(name)) {
      const width = data.length / shape[0];
      const row = feeds.index.data.find((number) => !finite(data.subarray(number * width, (number + 1) * width)));
      if (row !== undefined) return `input ${name}, row ${row}`;
    } else if (!finite(data)) return `input ${name}`;
  }
  const values = source.nodes.flatMap((node) => node.outputs.filter(({ dtype }) => dtype === 'float32').map((value) => ({ node, value })));
  const executor = new OnnxRuntimeExecutor();
  try {
    const results = evaluateOnce(executor, program(Object.fromEntries(values.map(({ value }, i) => [`value.${i}`, value]))), feeds);
    const found = values.find((_value, i) => !finite(results[`value.${i}`].data));
    return found && placeOf(found.node, found.value, source);
  } finally {
    executor.dispose();
  }
}

/** `layers.0.hook_pre (layers.0/matmul.16)`, or the node alone where no site names its value. */
function placeOf(node: Node, value: Value, source: Program): string {
  const marked = source.nodes.find(({ operation, inputs }) => operation.name === 'site' && inputs[0] === value);
  return marked ? `${String(marked.attributes.name)} (${node.label})` : node.label;
}

function finite(data: ArrayLike<number>): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}
