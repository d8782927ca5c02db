/** Jobs of a session: what runs, waits, rests or has come to its end, with its log. What a job does is for the task that is handed in. */
import { Cancelled, toFailure, UserError, type Failure } from '../../../engine/base/errors.ts';
import type { Progress } from '../../../engine/contract.ts';
import type { Job, LogLine, Work } from '../hostApi.ts';

/** What a task is given while it runs. */
export interface TaskContext {
  readonly signal: AbortSignal;
  /** @param share how far the whole of it is, from 0 to 1, where that is not the share of steps done */
  readonly progress: (progress: Progress, share?: number) => void;
  readonly log: (text: string) => void;
  /** A state that it could go on from has been stored. */
  readonly checkpointed: () => void;
  /** An engine died over it and another took its place. */
  readonly restarted: (how: string) => void;
  /** The key of its run or result is known by now. */
  readonly known: (key: string) => void;
}

export interface Task {
  readonly title: string;
  readonly work: Work;
  readonly key?: string;
  /** Goes on from what is stored when it is run again. */
  readonly run: (context: TaskContext) => Promise<void>;
}

interface Kept {
  readonly id: number;
  readonly task: Task;
  readonly lines: LogLine[];
  readonly began: string;
  state: Job['state'];
  key?: string;
  progress?: Progress;
  share?: number;
  checkpoint?: string;
  /** Steps that were done at the checkpoint. */
  kept?: number;
  /** Milliseconds of running until it was last stopped, and the time since when it runs. */
  ran: number;
  runsSince?: number;
  ended?: string;
  failure?: Failure;
  restarts: number;
  /** What to become of it once it has obeyed. */
  calledOff?: 'paused' | 'cancelled';
  controller: AbortController;
  whenOver: Promise<void>;
}

/** One every second: of several in a row the log shows the last. */
const CHECKPOINT = 'checkpoint stored';
/** Lines of a log that are kept. */
const MOST_LINES = 2000;
/** Jobs that are over and were not dismissed. */
const MOST_OVER = 100;

export interface BoardOptions {
  readonly clock: () => Date;
  /** Numbers of jobs, which no two of a host share. */
  readonly nextId: () => number;
  readonly onChange: () => void;
  /** A job has failed. @param kept what there is of it all the same */
  readonly onFailure: (failure: Failure, kept: string) => void;
}

