/** A program as text: one line a node, numbered afresh, so that equal computations read the same whatever graph they come from. */
import type { Program } from './program.ts';
import type { Value } from './value.ts';

/** `%3 = matmul(images, layers.0.weight) {"transposeA":false} : float32[rows, 256]`, then one line an output. */
export function programText({ inputs, outputs, nodes }: Program): string {
  const names = new Map<Value, string>([...inputs].map(([name, value]) => [value, name]));
  const lines = [...inputs].map(([name, value]) => `input ${name} : ${String(value)}`);
  let next = 0;
  const nameOf = (value: Value): string => {
    const { source } = value;
    if (names.has(value)) return names.get(value)!;
    if (source.kind === 'uniform') return `${source.number}:${String(value)}`;
    if (source.kind === 'constant') return `[${source.data.join()}]:${String(value)}`;
    throw new Error(`programText: ${String(value)} is used before it is computed`);
  };
  for (const node of nodes) {
    const results = node.outputs.map((output) => {
      const name = `%${next++}`;
      if (!names.has(output)) names.set(output, name);
      return name;
    });
    const attributes = Object.keys(node.attributes).length > 0 ? ` ${JSON.stringify(node.attributes)}` : '';
    lines.push(
      `${results.join(', ')} = ${node.operation.name}(${node.inputs.map(nameOf).join(', ')})${attributes} : ${node.outputs.map(String).join(', ')}`,
    );
  }
  for (const [name, value] of outputs) lines.push(`output ${name} = ${nameOf(value)}`);
  return lines.join('\n');
}
