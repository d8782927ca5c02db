/** Runs of a session and jobs that will be some, as rows of one table: one shape for what is done, runs, waits, rests or has failed. */
import { ascending, descending, mean } from 'd3';
import type { Job, Run, Work } from '../../../main/host/hostApi.ts';
import { familyColour, type SeriesColour } from '../../marks/colour.ts';
import { change } from '../../words/numbers.ts';
import { adapterName } from '../../words/adapters.ts';

export type RowState = 'running' | 'waiting' | 'paused' | 'stopped' | 'failed' | 'done';

export interface RunView {
  /** Of the run; `job 3` of a job that has none yet. */
  readonly key: string;
  readonly name: string;
  readonly adapter: string | undefined;
  readonly colour: SeriesColour;
  readonly seed: number;
  readonly state: RowState;
  /** Share that is done, where it is under way. */
  readonly share: number;
  /** Why it failed, or what is kept. */
  readonly says: string;
  /** Accuracies in %, NaN where there are none. */
  readonly soft: number;
  readonly hard: number;
  readonly gain: number;
  readonly other: number;
  readonly kept: number;
  readonly parameters: number;
  readonly on: number;
  readonly seconds: number;
  /** Seconds left, estimated. */
  readonly remaining: number;
  /** Steps of the whole run, where they can be counted. */
  readonly steps: number;
  readonly perEpoch: number;
  readonly model: string | undefined;
  readonly base: string | undefined;
  readonly work: Work | undefined;
  readonly job: number | undefined;
  readonly at: string;
}

export interface RowsOf {
  readonly runs: readonly Run[];
  readonly jobs: readonly Job[];
  /** The angle that modes are judged at, and the one whose accuracy they should keep. */
  readonly angle: number;
  readonly other: number | undefined;
  /** Images of training, by source or digest, and by whether those held out are left out. */
  readonly images: (data: unknown, rows: unknown) => number | undefined;
  /** The latest figure of a run under way: a series by name. */
  readonly latest: (run: string, series: string) => number;
}

/** Of the session as a whole. */
interface Known {
  /** Numbers trained, by adapter. */
  readonly counted: ReadonlyMap<string, number>;
  /** By the digest of its model. */
  readonly runOf: ReadonlyMap<string, string>;
}

export function runViews(of: RowsOf): RunView[] {
  const byKey = new Map(of.jobs.flatMap((job) => (job.key === undefined ? [] : [[job.key, job] as const])));
  const runs = of.runs.filter(({ hidden }) => !hidden);
  const keys = new Set(of.runs.map(({ key }) => key));
  // What trains has as many numbers as the same adapter had before.
  const counted = new Map(
    of.runs.flatMap(({ request, parameters }) =>
      request.kind === 'train' && parameters !== undefined ? [[`${textOf(request.parameters.adapter)}`, parameters] as const] : [],
    ),
  );
  const runOf = new Map(of.runs.flatMap(({ key, model }) => (model === undefined ? [] : [[model, key] as const])));
  const known: Known = { counted, runOf };
  return [
    ...runs.map((run) => view(of, known, run, byKey.get(run.key))),
    ...of.jobs
      .filter(
        ({ work, key, state }) =>
          work.kind === 'train' && state !== 'done' && state !== 'cancelled' && !(key !== undefined && keys.has(key)),
      )
      .map((job) => view(of, known, undefined, job)),
  ];
}

