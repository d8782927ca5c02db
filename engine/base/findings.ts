/**
 * What an analysis found: numbers with named axes and units, and what has to be known to read them. No colours, no pixels, no prose.
 *
 * One form for every analysis, so that the session file, the exports and the tables need no knowledge of any. Plain data: it survives
 * structured clone.
 */
import { UserError } from './errors.ts';

/** What the entries along one direction are: classes, units, angles, models. */
export interface Axis {
  readonly values: readonly (string | number)[];
  /** Of numeric values: `°`, `steps`; absent for names. */
  readonly unit?: string;
}

export type Numbers = Float32Array | Float64Array | Int32Array;

export interface Measure {
  /** Names of axes, outermost first. None: one number. */
  readonly axes: readonly string[];
  /** `%`, `share`, `logits`, `points`; empty for a pure number. */
  readonly unit: string;
  /** How it is counted, denominator included, in one sentence. */
  readonly definition: string;
  /** Row-major over the axes. NaN where there is no such number; the definition says when. */
  readonly data: Numbers;
}

/** What a paper or specification says, and what was measured. */
export interface Claim {
  readonly claim: string;
  /** The figures the claim speaks of, by seed or by name. */
  readonly measured: Readonly<Record<string, number>>;
  readonly status: 'holds' | 'in sign only' | 'does not hold';
}

export interface Findings {
  readonly axes: Readonly<Record<string, Axis>>;
  readonly measures: Readonly<Record<string, Measure>>;
  /** What the numbers rest on: n, form, part of the data, device, thresholds of definitions, single figures. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly claims?: readonly Claim[];
}

/** Throws unless every measure's axes are there and its data as many as they say. @returns the findings */
export function checkFindings(findings: Findings): Findings {
  for (const [name, { axes, data }] of Object.entries(findings.measures)) {
    const missing = axes.find((axis) => !Object.hasOwn(findings.axes, axis));
    if (missing !== undefined) throw new UserError(`findings: ${name}`, 'must have only axes that are there', missing);
    const size = axes.reduce((product, axis) => product * findings.axes[axis].values.length, 1);
    if (data.length !== size) throw new UserError(`findings: ${name}`, `must hold ${size} numbers`, data.length);
  }
  return findings;
}

/** One row of the long form: where on each axis, and the number there. */
export interface Cell {
  readonly measure: string;
  readonly at: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly unit: string;
}

/** Every number of the findings, measure by measure, in row-major order. */
export function* cells({ axes, measures }: Findings): Generator<Cell> {
  for (const [measure, { axes: names, unit, data }] of Object.entries(measures)) {
    const sizes = names.map((name) => axes[name].values.length);
    for (let i = 0; i < data.length; i++) {
      const at: Record<string, string | number> = {};
      let rest = i;
      for (let axis = names.length - 1; axis >= 0; axis--) {
        at[names[axis]] = axes[names[axis]].values[rest % sizes[axis]];
        rest = Math.floor(rest / sizes[axis]);
      }
      yield { measure, at: Object.fromEntries(names.map((name) => [name, at[name]])), value: data[i], unit };
    }
  }
}
