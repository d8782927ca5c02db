/** What of a session can be exported: findings of results, and the series of runs as findings of a training. */
import { checkFindings, type Findings } from '../../engine/base/findings.ts';
import type { Session } from '../store/session.ts';
import type { ResultRow } from '../store/results.ts';
import type { RunRow, Series } from '../store/runs.ts';
import { dataName } from './dataNames.ts';

/** Models by what they are called in the findings. */
export interface ExportedResult extends Pick<ResultRow, 'key' | 'analysis' | 'version' | 'digest' | 'at' | 'seed' | 'models'> {
  /** What its images are called, where the session knows them. */
  readonly images?: string;
  readonly findings: Findings;
}

/** @throws UserError if it is not there */
export function exportedResult(session: Session, key: string): ExportedResult {
  const { row, findings } = session.result(key);
  const { analysis, version, digest, at, seed, models, languageModels, corpus } = row;
  return { key, analysis, version, digest, at, seed, models: [...models, ...languageModels], ...imagesOf(session, corpus), findings };
}

function imagesOf(session: Session, corpus: string | undefined): Pick<ExportedResult, 'images'> {
  const images = corpus === undefined ? undefined : dataName(corpus, session.corpora());
  return images === undefined ? {} : { images };
}

/** A run's figures by step, and by how many steps were done those that were measured between them. @param title of its model */
export function exportedRun(session: Session, run: RunRow, title: string): ExportedResult {
  const series = session.series(run.key);
  const steps = series.reduce((least, { values }) => Math.min(least, values.length), series[0]?.values.length ?? 0);
  const isMeasured = ({ values }: Series) => values.length > steps;
  return {
    key: run.key,
    analysis: 'training',
    version: run.version,
    digest: run.digest ?? '',
    at: run.at,
    seed: run.seed,
    models: [run.model ?? run.languageModel].flatMap((digest) => (digest === undefined ? [] : [{ label: title, digest }])),
    ...imagesOf(session, run.corpus),
    findings: checkFindings({
      axes: {
        step: { values: Array.from({ length: steps }, (_entry, step) => step + 1) },
        ...(series.some(isMeasured) && { done: { values: Array.from({ length: steps + 1 }, (_entry, done) => done), unit: 'steps' } }),
      },
      measures: Object.fromEntries(
        series.map((one) => [
          one.name,
          {
            axes: [isMeasured(one) ? 'done' : 'step'],
            unit: one.unit,
            definition: isMeasured(one)
              ? 'of the first test images, after so many steps; NaN where nothing was measured'
              : 'of the batch, before its step',
            data: Float64Array.from(one.values as ArrayLike<number>),
          },
        ]),
      ),
      facts: { stage: run.label, ...run.provenance },
    }),
  };
}
