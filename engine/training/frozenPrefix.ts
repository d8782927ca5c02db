/**
 * Computes once what training cannot change.
 *
 * With a frozen base, much of every step depends only on the row's data and on frozen parameters. Such values are found in the graph (no
 * model says so), computed for every row of the tables, and read from a table afterwards: `f(x[index])` becomes `f(x)[index]`.
 */
import type { Dimension } from '../graph/dimension.ts';
import { dependents, program, sliceAfter, type Program } from '../graph/program.ts';
import { substitute } from '../graph/rebuild.ts';
import type { Value } from '../graph/value.ts';
import { gather } from '../ops/index.ts';

export interface FrozenPrefix {
  /** The loss, reading the tables instead. */
  readonly loss: Value;
  /** What to tabulate: a program of `index` and frozen inputs whose outputs, by table name, have one row for each row number. */
  readonly tables: Program | undefined;
  /** Shapes of the tables' rows. */
  readonly rows: ReadonlyMap<string, readonly number[]>;
}

/**
 * @param loss any value of a graph whose rows are read by `index` [rows] from tables of `count` rows
 * @param changing parameters and settings that change from step to step
 */
export function frozenPrefix(loss: Value, index: Value, count: number, changing: readonly Value[]): FrozenPrefix {
  const { graph } = loss;
  const [rows] = index.shape as [Dimension];
  const perRow = dependents([loss], [index]);
  // Products are what is worth a table; what is made of them is as cheap as reading one, and adapters differ in it.
  const worth = (value: Value) =>
    value.node?.operation.name === 'matmul' &&
    value.shape[0] === rows &&
    value.shape.slice(1).every((dimension) => typeof dimension === 'number') &&
    perRow.has(value);
  const changes = Object.fromEntries(changing.map((value, i) => [`changing.${i}`, value]));
  const { frontier } = sliceAfter({ loss }, changes, (value) => !worth(value));
  const replacements = new Map<Value, Value>();
  const outputs: Record<string, Value> = {};
  const shapes = new Map<string, readonly number[]>();
  for (const value of frontier.values()) {
    const name = `frozen.${replacements.size}`;
    const row = value.shape.slice(1) as number[];
    replacements.set(value, gather(graph.input(name, [count, ...row]), index));
    outputs[name] = value;
    shapes.set(name, row);
  }
  if (replacements.size === 0) return { loss, tables: undefined, rows: shapes };
  return { loss: substitute([loss], replacements)[0], tables: program(outputs), rows: shapes };
}