function view({ angle, other, images, latest }: RowsOf, { counted, runOf }: Known, run: Run | undefined, job: Job | undefined): RunView {
  const work = run?.request ?? job?.work;
  const parameters = work?.kind === 'train' ? work.parameters : {};
  const adapter = textOf(parameters.adapter);
  const key = run?.key ?? job?.key ?? `job ${job?.id}`;
  const state = stateOf(run, job);
  const live = state === 'running' || state === 'paused';
  const at = (form: 'soft' | 'hard' | 'base', degrees: number | undefined): number =>
    degrees === undefined ? NaN : (run?.summary[form][String(degrees)] ?? NaN);
  const now = (series: string): number => (live ? latest(key, series) : NaN);
  const own = (degrees: number | undefined): number => {
    const stored = at('soft', degrees);
    if (!Number.isNaN(stored)) return stored;
    return adapter === undefined && !Number.isNaN(at('base', degrees)) ? at('base', degrees) : now(`accuracy ${degrees}°`);
  };
  const foundation = work?.kind === 'train' && work.base !== undefined ? runOf.get(work.base) : undefined;
  /** As it is known beside the run, else as the foundation was measured last: on as many images as the run is. */
  const base = (degrees: number | undefined): number => {
    const stored = at('base', degrees);
    return Number.isNaN(stored) && foundation !== undefined ? latest(foundation, `accuracy ${degrees}°`) : stored;
  };
  const [soft, kept] = [own(angle), own(other)];
  const hard = Number.isNaN(at('hard', angle)) ? now(`hard accuracy ${angle}°`) : at('hard', angle);
  const count = images(parameters.data, parameters.rows);
  const [epochs, batch] = [numberOf(parameters.epochs, 2), numberOf(parameters.batch, 128)];
  const perEpoch = count === undefined ? NaN : Math.ceil(count / batch);
  return {
    key,
    name: work?.kind === 'interpolate' ? (run?.label ?? 'On the path') : adapterName(adapter, numberOf(parameters.sparsity, 0)),
    adapter,
    colour: familyColour(adapter),
    seed: run?.seed ?? numberOf(parameters.seed, NaN),
    state,
    share: state === 'done' ? 1 : job?.progress && job.progress.total > 0 ? Math.min(1, job.progress.done / job.progress.total) : 0,
    says: job?.failure ? job.failure.message : '',
    soft,
    hard,
    gain: adapter === undefined ? NaN : soft - base(angle),
    other: kept,
    kept: adapter === undefined ? NaN : kept - base(other),
    parameters: run?.parameters ?? counted.get(`${adapter}`) ?? NaN,
    on: run?.summary.on ?? now('gates open'),
    seconds: run?.seconds ?? NaN,
    remaining: live ? (job?.progress?.remaining ?? NaN) : NaN,
    steps: perEpoch * epochs,
    perEpoch,
    model: run?.model,
    base: work?.kind === 'train' ? work.base : undefined,
    work,
    job: job?.id,
    at: run?.at ?? job?.began ?? '',
  };
}

