/** What the Train workspace has of the session: rows, curves of those that are drawn, selection, notes; and what of it the session keeps. */
import type { Corpus } from '../../../main/store/corpora.ts';
import type { App } from '../../state/app.svelte.ts';
import type { ChartRun, Strength } from './chartLines.ts';
import { OWN_FIELDS, textOfValue, type TrainForm } from './form.ts';
import { anglesOf, filtered, runViews, type RunView } from './rows.ts';
import type { TableState } from './tableItems.ts';

/** Kept with the session and not undone, like the width of a pane. */
interface Kept {
  readonly angle?: number;
  readonly seed?: string;
  readonly compared?: boolean;
}

const nothing: TableState = {};

/** Faint curves that are drawn besides the strong ones: more say nothing. */
const MOST_FAINT = 60;

export class WorkspaceState {
  readonly #app: App;
  #checked = $state.raw<readonly string[] | undefined>();

  constructor(app: App) {
    this.#app = app;
  }

  readonly form = $derived.by(() => ({ values: {}, ...this.#app.view<Partial<TrainForm>>('train.form', {}) }));

  readonly table = $derived.by(() => this.#app.view<TableState>('train.table', nothing));

  setTable(changes: TableState): void {
    void this.#app.setView({ name: 'train.table', value: { ...this.table, ...changes } });
  }

  get #kept(): Kept {
    return this.#app.view<Kept>('train.shown', {});
  }

  keep(changes: Kept): void {
    void this.#app.setView({ name: 'train.shown', value: { ...this.#kept, ...changes } });
  }

  readonly #known = $derived.by(() =>
    anglesOf(
      (this.#app.session?.runs ?? []).filter(({ hidden }) => !hidden),
      this.#app.jobs,
    ),
  );

  get angles(): readonly number[] {
    return this.#known.all;
  }

  get angle(): number {
    const { angle } = this.#kept;
    const { modes, all } = this.#known;
    return angle !== undefined && all.includes(angle) ? angle : (modes[0] ?? all.at(-1) ?? 45);
  }

  /** What modes should keep: an angle they are not for. */
  get other(): number | undefined {
    const { all } = this.#known;
    return all.find((angle) => angle !== this.angle);
  }

  readonly rows = $derived.by(() => {
    const { session, jobs, series } = this.#app;
    return runViews({
      runs: session?.runs ?? [],
      jobs,
      angle: this.angle,
      other: this.other,
      images: (data, rows) => imagesOf(session?.corpora ?? [], data, rows),
      latest: (run, name) => {
        const curve = series.of(run).find((one) => one.name === name);
        return curve && curve.values.length > 0 ? Number(curve.values[curve.values.length - 1]) : NaN;
      },
    });
  });

  get checked(): readonly string[] {
    const there = new Set(this.rows.map(({ key }) => key));
    return (this.#checked ?? []).filter((key) => there.has(key));
  }

  get checkedRows(): readonly RunView[] {
    const checked = new Set(this.checked);
    return this.rows.filter(({ key }) => checked.has(key));
  }

  check(keys: readonly string[]): void {
    this.#checked = keys;
  }

  get compared(): boolean {
    return (this.#kept.compared ?? false) && this.checked.length > 0;
  }

  get seeds(): readonly string[] {
    const all = [...new Set(this.rows.map(({ seed }) => seed).filter((seed) => !Number.isNaN(seed)))].sort((a, b) => a - b);
    return ['all', ...all.map(String)];
  }

  /** Chosen, else of what runs, else of what came last. */
  get seed(): string {
    const { seed } = this.#kept;
    if (seed !== undefined && this.seeds.includes(seed)) return seed;
    const newest =
      this.rows.find(({ state }) => state === 'running') ??
      this.rows.reduce<RunView | undefined>((a, b) => (!a || b.at > a.at ? b : a), undefined);
    return newest && !Number.isNaN(newest.seed) ? String(newest.seed) : 'all';
  }

  readonly chartRuns = $derived.by((): ChartRun[] => {
    const { checked, seed, compared } = this;
    const chosen = new Set(checked);
    const strengthOf = ({ key, state, seed: own }: RunView): Strength => {
      if (chosen.has(key)) return 'strong';
      if (state === 'running') return chosen.size > 0 ? 'plain' : 'strong';
      return chosen.size === 0 && (seed === 'all' || String(own) === seed) ? 'plain' : 'faint';
    };
    let faint = 0;
    return filtered(this.rows, this.table.filter ?? '').flatMap((row) => {
      if (row.state === 'waiting' || row.key.startsWith('job ')) return [];
      const strength = strengthOf(row);
      if (strength === 'faint' && (compared || ++faint > MOST_FAINT)) return [];
      return [{ row, strength, curves: this.#app.series.of(row.key) }];
    });
  });

  /** Test images of measurements while training; undefined where those that are drawn were not all measured on as many. */
  get images(): number | undefined {
    const counts = new Set(
      this.chartRuns.flatMap(({ row: { work } }) => {
        const measure = work?.kind === 'train' ? (work.parameters.measure as { images?: number } | undefined) : undefined;
        // What was not measured has no line.
        return measure?.images ?? [];
      }),
    );
    return counts.size === 1 ? [...counts][0] : undefined;
  }

  /** Of data sets that have been read, by source. */
  get sizes(): Readonly<Record<string, string>> {
    const thousands = (n = 0): string => (n >= 1000 ? `${Math.round(n / 1000)}\u202fk` : String(n));
    return Object.fromEntries(
      (this.#app.session?.corpora ?? []).flatMap(({ source, details: { counts } }) =>
        counts ? [[source, `${thousands(counts.train)} + ${thousands(counts.test)}`] as const] : [],
      ),
    );
  }

  get device(): string {
    const threads = this.#app.session?.runs.find(({ provenance }) => provenance.threads !== undefined)?.provenance.threads;
    return threads === undefined ? 'CPU' : `CPU, ${threads} threads`;
  }

  readonly noted = $derived.by(() => {
    const noted = new Map<string, { text: string; bookmark: boolean }>();
    for (const { subject, text, bookmark } of this.#app.session?.notes ?? []) {
      if (subject.kind !== 'run') continue;
      const before = noted.get(subject.key);
      noted.set(subject.key, { text: [before?.text, text].filter(Boolean).join('\n'), bookmark: bookmark || (before?.bookmark ?? false) });
    }
    return noted;
  });

  /** Its one note, or undefined. */
  #noteOf(key: string) {
    return this.#app.session?.notes.find(({ subject }) => subject.kind === 'run' && subject.key === key);
  }

  /** @throws what the host answers: what was typed is not to be lost then */
  async note({ key }: RunView, text: string): Promise<void> {
    const before = this.#noteOf(key);
    if (before && text.trim() === '' && !before.bookmark) await this.#app.host.removeNote({ id: before.id });
    else if (before) await this.#app.host.editNote({ id: before.id, text });
    else if (text.trim() !== '') await this.#app.host.addNote({ subject: { kind: 'run', key }, text });
  }

  /** All of them, or none if all are. */
  async bookmark(rows: readonly RunView[]): Promise<void> {
    const all = rows.every(({ key }) => this.#noteOf(key)?.bookmark);
    try {
      for (const { key } of rows) {
        const before = this.#noteOf(key);
        if (before && all && before.text.trim() === '') await this.#app.host.removeNote({ id: before.id });
        else if (before) await this.#app.host.editNote({ id: before.id, bookmark: !all });
        else if (!all) await this.#app.host.addNote({ subject: { kind: 'run', key }, bookmark: true });
      }
    } catch (error) {
      this.#app.fail(error);
    }
  }

  /** A form that would ask for such a run again. */
  formOf({ work, adapter, seed, base }: RunView): TrainForm {
    if (work?.kind !== 'train') return this.form;
    const values: Record<string, unknown> = {};
    const { data, angles, optimiser } = work.parameters as {
      data?: { source?: string };
      angles?: readonly number[];
      optimiser?: { learningRate?: number };
    };
    for (const field of this.#app.description?.training ?? []) {
      if (
        OWN_FIELDS.includes(field.path) ||
        (adapter !== undefined && (field.path === 'angles' || field.path === 'optimiser.learningRate'))
      )
        continue;
      const value = field.path
        .split('.')
        .reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], work.parameters);
      if (value !== undefined && JSON.stringify(value) !== JSON.stringify(field.fallback)) values[field.path] = value;
    }
    return {
      ...(this.form.preset !== undefined && { preset: this.form.preset }),
      trained: adapter === undefined ? 'foundation' : 'adapters',
      ...(adapter !== undefined && {
        adapters: [adapter],
        modeAngles: (angles ?? []).join(', '),
        ...(optimiser?.learningRate !== undefined && { adapterRate: textOfValue(optimiser.learningRate) }),
      }),
      ...(base !== undefined && { base }),
      seeds: String(seed),
      values: { ...values, ...(data?.source !== undefined && { 'data.source': data.source }) },
    };
  }
}

/** Of a data set that nobody has read yet. */
const KNOWN_COUNTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  mnist: { train: 60_000, heldOut: 5_000 },
  'fashion-mnist': { train: 60_000, heldOut: 5_000 },
};

function imagesOf(corpora: readonly Corpus[], data: unknown, rows: unknown): number | undefined {
  const { source = 'mnist', digest } = (data ?? {}) as { source?: string; digest?: string };
  const counts =
    corpora.find((one) => (digest === undefined ? one.source === source : one.digest === digest))?.details.counts ?? KNOWN_COUNTS[source];
  return rows === 'remaining' && counts?.train !== undefined ? counts.train - (counts.heldOut ?? 0) : counts?.train;
}
