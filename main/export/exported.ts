/** What of a session can be exported: findings of results, and the series of runs as findings of a training. */
import { checkFindings, type Findings } from '../../engine/base/findings.ts';
import type { Session } from '../store/session.ts';
import type { RunRow } from '../store/runs.ts';

export interface ExportedResult {
  readonly key: string;
  readonly analysis: string;
  readonly version: number;
  readonly digest: string;
  readonly at: string;
  readonly seed: number | undefined;
  /** Models by what they are called in the findings. */
  readonly models: readonly { readonly label: string; readonly digest: string }[];
  readonly findings: Findings;
}

/** @throws UserError if it is not there */
export function exportedResult(session: Session, key: string): ExportedResult {
  const { row, findings } = session.result(key);
  const { analysis, version, digest, at, seed, models } = row;
  return { key, analysis, version, digest, at, seed, models, findings };
}

/** A run's figures by step. @param title of its model */
export function exportedRun(session: Session, run: RunRow, title: string): ExportedResult {
  const series = session.series(run.key);
  const steps = series[0]?.values.length ?? 0;
  return {
    key: run.key,
    analysis: 'training',
    version: 1,
    digest: run.digest ?? '',
    at: run.at,
    seed: run.seed,
    models: run.model === undefined ? [] : [{ label: title, digest: run.model }],
    findings: checkFindings({
      axes: { step: { values: Array.from({ length: steps }, (_entry, step) => step + 1) } },
      measures: Object.fromEntries(
        series.map(({ name, unit, values }) => [
          name,
          { axes: ['step'], unit, definition: 'of the batch, before its step', data: Float64Array.from(values as ArrayLike<number>) },
        ]),
      ),
      facts: { stage: run.label, ...run.provenance },
    }),
  };
}
