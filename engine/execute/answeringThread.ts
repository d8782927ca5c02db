/** A thread that is asked things and answers them one after another, in the order in which they were asked. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { fromFailure, toFailure, type Failure } from '../base/errors.ts';
import { ExecutionError } from './executor.ts';

interface Asked<Ask> {
  readonly number: number;
  readonly ask: Ask;
}

type Answered<Answer> = { readonly number: number; readonly answer: Answer } | { readonly number: number; readonly failure: Failure };

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const ENDS = 'end';

export class AnsweringThread<Ask, Answer> {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #asked = 0;
  /** Why it answers no more. */
  #over: Error | undefined;

  /** @param module its entry, which calls {@link answerIn} @param data what it begins with, as plain data or shared arrays */
  constructor(module: URL, data: unknown) {
    this.#thread = new Worker(module, { workerData: data });
    // It keeps a process alive as long as somebody waits for it, and no longer.
    this.#thread.unref();
    this.#thread.on('message', (message: Answered<Answer>) => {
      const waiting = this.#waiting.get(message.number);
      this.#waiting.delete(message.number);
      if (this.#waiting.size === 0) this.#thread.unref();
      if ('answer' in message) return waiting?.resolve(message.answer);
      const { failure } = message;
      waiting?.reject(fromFailure(failure));
    });
    this.#thread.on('error', (cause) => this.#end(new ExecutionError('helper thread', `has died: ${String(cause)}`, { cause })));
    this.#thread.on('exit', (code) => this.#end(new ExecutionError('helper thread', `has ended with code ${code}`)));
  }

  /** @throws what was thrown there, ExecutionError if it died; DataCloneError for what cannot be sent */
  ask(ask: Ask): Promise<Answer> {
    if (this.#over) return Promise.reject(this.#over);
    const number = ++this.#asked;
    this.#thread.postMessage({ number, ask } satisfies Asked<Ask>);
    this.#thread.ref();
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
  }

  /** Ends it when it has done what it is at: to be ended from outside while in native code would take the process along. */
  dispose(): void {
    this.#end(new Error('answering thread: has been disposed of'));
    this.#thread.postMessage(ENDS);
  }

  #end(why: Error): void {
    this.#over ??= why;
    for (const { reject } of this.#waiting.values()) reject(this.#over);
    this.#waiting.clear();
    this.#thread.unref();
  }
}

/** What answers, and lets go at the end. */
export interface Answering<Ask, Answer> {
  answer(ask: Ask): Answer;
  dispose(): void;
}

/** The entry of an answering thread. @param create from the data it begins with */
export function answerIn<Data, Ask, Answer>(create: (data: Data) => Answering<Ask, Answer>): void {
  const port = parentPort!;
  const answering = create(workerData as Data);
  port.on('message', (message: Asked<Ask> | typeof ENDS) => {
    if (message === ENDS) {
      answering.dispose();
      return port.close();
    }
    const { number, ask } = message;
    let answered: Answered<Answer>;
    try {
      answered = { number, answer: answering.answer(ask) };
    } catch (error) {
      answered = { number, failure: toFailure(error) };
    }
    port.postMessage(answered);
  });
}
