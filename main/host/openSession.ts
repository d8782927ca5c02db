/**
 * A session that is open in this host, for every window that is attached to it: its file, its history, its work. It is kept open as long as a
 * window looks at it or work is under way.
 */
import { UserError, type Failure } from '../../engine/base/errors.ts';
import type { JobKind, Progress, Request } from '../../engine/contract.ts';
import { DamagedSession } from '../store/problems.ts';
import type { Series } from '../store/runs.ts';
import { Session } from '../store/session.ts';
import type { Paths } from './files/paths.ts';
import { PassingLog, SessionLog } from './history/actionLog.ts';
import { History } from './history/history.ts';
import type { HostEvent, Known, Plan, Point, Snapshot, Work } from './hostApi.ts';
import { EnginePool } from './pool.ts';
import { prepareWith } from './prepare.ts';
import { SessionJobStore } from './sessionJobStore.ts';
import { lastKept, SnapshotMaker } from './snapshot/snapshot.ts';
import { shortTitles } from './snapshot/titles.ts';
import type { SpawnEngine } from './spawn.ts';
import { throttled, type Throttled } from './throttled.ts';
import { JobBoard } from './work/board.ts';
import { estimate } from './work/estimate.ts';
import { HeardSeries } from './work/heardSeries.ts';
import { Requests } from './work/requests.ts';
import { keptKeys, requireWritable, Tasks } from './work/tasks.ts';

/** Milliseconds between two events of a kind. */
const PACE = { session: 100, jobs: 100, points: 100 };

export interface OpenSessionOptions {
  readonly spawn: SpawnEngine;
  readonly cores: number;
  readonly kinds: readonly JobKind[];
  readonly paths: Paths;
  readonly clock: () => Date;
  readonly nextJob: () => number;
  /** The demonstration is looked at, not changed. */
  readonly readOnly: boolean;
  /** Goes to every window that is attached. */
  readonly send: (event: HostEvent) => void;
  /** How many jobs run or wait may have changed. */
  readonly onBusy: () => void;
}

export class OpenSession {
  readonly session: Session;
  readonly history: History;
  readonly board: JobBoard;
  readonly requests: Requests;
  readonly #options: OpenSessionOptions;
  readonly #notice: string | undefined;
  readonly #pool: EnginePool;
  readonly #tasks: Tasks;
  readonly #maker: SnapshotMaker;
  readonly #heard = new Map<string, HeardSeries>();
  readonly #points = new Map<string, Point[]>();
  readonly #told: { readonly session: Throttled; readonly jobs: Throttled; readonly points: Throttled };
  #saved: string | undefined;
  #busy = 0;
  #closed = false;

