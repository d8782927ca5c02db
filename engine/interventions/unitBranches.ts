/**
 * What writing to single units does to an output, for any number of writes in one run.
 *
 * Each write is a *branch*: one unit of one row. Branches stand on the rows axis, one after another; whatever a write cannot reach is read
 * from the clean run at the branch's row, and the rest is computed as the model says. A change enters where unitProducts.ts finds that it can be
 * added to a product, else at the site itself. That rows do not see one another is checked, not assumed.
 */
import { UserError } from '../base/errors.ts';
import { symbol, symbolsOf, type Symbolic } from '../graph/dimension.ts';
import { dependents, program, reachableNodes, sliceAfter, type Program } from '../graph/program.ts';
import { substitute } from '../graph/rebuild.ts';
import type { Value } from '../graph/value.ts';
import { add, equal, expandAxis, gather, multiply, where } from '../ops/index.ts';
import { axesAlong, axisOf } from './restrict.ts';
import { inputNamed } from './sweep.ts';
import { unitProducts } from './unitProducts.ts';

/** Rows of the run that branches read from. */
const CLEAN = symbol('clean');

/** Inputs of every program of branches, one entry for each: its row in the clean run, its unit, and what is written (`written.0`, …). */
export const BRANCH = {
  row: 'branch.row',
  unit: 'branch.unit',
  written: (factor: number): string => `branch.written.${factor}`,
} as const;

export interface UnitBranches {
  /** `added`: `written` is by how much each factor changes; `replaced`: it is what stands at the site. */
  readonly form: 'added' | 'replaced';
  /** Where units still stand apart and changes are taken: the factors of the products, or the site. [rows, units] each. */
  readonly factors: readonly Value[];
  /** Gives `output` [branches, n]. */
  readonly program: Program;
  /** What the program reads of the clean run, by the name of its input. */
  readonly reads: ReadonlyMap<string, Value>;
}

export interface UnitBranchesOptions {
  /** [rows, n] */
  readonly output: Value;
  /** [rows, units] */
  readonly site: Value;
  readonly rows: Symbolic;
  /** Whether changes may enter at products. */
  readonly products: boolean;
}

export function unitBranches({ output, site, rows, products: allowed }: UnitBranchesOptions): UnitBranches {
  const { graph } = output;
  const products = allowed ? unitProducts(output, site) : undefined;
  const factors = products ? [...new Set(products.map(({ factor }) => factor))] : [site];
  const changed = products ? products.map(({ value }) => value) : [site];
  requireRowwise(output, changed, rows);

  const row = inputNamed(graph, BRANCH.row, [rows], 'int32');
  const unit = inputNamed(graph, BRANCH.unit, [rows], 'int32');
  const written = factors.map((_factor, i) => inputNamed(graph, BRANCH.written(i), [rows, 1]));
  const reads = new Map<string, Value>();
  /** A value of the clean run at each branch's row. */
  const atRow = (value: Value): Value => {
    const name = `clean.${valueName(value)}`;
    reads.set(name, value);
    const shape = value.shape.map((dimension) => (dimension === rows ? CLEAN : dimension));
    return gather(inputNamed(graph, name, shape, value.dtype), row, axisOf(value, rows));
  };

  const replacements = new Map<Value, Value>();
  if (products)
    for (const { value, factor, weight, scale } of products)
      replacements.set(value, add(atRow(value), multiply(multiply(written[factors.indexOf(factor)], scale), gather(weight, unit))));
  else {
    const units = site.shape[1] as number;
    const range = graph.constant(
      Int32Array.from({ length: units }, (_entry, i) => i),
      [units],
    );
    replacements.set(site, where(equal(expandAxis(unit, 1), range), written[0], atRow(site)));
  }
  const { after, frontier } = sliceAfter({ output }, Object.fromEntries(changed.map((value, i) => [`changed.${i}`, value])));
  /** What neither a write reaches nor a row belongs to (a transposed weight, say) is taken ready-made too. */
  const cuts: Record<string, Value> = {};
  for (const value of after.inputs.values())
    if (!changed.includes(value) && axisOf(value, rows) !== undefined) replacements.set(value, atRow(value));
    else if ([...frontier.values()].includes(value)) {
      cuts[`fixed.${valueName(value)}`] = value;
      reads.set(`fixed.${valueName(value)}`, value);
    }
  const [result] = substitute([output], replacements);
  return { form: products ? 'added' : 'replaced', factors, program: program({ output: result }, cuts), reads };
}

/** What a value is called among those of a run. */
export const valueName = ({ source, id }: Value): string =>
  source.kind === 'input' ? source.name : source.kind === 'node' ? `${source.node.label}.${source.slot}` : `constant.${id}`;

/** Throws unless what `changed` reaches on its way to `output` has one row for each row of the model, computed from that row alone. */
function requireRowwise(output: Value, changed: readonly Value[], rows: Symbolic): void {
  const reached = dependents([output], changed);
  const refuse = (place: string, value: Value): never => {
    throw new UserError(
      `cut rows: ${place}`,
      `must have one axis of ${rows.text}, and each row must be computed from that row alone`,
      String(value),
    );
  };
  const rowsAxis = (place: string, value: Value): number | undefined => {
    const symbols = value.shape.filter((dimension) => symbolsOf(dimension).length > 0);
    if (symbols.length > 1 || symbols.some((dimension) => dimension !== rows)) refuse(place, value);
    return symbols.length === 0 ? undefined : axisOf(value, rows);
  };
  for (const value of changed) if (rowsAxis('changed', value) === undefined) refuse('changed', value);
  for (const node of reachableNodes([output], new Set(changed))) {
    if (!node.inputs.some((input) => reached.has(input))) continue;
    const axis = rowsAxis(node.label, node.outputs[0]) ?? refuse(node.label, node.outputs[0]);
    const axes = axesAlong(node, axis, 'rows');
    node.inputs.forEach((input, i) => {
      if (rowsAxis(node.label, input) !== undefined && axes[i] !== axisOf(input, rows)) refuse(node.label, input);
    });
  }
}
