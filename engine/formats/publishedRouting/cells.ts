/** Findings over the heads of a model of which a published table lists all or some: numbers where it has them, NaN and `not-run` elsewhere. */
import { UserError } from '../../base/errors.ts';
import { checkFindings, type Findings, type Measure } from '../../base/findings.ts';
import type { Run } from './folder.ts';
import { sameInAll, type Row, type Table } from './table.ts';

/** What is known of a published model besides its tables. */
export interface PublishedModel {
  /** As the folder spells it: `gemma2_2b`. */
  readonly key: string;
  /** `google/gemma-2-2b-it`; the folder's spelling where no file has it. */
  readonly id: string;
  readonly layers: number;
  readonly heads: number;
}

export interface PublishedFindings extends Pick<Run, 'experiment' | 'variant' | 'path'> {
  readonly model: string;
  /** Axes, numbers, definitions; facts name the file and column of every measure: `source.necessity`. */
  readonly findings: Findings;
  /** [layer, head], row-major, of what is measured by head; empty for other tables. Numbers here were computed elsewhere, never by Gatescope. */
  readonly states: readonly ('imported' | 'not-run')[];
}

/** A measure, and what it was read from or made of. */
export type Sourced = Measure & { readonly source: string };

export const place = ({ layer, head }: { layer: number; head: number }): string => `L${layer}H${head}`;

/** Rows of a table with the columns `layer` and `head`, by cell. @throws UserError for a head that is not there or stands twice */
export function byHead({ path, rows }: Table, { layers, heads }: PublishedModel): Map<number, Row> {
  const found = new Map<number, Row>();
  for (const row of rows) {
    const [layer, head] = [row.index('layer', layers), row.index('head', heads)];
    const cell = layer * heads + head;
    if (found.has(cell)) throw new UserError(`published results: ${path}: rows`, 'must be of different heads', place({ layer, head }));
    found.set(cell, row);
  }
  return found;
}

/** A measure [layer, head] of the rows' numbers. */
export function headMeasure(
  { layers, heads }: PublishedModel,
  cells: ReadonlyMap<number, number>,
  about: { unit: string; definition: string; source: string },
): Sourced {
  const data = new Float64Array(layers * heads).fill(NaN);
  for (const [cell, value] of cells) data[cell] = value;
  return { axes: ['layer', 'head'], data, ...about };
}

/** The findings of one run. @param listed cells [layer · heads + head] that the table has; absent for tables that are not by head */
export function published(
  run: Run,
  model: PublishedModel,
  measures: Readonly<Record<string, Sourced>>,
  facts: Findings['facts'],
  { listed, axes = {} }: { listed?: Iterable<number>; axes?: Findings['axes'] },
): PublishedFindings {
  const size = model.layers * model.heads;
  const states = listed ? new Array<'imported' | 'not-run'>(size).fill('not-run') : [];
  for (const cell of listed ?? []) states[cell] = 'imported';
  const findings: Findings = {
    axes: {
      ...(listed && {
        layer: { values: Array.from({ length: model.layers }, (_, layer) => layer) },
        head: { values: Array.from({ length: model.heads }, (_, head) => head) },
      }),
      ...axes,
    },
    measures: Object.fromEntries(
      Object.entries(measures).map(([name, { axes: of, unit, definition, data }]) => [name, { axes: of, unit, definition, data }]),
    ),
    facts: {
      analysis: `published.${run.experiment}`,
      state: 'imported',
      model: model.id,
      ...(run.variant && { variant: run.variant }),
      ...facts,
      ...Object.fromEntries(Object.entries(measures).map(([name, { source }]) => [`source.${name}`, source])),
      ...(listed && { 'cells.imported': states.filter((state) => state === 'imported').length, cells: size }),
      p: 'none: means over pairs are published, not the pairs',
      paper: 'arXiv:2604.04385',
    },
  };
  return { experiment: run.experiment, variant: run.variant, path: run.path, model: model.key, findings: checkFindings(findings), states };
}

/** How many pairs the rows are means over. */
export function pairsOf(table: Table): number {
  const pairs = sameInAll(table, 'n_pairs');
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new UserError(`published results: ${table.path}: n_pairs`, 'must be an integer of at least 1', pairs);
  return pairs;
}