function stateOf(run: Run | undefined, job: Job | undefined): RowState {
  if (run?.state === 'done') return 'done';
  switch (job?.state) {
    case 'running':
    case 'waiting':
    case 'paused':
    case 'failed':
      return job.state;
    default:
      return 'stopped';
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

// ── order, groups, filter ──

export type SortColumn = 'name' | 'seed' | 'state' | 'soft' | 'hard' | 'gain' | 'other' | 'kept' | 'parameters' | 'on' | 'seconds';

export interface Sort {
  readonly column: SortColumn;
  readonly falling: boolean;
}

const states: readonly RowState[] = ['running', 'paused', 'stopped', 'failed', 'done', 'waiting'];

/** What runs first, then the strongest gain, the foundation after them, what waits last: unless a column is asked for. */
export function sortedRows(rows: readonly RunView[], sort: Sort | undefined): RunView[] {
  if (!sort) {
    const rank = ({ state, adapter }: RunView): number =>
      state === 'running' ? 0 : state === 'waiting' ? 3 : adapter === undefined ? 2 : 1;
    const gain = (row: RunView): number => (Number.isNaN(row.gain) ? -Infinity : row.gain);
    return [...rows].sort((a, b) => rank(a) - rank(b) || gain(b) - gain(a) || ascending(a.name, b.name) || a.seed - b.seed);
  }
  const { column, falling } = sort;
  const value = (row: RunView): string | number => (column === 'state' ? states.indexOf(row.state) : row[column]);
  const missing = (row: RunView): number => Number(Number.isNaN(value(row)));
  return [...rows].sort(
    (a, b) => missing(a) - missing(b) || (falling ? descending : ascending)(value(a), value(b)) || ascending(a.name, b.name),
  );
}

export type Grouping = 'seed' | 'adapter' | 'none';

export interface Group {
  /** `seed 3` */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly RunView[];
  /** What a folded group still says. */
  readonly summary: string;
}

/** Newest seeds first; adapters by their gain. */
export function grouped(rows: readonly RunView[], by: Grouping, sort: Sort | undefined): Group[] {
  if (by === 'none') return rows.length === 0 ? [] : [{ id: 'all', title: '', rows: sortedRows(rows, sort), summary: '' }];
  const groups = new Map<string, RunView[]>();
  for (const row of rows) {
    const id = by === 'seed' ? `seed ${row.seed}` : row.name;
    const there = groups.get(id);
    if (there) there.push(row);
    else groups.set(id, [row]);
  }
  const made = [...groups].map(([id, inside]) => ({
    id,
    title: by === 'seed' ? (Number.isNaN(inside[0].seed) ? 'No seed' : `Seed ${inside[0].seed}`) : id,
    rows: sortedRows(inside, sort),
    summary: [progressText(inside), by === 'seed' ? bestText(inside) : meanText(inside)].filter(Boolean).join(' · '),
  }));
  return by === 'seed'
    ? made.sort((a, b) => (b.rows[0].seed || 0) - (a.rows[0].seed || 0))
    : made.sort((a, b) => (meanGain(b.rows) || -Infinity) - (meanGain(a.rows) || -Infinity));
}

function progressText(rows: readonly RunView[]): string {
  const count = (state: RowState): number => rows.filter((row) => row.state === state).length;
  const more = (['running', 'paused', 'failed', 'stopped'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  return [`${count('done')} of ${rows.length} done`, ...more].join(', ');
}

/** The best mode and the best of its rivals. */
function bestText(rows: readonly RunView[]): string {
  const done = rows.filter((row) => row.state === 'done' && !Number.isNaN(row.gain)).sort((a, b) => b.gain - a.gain);
  const best = [done.find(({ colour }) => colour === 'teal'), done.find(({ colour }) => colour !== 'teal')];
  return best.flatMap((row) => (row ? [`${row.name} ${change(row.gain, 2)}`] : [])).join(', ');
}

const gains = (rows: readonly RunView[]): number[] => rows.map(({ gain }) => gain).filter((gain) => !Number.isNaN(gain));
const meanGain = (rows: readonly RunView[]): number => mean(gains(rows)) ?? NaN;

function meanText(rows: readonly RunView[]): string {
  const all = gains(rows);
  if (all.length === 0) return '';
  const range = all.length > 1 ? ` (${change(Math.min(...all), 2)} … ${change(Math.max(...all), 2)})` : '';
  return `mean gain ${change(mean(all)!, 2)}${range}`;
}

/** Every word somewhere in the row: adapter, `seed 3`, state. */
export function filtered(rows: readonly RunView[], text: string): RunView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...rows];
  return rows.filter((row) => {
    const whole = `${row.name} ${row.adapter ?? ''} seed ${row.seed} ${row.state}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** Angles that modes of this session are for, the most common first; then those of foundations. */
export function anglesOf(
  runs: readonly Run[],
  jobs: readonly Job[] = [],
): { readonly modes: readonly number[]; readonly all: readonly number[] } {
  const times = new Map<number, number>();
  const all = new Set<number>();
  for (const work of [...runs.map(({ request }) => request), ...jobs.map(({ work: one }) => one)]) {
    if (work.kind !== 'train' || !Array.isArray(work.parameters.angles)) continue;
    for (const angle of work.parameters.angles as number[]) {
      all.add(angle);
      if (work.parameters.adapter !== undefined) times.set(angle, (times.get(angle) ?? 0) + 1);
    }
  }
  return { modes: [...times].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([angle]) => angle), all: [...all].sort((a, b) => a - b) };
}