  /** Opens it to be written to if that can be, else to be read. @throws UserError for one that is damaged or cannot be opened at all */
  constructor(path: string, options: OpenSessionOptions) {
    const { spawn, cores, kinds, paths, clock, nextJob, send } = options;
    this.#options = options;
    const { session, notice } = open(path, options);
    this.session = session;
    this.#notice = notice;
    const prepare = prepareWith(kinds);
    this.history = new History(session.writable ? new SessionLog(session) : new PassingLog(session));
    this.requests = new Requests(session, prepare, paths);
    this.#maker = new SnapshotMaker(session, this.history);
    this.#saved = lastKept(session);
    this.#pool = new EnginePool({
      cores,
      spawn,
      prepare,
      store: new NotingStore(session, kinds, () => this.changed()),
      onProblem: (problem) => this.#problem(problem),
    });
    this.#tasks = new Tasks({
      session,
      pool: this.#pool,
      requests: this.requests,
      prepare,
      history: this.history,
      titleOf: (digest) => shortTitles(session.models()).get(digest) ?? digest.slice(0, 12),
      onProgress: (run, progress) => this.#hear(run, progress),
      onKept: () => this.changed(),
    });
    this.#told = {
      session: throttled(PACE.session, () => send({ type: 'session', snapshot: this.snapshot() })),
      jobs: throttled(PACE.jobs, () => send({ type: 'jobs', jobs: this.board.jobs })),
      points: throttled(PACE.points, () => this.#sendPoints()),
    };
    this.board = new JobBoard({
      clock,
      nextId: nextJob,
      onChange: () => this.#jobsChanged(),
      onFailure: (failure, kept) => send({ type: 'problem', failure, kept }),
    });
  }

  get path(): string {
    return this.session.path;
  }

  snapshot(): Snapshot {
    return this.#maker.make(this.#notice, this.#saved);
  }

  /** Something was kept: whoever looks at the session is told. */
  changed(): void {
    if (this.#closed) return;
    this.#saved = this.#options.clock().toISOString();
    this.#told.session.ask();
  }

  /** @throws UserError for what it may not be */
  plan(work: Work): Plan {
    const prepared = this.requests.prepared(work);
    const cost = estimate(this.session, this.#maker.outlines, prepared);
    const known = prepared.data.digest !== undefined;
    const stored = known && keptKeys(this.session).has(prepared.key);
    return { ...(known && prepared.of === 'request' && { key: prepared.key }), stored, ...cost };
  }

  /** Where the results of work are. A window asks for all that it shows whenever anything has changed. */
  lookUp(works: readonly Work[]): Known[] {
    const kept = keptKeys(this.session);
    const hidden = this.history.hidden();
    return works.map((work) => {
      const key = this.requests.keyOf(work);
      if (key === undefined) return { key: this.requests.prepared(work).key, state: 'absent' };
      if (this.board.isRunning(key)) return { key, state: 'running' };
      if (!kept.has(key)) return { key, state: 'absent' };
      return { key, state: hidden.has(key) ? 'hidden' : 'stored' };
    });
  }

  /** @throws UserError for what it may not be, or where nothing can be kept */
  run(work: Work): ReturnType<JobBoard['begin']> {
    requireWritable(this.session, work.kind);
    return this.board.begin(this.#tasks.of(work));
  }

  /** As stored; of one under way as far as it has come. @throws UserError if there is no such run */
  series(run: string): readonly Series[] {
    const row = this.session.runs().find(({ key }) => key === run);
    const heard = this.#heard.get(run);
    if (!row && !heard) throw new UserError('series: run', 'must be the key of a run of this session', run);
    if (row?.state === 'done') return this.session.series(run);
    return (heard ?? new HeardSeries()).series(this.session.loadCheckpoint(run)?.value);
  }

  /** Calls its work off, stores what can be stored, and closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const told of Object.values(this.#told)) told.stop();
    await this.board.end();
    await this.#pool.dispose();
    this.session.close();
  }

  #jobsChanged(): void {
    this.#told.jobs.ask();
    if (this.board.busy === this.#busy) return;
    this.#busy = this.board.busy;
    this.#options.onBusy();
  }

  #hear(run: string, progress: Progress): void {
    let heard = this.#heard.get(run);
    if (!heard) this.#heard.set(run, (heard = new HeardSeries()));
    const points = heard.hear(progress);
    if (points.length === 0) return;
    this.#points.set(run, [...(this.#points.get(run) ?? []), ...points]);
    this.#told.points.ask();
  }

  #sendPoints(): void {
    for (const [run, points] of this.#points) this.#options.send({ type: 'points', run, points });
    this.#points.clear();
  }

  #problem({ message, field, rule, value }: UserError): void {
    const failure: Failure = { kind: 'mistake', message, field, rule, value };
    this.#options.send({ type: 'problem', failure, kept: 'what was kept before is as it was' });
  }
}

/** Tells that something was kept. */
class NotingStore extends SessionJobStore {
  readonly #note: () => void;
  readonly #begun = new Set<string>();

  constructor(session: Session, kinds: readonly JobKind[], note: () => void) {
    super(session, kinds);
    this.#note = note;
  }

  /** The first makes an unfinished run known; those that follow change nothing that is shown. */
  override async saveCheckpoint(key: string, state: unknown, request: Request): Promise<void> {
    await super.saveCheckpoint(key, state, request);
    if (this.#begun.has(key)) return;
    this.#begun.add(key);
    this.#note();
  }

  override async saveResult(job: Parameters<SessionJobStore['saveResult']>[0]): Promise<void> {
    await super.saveResult(job);
    this.#note();
  }
}

function open(path: string, { clock, readOnly }: OpenSessionOptions): { session: Session; notice: string | undefined } {
  if (readOnly) {
    const session = Session.open(path, 'read', { clock });
    return { session, notice: session.notice ?? 'This is the demonstration: it can be explored, and duplicated to be worked on' };
  }
  try {
    const session = Session.open(path, 'write', { clock });
    return { session, notice: session.notice };
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof DamagedSession) throw error;
    const session = openToRead(path, clock, error);
    return { session, notice: session.notice ?? `opened to be read: to be written to, it ${error.rule}` };
  }
}

/** @param why it could not be opened to be written to, which says more if it cannot be read either */
function openToRead(path: string, clock: () => Date, why: UserError): Session {
  try {
    return Session.open(path, 'read', { clock });
  } catch (error) {
    throw error instanceof DamagedSession ? error : why;
  }
}
