/**
 * Threads that share out rows: the lead and its helpers claim fixed chunks until none is left.
 *
 * What a chunk gives never depends on who computes it, so any number of threads gives the same bits. The work itself is a module that exports
 * `createMember(data)`; arrays in `data` should be shared ones, into which members write their results.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { fromFailure, toFailure, UserError, type Failure } from '../base/errors.ts';
import { ExecutionError } from './executor.ts';
import { startHelper, type HelperThread } from './helperThread.ts';
import { awaitChange, lives, signal } from './stepProtocol.ts';

/** One thread's share of the work. */
export interface Member {
  /** Computes rows [begin, end). */
  run(begin: number, end: number): void;
  dispose(): void;
}

export interface MemberModule {
  createMember(data: unknown): Member;
}

/** Int32 words: number of the command, rows, next row to claim, helpers that have answered, whether one failed. */
const COMMAND = 0;
const ROWS = 1;
const NEXT = 2;
const ANSWERS = 3;
const FAILED = 4;
const WORDS = 16;

export interface TeamWorkerData {
  readonly module: string;
  readonly data: unknown;
  readonly control: SharedArrayBuffer;
  readonly chunk: number;
  readonly errors: MessagePort;
}

/** Claims chunks until none is left; after a failure there is none left for anybody. */
function work(member: Member, control: Int32Array, chunk: number): void {
  const rows = control[ROWS];
  try {
    for (let begin = Atomics.add(control, NEXT, chunk); begin < rows; begin = Atomics.add(control, NEXT, chunk))
      member.run(begin, Math.min(rows, begin + chunk));
  } catch (error) {
    Atomics.store(control, NEXT, rows);
    throw error;
  }
}

/** What a helper does until it is told that there are no more rows (a negative number of them). */
export async function obeyTeam({ module, data, control: buffer, chunk, errors }: TeamWorkerData, ready: () => void): Promise<void> {
  const control = new Int32Array(buffer);
  const member = ((await import(module)) as MemberModule).createMember(data);
  ready();
  for (let seen = 0; ;) {
    awaitChange(control, COMMAND, seen);
    seen = Atomics.load(control, COMMAND);
    if (control[ROWS] < 0) break;
    try {
      work(member, control, chunk);
    } catch (error) {
      errors.postMessage(toFailure(error));
      Atomics.store(control, FAILED, 1);
    }
    signal(control, ANSWERS);
  }
  member.dispose();
}

/** Tells helpers to end and waits until they have. */
async function endHelpers(control: Int32Array, helpers: readonly HelperThread[]): Promise<void> {
  control[ROWS] = -1;
  signal(control, COMMAND);
  await Promise.all(helpers.map(({ ended }) => ended));
}

export class Team {
  readonly #control: Int32Array;
  readonly #chunk: number;
  readonly #lead: Member;
  readonly #helpers: readonly HelperThread[];
  /** Why there can be no more runs. */
  #over: Error | undefined;

  /**
   * @param module URL of a module that exports `createMember` @param chunk rows claimed at a time: part of what defines the result's bits
   * @throws what `createMember` throws, here or in a helper; no thread is left then
   */
  static async create(module: string, data: unknown, { threads, chunk }: { threads: number; chunk: number }): Promise<Team> {
    for (const [name, number] of Object.entries({ threads, chunk }))
      if (!Number.isInteger(number) || number < 1) throw new UserError(`team: ${name}`, 'must be a positive integer', number);
    const buffer = new SharedArrayBuffer(4 * WORDS);
    const control = new Int32Array(buffer);
    const helpers = Array.from({ length: threads - 1 }, () =>
      startHelper(new URL('./teamWorker.ts', import.meta.url), { module, data, control: buffer, chunk } satisfies Omit<
        TeamWorkerData,
        'errors'
      >),
    );
    let lead: Member | undefined;
    try {
      lead = ((await import(module)) as MemberModule).createMember(data);
      await Promise.all(helpers.map(({ ready }) => ready));
    } catch (error) {
      // Not terminated: that would take the process along if one of them is inside native code.
      await endHelpers(control, helpers);
      lead?.dispose();
      throw error;
    }
    return new Team(control, chunk, lead, helpers);
  }

  private constructor(control: Int32Array, chunk: number, lead: Member, helpers: readonly HelperThread[]) {
    this.#control = control;
    this.#chunk = chunk;
    this.#lead = lead;
    this.#helpers = helpers;
  }

  /**
   * Computes rows [0, rows); returns when all are done.
   * @throws the lead's error, or else a helper's: a UserError as such, others as ExecutionError; after the death of a helper the team is over
   */
  run(rows: number): void {
    if (!Number.isInteger(rows) || rows < 0) throw new UserError('team: rows', 'must be an integer ≥ 0', rows);
    if (this.#over) throw this.#over;
    const control = this.#control;
    const answers = Atomics.load(control, ANSWERS) + this.#helpers.length;
    control[ROWS] = rows;
    Atomics.store(control, NEXT, 0);
    Atomics.store(control, FAILED, 0);
    signal(control, COMMAND);
    let mistake: Error | undefined;
    try {
      work(this.#lead, control, this.#chunk);
    } catch (error) {
      mistake = error as Error;
    }
    // Also after a mistake: a helper that still works on these rows would take the next ones for its own.
    for (let answered = Atomics.load(control, ANSWERS); answered < answers; answered = Atomics.load(control, ANSWERS))
      awaitChange(control, ANSWERS, answered, () => this.#requireHelpers(mistake));
    const failures = this.#helpers.flatMap(
      ({ errors }) => (receiveMessageOnPort(errors) as { message: Failure } | undefined)?.message ?? [],
    );
    if (mistake) throw mistake;
    if (Atomics.load(control, FAILED) === 0) return;
    const [failure] = failures;
    throw failure?.kind === 'mistake'
      ? fromFailure(failure)
      : new ExecutionError('helper thread', failure?.message ?? 'failed without a message');
  }

  /** Ends the threads and waits until they have ended. */
  async dispose(): Promise<void> {
    const over = this.#over?.message === DISPOSED;
    this.#over = new Error(DISPOSED);
    await endHelpers(this.#control, this.#helpers);
    if (!over) this.#lead.dispose();
  }

  #requireHelpers(mistake: Error | undefined): void {
    if (this.#helpers.every(({ thread }) => lives(thread))) return;
    this.#over = new ExecutionError('helper thread', 'has died', { cause: mistake });
    throw this.#over;
  }
}

const DISPOSED = 'team: has been disposed of';
