/**
 * Findings as comma-separated values in long form: a row for each number, saying what it is of. Several results go into one table, with a
 * column for each axis that any of them has.
 */
import { cells } from '../../engine/base/findings.ts';
import { writeCsv, type CsvValue } from '../../engine/formats/csv.ts';
import type { ExportedResult } from './exported.ts';

const FIRST = ['result', 'analysis', 'models', 'measure'];
const VALUE = ['value', 'unit'];
/** What has to be known to read a number, where the findings or the row say it: column → fact. */
const FACTS: Readonly<Record<string, string>> = { form: 'form', n: 'images', seed: 'seed', part: 'part', data: 'data', device: 'device' };

export function findingsCsv(results: readonly ExportedResult[]): string {
  const axes = [...new Set(results.flatMap(({ findings }) => Object.keys(findings.axes)))];
  // An axis of the name says more than the fact: where the fact varies.
  const facts = Object.keys(FACTS).filter((name) => !axes.includes(name));
  const fixed = [...FIRST, ...VALUE];
  const columns = [...FIRST, ...axes.map((axis) => (fixed.includes(axis) ? `axis.${axis}` : axis)), ...VALUE, ...facts];
  return writeCsv(columns, rowsOf(results, axes, facts));
}

function* rowsOf(results: readonly ExportedResult[], axes: readonly string[], facts: readonly string[]): Generator<CsvValue[]> {
  for (const { key, analysis, models, seed, images, findings } of results) {
    const own: Readonly<Record<string, CsvValue>> = { ...findings.facts, ...(images !== undefined && { data: images }) };
    const known = (name: string): CsvValue => own[FACTS[name]] ?? (name === 'seed' ? seed : undefined);
    const labels = models.map(({ label }) => label).join('; ');
    for (const { measure, at, value, unit } of cells(findings))
      yield [
        key,
        analysis,
        labels,
        measure,
        ...axes.map((axis) => at[axis] ?? (axis in FACTS ? known(axis) : undefined)),
        value,
        unit,
        ...facts.map(known),
      ];
  }
}
