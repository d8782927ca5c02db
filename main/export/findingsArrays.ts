/**
 * Findings as named arrays, for npz: each measure by its name and with the shape of its axes, each axis of numbers as `axis.angle`. What is
 * text (the names along other axes, units, definitions, facts) is JSON in `findings.json`: `json.loads(arrays["findings.json"].tobytes())`.
 */
import { dense, type DenseArray } from '../../engine/formats/denseArray.ts';
import type { ExportedResult } from './exported.ts';

/** Several results keep their names apart by analysis and the beginning of their key: `accuracy-0123456789ab.accuracy`. */
export function findingsArrays(results: readonly ExportedResult[]): Record<string, DenseArray> {
  const arrays: Record<string, DenseArray> = {};
  const texts = results.map(({ findings: { axes, measures, facts, claims }, ...row }) => {
    const prefix = results.length === 1 ? '' : `${row.analysis}-${row.key.slice(0, 12)}.`;
    for (const [name, { axes: names, data }] of Object.entries(measures))
      arrays[prefix + name] = dense(
        data,
        names.map((axis) => axes[axis].values.length),
      );
    for (const [name, { values }] of Object.entries(axes))
      if (values.every((value) => typeof value === 'number')) arrays[`${prefix}axis.${name}`] = dense(Float64Array.from(values));
    const described = Object.fromEntries(Object.entries(measures).map(([name, { data: _data, ...measure }]) => [name, measure]));
    return { prefix, ...row, axes, measures: described, facts, ...(claims && { claims }) };
  });
  return { ...arrays, 'findings.json': dense(new Uint8Array(Buffer.from(JSON.stringify(texts)))) };
}