export class JobBoard {
  readonly #options: BoardOptions;
  readonly #jobs: Kept[] = [];
  #ending = false;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  get jobs(): readonly Job[] {
    return this.#jobs.map(shown);
  }

  /** How many run or wait. */
  get busy(): number {
    return this.#jobs.filter(isActive).length;
  }

  /** Whether work with this key is under way. */
  isRunning(key: string): boolean {
    return this.#jobs.some((job) => job.key === key && isActive(job));
  }

  /** Begins it, unless the same is under way or rests, which then goes on. */
  begin(task: Task): Job {
    const same =
      task.key === undefined ? undefined : this.#jobs.find((job) => job.key === task.key && (isActive(job) || job.state === 'paused'));
    if (same) {
      if (same.state === 'paused') this.#start(same);
      return shown(same);
    }
    const { clock, nextId } = this.#options;
    const job: Kept = {
      id: nextId(),
      task,
      lines: [],
      began: clock().toISOString(),
      state: 'paused',
      ...(task.key !== undefined && { key: task.key }),
      ran: 0,
      restarts: 0,
      controller: new AbortController(),
      whenOver: Promise.resolve(),
    };
    this.#jobs.push(job);
    this.#start(job);
    const over = this.#jobs.filter((one) => !isActive(one) && one.state !== 'paused');
    for (const old of over.slice(0, Math.max(0, over.length - MOST_OVER))) this.#jobs.splice(this.#jobs.indexOf(old), 1);
    return shown(job);
  }

  cancel(id: number): void {
    const job = this.#job('cancel', id);
    if (job.state === 'paused') this.#end(job, 'cancelled');
    else this.#callOff(job, 'cancelled');
  }

  /** @throws UserError unless it runs or waits */
  pause(id: number): void {
    const job = this.#job('pause', id);
    if (job.state === 'paused') return;
    if (!isActive(job)) throw new UserError('pause: job', 'must run or wait', job.state);
    this.#callOff(job, 'paused');
  }

  /** One that failed or was cancelled goes on from what is kept of it, too. @throws UserError if it is done */
  resume(id: number): void {
    const job = this.#job('resume', id);
    if (job.calledOff === 'paused' && isActive(job)) {
      // Called off, dismissed or ended in between, it does not.
      void job.whenOver.then(() => {
        if (job.state === 'paused' && this.#jobs.includes(job) && !this.#ending) this.#start(job);
      });
      return;
    }
    if (isActive(job)) return;
    if (job.state === 'done') throw new UserError('resume: job', 'must not be done', job.state);
    this.#start(job);
  }

  /** @throws UserError while it runs or waits */
  dismiss(id: number): void {
    const job = this.#job('dismiss', id);
    if (isActive(job)) throw new UserError('dismiss: job', 'must be over', job.state);
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    this.#options.onChange();
  }

  log(id: number): readonly LogLine[] {
    return this.#job('log', id).lines;
  }

  /** Calls everything off; resolves when nothing runs any more. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const job of this.#jobs) if (isActive(job)) this.#callOff(job, 'paused');
    await Promise.all(this.#jobs.map(({ whenOver }) => whenOver));
  }

  #job(place: string, id: number): Kept {
    const job = this.#jobs.find((one) => one.id === id);
    if (!job) throw new UserError(`${place}: job`, 'must be the number of a job of this session', id);
    return job;
  }

  #callOff(job: Kept, become: 'paused' | 'cancelled'): void {
    if (!isActive(job)) return;
    job.calledOff = become;
    job.controller.abort();
    this.#options.onChange();
  }

  #start(job: Kept): void {
    if (isActive(job)) return;
    job.state = 'waiting';
    job.controller = new AbortController();
    delete job.calledOff;
    delete job.failure;
    delete job.ended;
    delete job.progress;
    delete job.share;
    this.#say(job, job.lines.length === 0 ? `asked for: ${job.task.title}` : 'goes on');
    job.whenOver = this.#run(job);
    this.#options.onChange();
  }

  async #run(job: Kept): Promise<void> {
    const { clock, onChange } = this.#options;
    const context: TaskContext = {
      signal: job.controller.signal,
      progress: (progress, share = shareOf(progress)) => {
        if (job.state === 'waiting') {
          job.state = 'running';
          job.runsSince = clock().getTime();
        }
        if (progress.stage !== job.progress?.stage) this.#say(job, progress.stage);
        job.progress = progress;
        job.share = share;
        onChange();
      },
      log: (text) => this.#say(job, text),
      checkpointed: () => {
        job.checkpoint = clock().toISOString();
        const { done, total } = job.progress ?? {};
        if (done !== undefined) job.kept = done;
        this.#say(job, `${CHECKPOINT}${done === undefined ? '' : ` (${done} of ${total})`}`);
      },
      restarted: (how) => {
        job.restarts++;
        this.#say(job, `its engine ended (${how}); another goes on from the last checkpoint`);
        onChange();
      },
      known: (key) => {
        job.key = key;
        onChange();
      },
    };
    try {
      await job.task.run(context);
      this.#end(job, 'done');
    } catch (error) {
      const become = job.calledOff ?? 'cancelled';
      if (error instanceof Cancelled) this.#end(job, become);
      else this.#fail(job, toFailure(error));
    }
  }

  #fail(job: Kept, failure: Failure): void {
    job.failure = failure;
    const kept =
      job.checkpoint === undefined
        ? 'nothing of it was lost that had been kept'
        : `its state of ${job.checkpoint} is kept: it can go on from there`;
    this.#say(job, `failed: ${failure.message}; ${kept}`);
    this.#end(job, 'failed');
    this.#options.onFailure(failure, kept);
  }

  #end(job: Kept, state: Job['state']): void {
    const now = this.#options.clock();
    if (job.runsSince !== undefined) job.ran += now.getTime() - job.runsSince;
    delete job.runsSince;
    job.state = state;
    if (state === 'done' && job.progress) {
      job.progress = { ...job.progress, done: job.progress.total, remaining: 0 };
      job.share = 1;
    }
    if (state !== 'paused') job.ended = now.toISOString();
    if (state !== 'failed') this.#say(job, state);
    this.#options.onChange();
  }

  #say(job: Kept, text: string): void {
    const checkpoints = [text, job.lines.at(-1)?.text].every((line) => line?.startsWith(CHECKPOINT));
    job.lines.splice(checkpoints ? -1 : job.lines.length, 1, { at: this.#options.clock().toISOString(), text });
    if (job.lines.length > MOST_LINES) job.lines.splice(0, job.lines.length - MOST_LINES);
  }
}

/** Of the steps there are. */
export const shareOf = ({ done, total }: Progress): number => (total > 0 ? Math.min(1, done / total) : 0);

const isActive = ({ state }: Kept): boolean => state === 'waiting' || state === 'running';

function shown({ id, task, key, state, progress, share, checkpoint, kept, ran, began, ended, failure, restarts }: Kept): Job {
  return {
    id,
    title: task.title,
    work: task.work,
    ...(key !== undefined && { key }),
    state,
    ...(progress && { progress }),
    ...(share !== undefined && { share }),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(kept !== undefined && { kept }),
    ...(ran > 0 && { seconds: ran / 1000 }),
    began,
    ...(ended !== undefined && { ended }),
    ...(failure && { failure }),
    restarts,
  };
}
