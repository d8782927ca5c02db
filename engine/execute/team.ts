/**
 * Threads that share out rows: the lead and its helpers claim fixed chunks until none is left.
 *
 * What a chunk gives never depends on who computes it, so any number of threads gives the same bits. The work itself is a module that exports
 * `createMember(data)`; arrays in `data` should be shared ones, into which members write their results.
 */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { ExecutionError } from './executor.ts';
import { awaitChange, signal } from './stepProtocol.ts';

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

/** Claims chunks until none is left. */
function work(member: Member, control: Int32Array, chunk: number): void {
  const rows = control[ROWS];
  for (let begin = Atomics.add(control, NEXT, chunk); begin < rows; begin = Atomics.add(control, NEXT, chunk))
    member.run(begin, Math.min(rows, begin + chunk));
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
      errors.postMessage((error as Error).message);
      Atomics.store(control, FAILED, 1);
    }
    signal(control, ANSWERS);
  }
  member.dispose();
}

interface Helper {
  readonly thread: Worker;
  /** Where it says what went wrong; read without waiting. */
  readonly errors: MessagePort;
}

export class Team {
  readonly #control: Int32Array;
  readonly #chunk: number;
  readonly #lead: Member;
  readonly #helpers: readonly Helper[];

  /**
   * @param module URL of a module that exports `createMember` @param chunk rows claimed at a time: part of what defines the result's bits
   */
  static async create(module: string, data: unknown, { threads, chunk }: { threads: number; chunk: number }): Promise<Team> {
    const control = new SharedArrayBuffer(4 * WORDS);
    const helpers = Array.from({ length: Math.max(0, threads - 1) }, () => {
      const { port1: errors, port2 } = new MessageChannel();
      errors.unref();
      const workerData: TeamWorkerData = { module, data, control, chunk, errors: port2 };
      return { errors, thread: new Worker(new URL('./teamWorker.ts', import.meta.url), { workerData, transferList: [port2] }) };
    });
    const lead = ((await import(module)) as MemberModule).createMember(data);
    await Promise.all(
      helpers.map(
        ({ thread }) =>
          new Promise<void>((resolve, reject) => {
            thread.once('message', () => resolve());
            thread.once('error', reject);
          }),
      ),
    );
    return new Team(control, chunk, lead, helpers);
  }

  private constructor(control: SharedArrayBuffer, chunk: number, lead: Member, helpers: readonly Helper[]) {
    this.#control = new Int32Array(control);
    this.#chunk = chunk;
    this.#lead = lead;
    this.#helpers = helpers;
  }

  /** Computes rows [0, rows); returns when all are done. */
  run(rows: number): void {
    const control = this.#control;
    const before = Atomics.load(control, ANSWERS);
    control[ROWS] = rows;
    Atomics.store(control, NEXT, 0);
    Atomics.store(control, FAILED, 0);
    signal(control, COMMAND);
    work(this.#lead, control, this.#chunk);
    for (let answered = Atomics.load(control, ANSWERS); answered < before + this.#helpers.length; answered = Atomics.load(control, ANSWERS))
      awaitChange(control, ANSWERS, answered);
    if (Atomics.load(control, FAILED) === 0) return;
    const message = this.#helpers
      .map(({ errors }) => (receiveMessageOnPort(errors) as { message?: string } | undefined)?.message)
      .find(Boolean);
    throw new ExecutionError('helper thread', message ?? 'failed without a message');
  }

  async dispose(): Promise<void> {
    const ended = this.#helpers.map(({ thread }) => new Promise((resolve) => thread.once('exit', resolve)));
    this.#control[ROWS] = -1;
    signal(this.#control, COMMAND);
    await Promise.all(ended);
    this.#lead.dispose();
  }
}
