/** Small classifiers to sweep, the sweep's numbers as one table, and the slow road to them: whole graphs fed with the changed site. For tests. */
import { Random } from '../../base/random.ts';
import { evaluateOnce, type Executable, type Executor, type Feeds } from '../../execute/executor.ts';
import { program } from '../../graph/program.ts';
import { adapterOf } from '../../models/adapters/index.ts';
import type { ClassifierModel } from '../../models/classifier.ts';
import { mlpParameters } from '../../models/mlp.ts';
import { initialise } from '../../models/parameters.ts';
import type { UnitSweep, UnitSweepGraph, UnitWrite, WholeRun } from '../unitSweep.ts';

/** A classifier with random weights and, if asked for, an adapter whose parameters have moved from where they begin. */
export function randomClassifier(widths: readonly number[], seed: number, adapterId?: string, angles: number[] = [45]): ClassifierModel {
  const random = new Random(seed);
  const model = {
    architecture: 'mlp' as const,
    widths: [...widths],
    angles: [0],
    seed,
    rows: 'all' as const,
    base: initialise(mlpParameters({ widths }), random),
  };
  if (adapterId === undefined) return model;
  const adapter = adapterOf(adapterId);
  const parameters = initialise(adapter.parameters({ widths }, angles.length), random.fork('adapter'));
  for (const [name, values] of Object.entries(parameters)) {
    const noise = new Float32Array(values.length);
    random.fork('moved', name).fillUniform(noise, -0.3, 0.3);
    values.forEach((value, i) => (values[i] = value + noise[i]));
  }
  const temperature = adapter.gated ? widths.slice(1, -1).map((_width, layer) => 0.1 + 0.05 * layer) : [];
  return { ...model, adapter: { id: adapterId, angles, seed, rows: 'all', sparsity: 0, temperature, parameters } };
}

export const randomRows = (count: number, width: number, seed: number): Float32Array => {
  const rows = new Float32Array(count * width);
  new Random(seed).fillUniform(rows, 0, 1);
  return rows;
};

/** The output of every write to a site, [units, rows, n]; what the sweep did not run is the clean run's. */
export function tabulated(sweep: UnitSweep, clean: WholeRun, site: number, write: UnitWrite): { table: Float32Array; run: Int32Array } {
  const units = clean.sites[site].length / clean.rows;
  const n = clean.output.length / clean.rows;
  const table = new Float32Array(units * clean.output.length);
  const run = new Int32Array(units);
  for (let unit = 0; unit < units; unit++) table.set(clean.output, unit * clean.output.length);
  for (const written of sweep.run(clean, site, write))
    written.units.forEach((unit, i) => {
      run[unit] += 1;
      table.set(written.output.subarray(i * n, (i + 1) * n), (unit * clean.rows + written.rows[i]) * n);
    });
  return { table, run };
}

/** Whole graphs cut at one site and nowhere else. */
export class NaiveUnits {
  /** [rows, n] and [rows, units], of the rows as they are. */
  readonly output: Float32Array;
  readonly site: Float32Array;
  readonly #rows: number;
  readonly #feeds: Feeds;
  readonly #patched: Executable;

  constructor(executor: Executor, { output, sites }: UnitSweepGraph, site: number, feeds: Feeds) {
    this.#feeds = feeds;
    const whole = evaluateOnce(executor, program({ output, site: sites[site] }), feeds);
    this.output = whole.output.data as Float32Array;
    this.site = whole.site.data as Float32Array;
    [this.#rows] = whole.output.shape;
    this.#patched = executor.compile(program({ output }, { written: sites[site] }));
  }

  /** The output [rows, n] with one unit written in every row. @param values [rows, units], of which the unit's are taken, or a number */
  patched(unit: number, values: Float32Array | number): Float32Array {
    const units = this.site.length / this.#rows;
    const written = this.site.slice();
    for (let at = unit; at < written.length; at += units) written[at] = typeof values === 'number' ? values : values[at];
    return this.#patched.run({ ...this.#feeds, written: { data: written, shape: [this.#rows, units] } }).output.data as Float32Array;
  }
}

/** mean |a − b|. */
export const meanDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((total, value, i) => total + Math.abs(value - b[i]), 0) / a.length;
