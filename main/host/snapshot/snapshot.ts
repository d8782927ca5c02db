/** What a window is told of the session it is attached to: everything but the numbers, which it asks for when it shows them. */
import { analyses } from '../../../engine/analyses/index.ts';
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import { mlpParameters } from '../../../engine/models/mlp.ts';
import { countParameters } from '../../../engine/models/parameters.ts';
import { protocols } from '../../../engine/protocols/index.ts';
import { heldOutOf } from '../../../engine/tasks/heldOut.ts';
import type { Corpus } from '../../store/corpora.ts';
import type { AdapterSettings, ModelRow } from '../../store/models.ts';
import type { RunRow } from '../../store/runs.ts';
import type { Session } from '../../store/session.ts';
import type { History } from '../history/history.ts';
import type { Model, ResultEntry, Run, Snapshot } from '../hostApi.ts';
import { currentVersions } from '../versions.ts';
import { AccuracyReader } from './accuracies.ts';
import { Outlines } from './outlines.ts';
import { runSummaries } from './summary.ts';
import { shortTitles } from './titles.ts';

const resultTitles: Readonly<Record<string, string>> = Object.fromEntries([...analyses, ...protocols].map(({ id, title }) => [id, title]));

export class SnapshotMaker {
  readonly outlines: Outlines;
  readonly #session: Session;
  readonly #history: History;
  readonly #accuracies = new AccuracyReader();

  constructor(session: Session, history: History) {
    this.#session = session;
    this.#history = history;
    this.outlines = new Outlines(session);
  }

  /** @param notice what has to be said about how it was opened @param saved ISO time of the last thing kept */
  make(notice: string | undefined, saved: string | undefined): Snapshot {
    const session = this.#session;
    const { uuid, name } = session.info;
    const hidden = this.#history.hidden();
    const rows = session.runs(currentVersions);
    const resultRows = session.results(currentVersions);
    const shown = resultRows.filter(({ key }) => !hidden.has(key));
    const summaries = runSummaries(session, rows, shown, this.#accuracies, this.outlines);
    const runs = rows.map((row): Run => ({
      ...row,
      request: this.outlines.work(row.key),
      hidden: hidden.has(row.key),
      summary: summaries.get(row.key)!,
    }));
    const results = resultRows.map((row): ResultEntry => ({
      ...row,
      title: resultTitles[row.analysis] ?? row.analysis,
      hidden: hidden.has(row.key),
      options: this.outlines.options(row.key),
    }));
    return {
      path: session.path,
      uuid,
      name,
      writable: session.writable,
      ...(notice !== undefined && { notice }),
      models: this.#models(runs),
      runs,
      results,
      corpora: session.corpora().map(withHeldOut),
      notes: session.notes(),
      history: this.#history.state(),
      views: this.#history.views(),
      ...(saved !== undefined && { saved }),
    };
  }

  #models(runs: readonly Run[]): Model[] {
    const rows = this.#session.models();
    const titles = shortTitles(rows);
    const settings = this.#session.adapterSettings();
    const corpora = new Map(this.#session.corpora().map((corpus) => [corpus.digest, corpus]));
    return rows.map((row) => {
      const makers = runs.filter(({ model }) => model === row.digest);
      const corpus = corpora.get(makers.find((run) => run.corpus !== undefined)?.corpus ?? '');
      return {
        ...row,
        title: titles.get(row.digest)!,
        ...adapterFacts(row, settings.get(row.digest)),
        ...(corpus && { data: { source: corpus.source, digest: corpus.digest } }),
        hidden: makers.length > 0 && makers.every((run) => run.hidden),
      };
    });
  }
}

/** Says beside the counts of a data set how many training images are held out. */
function withHeldOut(corpus: Corpus): Corpus {
  const { counts } = corpus.details;
  if (counts?.train === undefined) return corpus;
  return { ...corpus, details: { ...corpus.details, counts: { ...counts, heldOut: heldOutOf(counts.train) } } };
}

function adapterFacts(
  { widths, adapter, adapterAngles }: ModelRow,
  settings: AdapterSettings = { sparsity: 0, temperature: [] },
): Pick<Model, 'gated' | 'lambda' | 'temperature' | 'parameters'> {
  const facts = { lambda: settings.sparsity, temperature: settings.temperature };
  if (adapter === undefined) return { ...facts, gated: false, parameters: countParameters(mlpParameters({ widths })) };
  const known = adapterOf(adapter);
  return { ...facts, gated: known.gated, parameters: countParameters(known.parameters({ widths }, adapterAngles?.length)) };
}

/** ISO time of the last thing that a session keeps. */
export function lastKept(session: Session): string | undefined {
  const rows: readonly { readonly at: string }[] = [
    ...(session.runs() satisfies RunRow[]),
    ...session.results(),
    ...session.notes(),
    ...session.actions(),
  ];
  return rows.map(({ at }) => at).reduce<string | undefined>((last, at) => (last === undefined || at > last ? at : last), undefined);
}
