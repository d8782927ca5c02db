/**
 * The activation-patching sweep over units: one unit of a site is swapped for its value in another run, or set to a number, for every unit
 * and every row. One clean and one donor run serve all of them; each write recomputes only what it can reach (unitBranches.ts).
 *
 * Equal to whole graphs fed with the changed site, write by write (tests hold it to that). Writes that change nothing are not run: their
 * output is that of the clean run, to the bit. Metrics are made of the outputs by whoever asked.
 */
import { UserError } from '../base/errors.ts';
import type { Executable, Executor, Feeds } from '../execute/executor.ts';
import type { Symbolic } from '../graph/dimension.ts';
import { program, sliceAfter, type Program, type Slice, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { reaches, requireInteger } from './sweep.ts';
import { BRANCH, unitBranches, valueName, type UnitBranches } from './unitBranches.ts';

export interface UnitSweepGraph {
  /** What is read, [rows, n]. */
  readonly output: Value;
  /** Where units are written to, [rows, units] each. */
  readonly sites: readonly Value[];
  readonly rows: Symbolic;
}

export interface UnitSweepOptions {
  /** Whether changes may enter at products (default true). Off only to test that this changes nothing. */
  readonly products?: boolean;
}

/** One forward of the whole graph: what every write on these rows starts from, and what swaps take their donors from. */
export interface WholeRun {
  readonly rows: number;
  /** [rows, n] */
  readonly output: Float32Array;
  /** By site, [rows, units] each. */
  readonly sites: readonly Float32Array[];
  /** By the names of unitBranches.ts. */
  readonly values: Feeds;
}

/** What is done to a unit: its value in another run of as many rows, or a number. */
export type UnitWrite = { readonly op: 'swap'; readonly donor: WholeRun } | { readonly op: 'set'; readonly value: number };

/** Writes that were run: entry i is of `units[i]` in row `rows[i]`, and gave row i of `output`. Views, which hold until the next run. */
export interface Written {
  readonly units: Int32Array;
  readonly rows: Int32Array;
  readonly output: Float32Array;
}

/** What the widest value of a run of branches may take: a few such values stay in the second-level cache of a core. */
const WIDEST_BYTES = 1 << 18;
const LEAST_BRANCHES = 2;

interface SitePlan {
  readonly branches: UnitBranches;
  readonly run: Executable;
  /** From all units written at once to the factors; undefined where the factors are the site itself. */
  readonly enter?: { readonly program: Program; readonly run: Executable };
  /** Branches of one run. */
  readonly capacity: number;
}

/** The programs of a sweep over one model; rows come later, in any number. */
export class UnitSweep implements Disposable {
  readonly #graph: UnitSweepGraph;
  readonly #fixed: Feeds;
  readonly #plans: readonly (SitePlan | undefined)[];
  readonly #whole: Executable;

  /** @param fixed what the graph is fed with in every run: its parameters */
  constructor(executor: Executor, graph: UnitSweepGraph, fixed: Feeds, { products = true }: UnitSweepOptions = {}) {
    const { output, sites, rows } = graph;
    this.#graph = graph;
    this.#fixed = fixed;
    requireUnits('unitSweep: output', output, rows);
    sites.forEach((site, i) => requireUnits(`unitSweep: site ${i}`, site, rows));
    const wanted = new Set<Value>([output, ...sites]);
    this.#plans = sites.map((site) => {
      if (!reaches(site, output)) return undefined;
      const branches = unitBranches({ output, site, rows, products });
      const enter = enterProgram(branches.factors, site);
      for (const value of [...branches.reads.values(), ...branches.factors, ...(enter?.frontier.values() ?? [])]) wanted.add(value);
      return {
        branches,
        run: executor.compile(branches.program),
        ...(enter && { enter: { program: enter.after, run: executor.compile(enter.after) } }),
        capacity: capacityOf(branches.program, rows),
      };
    });
    const computed = [...wanted].filter(({ source }) => source.kind !== 'input');
    this.#whole = executor.compile(program(Object.fromEntries(computed.map((value) => [valueName(value), value]))));
  }

  /** How writes to a site are computed: as terms added to products, from the site on, or not at all, since the output does not read it. */
  form(site: number): UnitBranches['form'] | 'unread' {
    return this.#plans[site]?.branches.form ?? 'unread';
  }

  /** Runs the whole graph once. @param feeds what belongs to these rows */
  whole(feeds: Feeds): WholeRun {
    const all = { ...this.#fixed, ...feeds };
    const values = { ...all, ...this.#whole.run(all) };
    const of = (value: Value) => values[valueName(value)].data as Float32Array;
    const { output, sites } = this.#graph;
    return { rows: values[valueName(output)].shape[0], output: of(output), sites: sites.map(of), values };
  }

  /**
   * Writes to every unit of a site, one at a time, in every row of `clean`, and yields what was run, run by run. What is not yielded was proved
   * to change nothing.
   * @throws UserError for a site that is not there, a donor of other rows or a number that is none
   */
  *run(clean: WholeRun, site: number, write: UnitWrite): Generator<Written, void, void> {
    requireInteger('unitSweep: site', site, 0, this.#plans.length - 1);
    const plan = this.#plans[site];
    const all = writtenSite(clean, site, write);
    if (!plan) return;
    const { branches, capacity } = plan;
    const own = clean.sites[site];
    const units = own.length / clean.rows;
    const before = branches.factors.map((factor) => clean.values[valueName(factor)].data as Float32Array);
    const after = this.#enter(plan, clean, { data: all, shape: [clean.rows, units] });
    const added = branches.form === 'added';
    const shared = Object.fromEntries([...branches.reads].map(([name, value]) => [name, clean.values[valueName(value)]]));

    const rowOf = new Int32Array(capacity);
    const unitOf = new Int32Array(capacity);
    const values = before.map(() => new Float32Array(capacity));
    const flush = (count: number): Written => {
      const [rows, units] = [rowOf.subarray(0, count), unitOf.subarray(0, count)];
      const feeds: Record<string, TensorData> = {
        ...clean.values,
        ...shared,
        [BRANCH.row]: { data: rows, shape: [count] },
        [BRANCH.unit]: { data: units, shape: [count] },
      };
      values.forEach((data, i) => (feeds[BRANCH.written(i)] = { data: data.subarray(0, count), shape: [count, 1] }));
      const { output } = plan.run.run(feeds);
      return { units, rows, output: output.data as Float32Array };
    };
    let count = 0;
    for (let row = 0, at = 0; row < clean.rows; row++)
      for (let unit = 0; unit < units; unit++, at++) {
        // Written as it was: proved here, whatever a program between site and factors may round.
        if (Object.is(own[at], all[at])) continue;
        let differs = false;
        for (let i = 0; i < before.length; i++) differs ||= !Object.is(before[i][at], after[i][at]);
        if (!differs) continue;
        rowOf[count] = row;
        unitOf[count] = unit;
        for (let i = 0; i < before.length; i++) values[i][count] = added ? after[i][at] - before[i][at] : after[i][at];
        if (++count < capacity) continue;
        yield flush(count);
        count = 0;
      }
    if (count > 0) yield flush(count);
  }

  /** Lets go of the programs; the executor stays. */
  [Symbol.dispose](): void {
    for (const plan of this.#plans) {
      plan?.run.dispose();
      plan?.enter?.run.dispose();
    }
    this.#whole.dispose();
  }

  /** The factors with every unit written: units do not meet before, so each column is what a write to that unit alone would give. */
  #enter({ enter, branches }: SitePlan, clean: WholeRun, written: TensorData): Float32Array[] {
    if (!enter) return [written.data as Float32Array];
    const results = enter.run.run(feedsOf(enter.program, { ...clean.values, [WRITTEN]: written }));
    return branches.factors.map((factor) => results[valueName(factor)].data as Float32Array);
  }
}

/** The changed site in programs that lead from it to factors. */
const WRITTEN = 'written';

function enterProgram(factors: readonly Value[], site: Value): Slice | undefined {
  if (factors.every((factor) => factor === site)) return undefined;
  return sliceAfter(Object.fromEntries(factors.map((factor) => [valueName(factor), factor])), { [WRITTEN]: site });
}

/** A program's inputs by their names, or by those of the values that are cut there. */
const feedsOf = ({ inputs }: Program, values: Feeds): Feeds =>
  Object.fromEntries([...inputs].map(([name, value]) => [name, values[name] ?? values[valueName(value)]]));

/** How many branches a run takes: fixed by the model, so that results do not depend on the machine. */
function capacityOf({ nodes }: Program, rows: Symbolic): number {
  let widest = 1;
  for (const { outputs } of nodes)
    for (const { shape } of outputs)
      widest = Math.max(
        widest,
        shape.filter((dimension) => dimension !== rows).reduce<number>((product, size) => product * (size as number), 1),
      );
  return Math.max(LEAST_BRANCHES, Math.floor(WIDEST_BYTES / (4 * widest)));
}

function requireUnits(place: string, value: Value, rows: Symbolic): void {
  if (value.rank !== 2 || value.shape[0] !== rows || typeof value.shape[1] !== 'number' || value.dtype !== 'float32')
    throw new UserError(place, `must be float32 [${rows.text}, n]`, String(value));
}

/** The site with every unit written. */
function writtenSite(clean: WholeRun, site: number, write: UnitWrite): Float32Array {
  const { length } = clean.sites[site];
  if (write.op === 'swap') {
    if (write.donor.rows !== clean.rows) throw new UserError('unitSweep: donor', `must be a run of ${clean.rows} rows`, write.donor.rows);
    return write.donor.sites[site];
  }
  if (!Number.isFinite(write.value)) throw new UserError('unitSweep: value', 'must be a finite number', write.value);
  return new Float32Array(length).fill(write.value);
}
