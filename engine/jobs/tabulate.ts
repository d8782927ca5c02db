/** Tables of what training cannot change (training/frozenPrefix.ts), made row chunk by row chunk and kept while the same base is adapted. */
import type { JobContext } from '../contract.ts';
import { programText } from '../graph/text.ts';
import type { Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Table } from '../execute/stepRunner.ts';
import type { Tensors } from '../models/parameters.ts';
import type { FrozenPrefix } from '../training/frozenPrefix.ts';

/** Rows tabulated at a time: fixed, since the number of rows of a product may change its last bits. */
const CHUNK = 500;

let latest: { key: string; tables: Record<string, Table> } | undefined;

export interface TabulateOptions {
  /** Rows of the tables. */
  readonly count: number;
  readonly data: Readonly<Record<string, Table>>;
  readonly frozen: Tensors;
  /** Stands for the data and the frozen parameters. */
  readonly key: string;
}

export async function tabulate(
  { tables: source, rows }: FrozenPrefix,
  { count, data, frozen, key: given }: TabulateOptions,
  context: JobContext,
): Promise<Record<string, Table>> {
  if (!source) return {};
  const key = `${given}\n${programText(source)}`;
  if (latest?.key === key) return latest.tables;
  const tables: Record<string, Table> = {};
  for (const [name, row] of rows) {
    const shape = [count, ...row];
    tables[name] = { dtype: 'float32', shape, buffer: new SharedArrayBuffer(4 * shape.reduce((a, b) => a * b, 1)) };
  }
  const executor = new OnnxRuntimeExecutor({ memory: 'training' });
  try {
    const executable = executor.compile(source);
    const feeds: Record<string, Feeds[string]> = {};
    for (const [name, value] of source.inputs) {
      const table = data[name] as Table | undefined;
      if (table)
        feeds[name] = {
          data: table.dtype === 'float32' ? new Float32Array(table.buffer) : new Int32Array(table.buffer),
          shape: table.shape,
        };
      else if (name !== 'index') feeds[name] = { data: frozen[name], shape: value.shape as number[] };
    }
    for (let begin = 0; begin < count; begin += CHUNK) {
      const size = Math.min(CHUNK, count - begin);
      const index = { data: Int32Array.from({ length: size }, (_entry, i) => begin + i), shape: [size] };
      const into = Object.fromEntries(
        Object.entries(tables).map(([name, { shape, buffer }]) => [
          name,
          new Float32Array(buffer, (4 * begin * (buffer.byteLength / 4)) / shape[0], (size * (buffer.byteLength / 4)) / shape[0]),
        ]),
      );
      executable.bind({ ...feeds, index }, into)();
      await context.breathe();
    }
  } finally {
    executor.dispose();
  }
  latest = { key, tables };
  return tables;
}
