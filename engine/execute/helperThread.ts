/** Starts a helper thread: when it can take commands, when it has ended, and what it says went wrong. */
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { ExecutionError } from './executor.ts';

export interface HelperThread {
  readonly thread: Worker;
  /** Messages of its errors, read without waiting (`receiveMessageOnPort`). */
  readonly errors: MessagePort;
  /** Resolves when it can take commands; rejects if it ends before that. */
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** @param module its entry, which posts one message when it is ready @param data what it begins with; `errors` is added */
export function startHelper(module: URL, data: object): HelperThread {
  const { port1: errors, port2 } = new MessageChannel();
  errors.unref();
  const thread = new Worker(module, { workerData: { ...data, errors: port2 }, transferList: [port2] });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve());
    // Stays, so that a death later on is no uncaught error here: the lead finds out when it waits for an answer.
    thread.on('error', reject);
    thread.once('exit', (code) => reject(new ExecutionError('helper thread', `ended with code ${code} before it was ready`)));
  });
  // Looked at together with the others', perhaps after something else has failed.
  ready.catch(() => undefined);
  return { thread, errors, ready, ended };
}
