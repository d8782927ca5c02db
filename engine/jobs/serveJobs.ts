/**
 * The engine's side of the messages, for whatever kinds of jobs it is given: takes requests, runs one at a time, and answers.
 *
 * This file sees cancellations between runs, thins out progress, waits for checkpoints to be safe, and makes sure that no engine outlives its
 * host. It knows no kind itself, so that an engine of few kinds is quick to start. Who starts engines, restarts dead ones and keeps what they
 * computed is main/host's business.
 */
import { Worker } from 'node:worker_threads';
import { fromFailure, throwIfCancelled, toFailure } from '../base/errors.ts';
import type { FromEngine, JobContext, JobKind, Progress, ToEngine } from '../contract.ts';
import { runOneOf } from './runOneOf.ts';

/** Milliseconds of work between two looks at the messages: a turn of the event loop takes microseconds. */
const breath = 20;
/** Milliseconds between two progress messages. */
const pace = 50;
/** Milliseconds between two signs of life. */
const pulse = 1000;

/** Where messages come from and go to: an IPC channel here, Electron's parentPort or a test elsewhere. */
export interface Port {
  /** @param sent called once the message has left the process */
  send(message: FromEngine, sent?: () => void): void;
  onMessage(listener: (message: ToEngine) => void): void;
}

interface RunningJob {
  readonly context: JobContext;
  cancel(): void;
  /** The host's answer about a checkpoint: stored, or an error. */
  answer(checkpoint: number, refusal?: Error): void;
  /** Sends the last progress if it was held back. */
  flush(): void;
}

/**
 * Runs what comes in through the port.
 * @returns a way to report an error that no job caught: tells the host that the running job failed, then calls `reported`
 */
export function serveJobs(port: Port, kinds: readonly JobKind[]): (error: unknown, reported: () => void) => void {
  let running: { id: number; job: RunningJob } | undefined;

  async function start(message: ToEngine & { type: 'run' }): Promise<void> {
    const id = message.job;
    if (running) {
      port.send({ type: 'failed', job: id, failure: toFailure(new Error(`engine: busy with job ${running.id}, cannot take ${id}`)) });
      return;
    }
    const job = startJob(message, port);
    running = { id, job };
    const heart = setInterval(() => port.send({ type: 'alive', job: id }), pulse);
    let answer: FromEngine;
    try {
      answer = { type: 'done', job: id, result: await runOneOf(kinds, message.request, job.context) };
    } catch (error) {
      answer = { type: 'failed', job: id, failure: toFailure(error) };
    }
    clearInterval(heart);
    job.flush();
    running = undefined;
    try {
      port.send(answer);
    } catch (error) {
      port.send({ type: 'failed', job: id, failure: toFailure(error) }); // a result that cannot be cloned
    }
  }

  port.onMessage((message) => {
    const job = running?.id === message.job ? running.job : undefined;
    switch (message.type) {
      case 'run':
        return void start(message);
      case 'cancel':
        return job?.cancel();
      case 'stored':
        return job?.answer(message.checkpoint);
      case 'refused':
        return job?.answer(message.checkpoint, fromFailure(message.failure));
      default:
        return message satisfies never;
    }
  });

  return (error, reported) => {
    if (running) port.send({ type: 'failed', job: running.id, failure: toFailure(error) }, reported);
    else reported();
  };
}

function startJob({ job: id, threads, resume }: ToEngine & { type: 'run' }, port: Port): RunningJob {
  const controller = new AbortController();
  const { signal } = controller;
  const pending = new Map<number, { resolve(): void; reject(error: Error): void }>();
  const { offer, flush } = thinned((progress) => port.send({ type: 'progress', job: id, progress }));
  let checkpoints = 0;
  let breathed = performance.now();
  return {
    context: {
      signal,
      threads,
      resume,
      progress: offer,
      checkpoint: (state) =>
        new Promise((resolve, reject) => {
          flush();
          const checkpoint = ++checkpoints;
          port.send({ type: 'checkpoint', job: id, checkpoint, state });
          pending.set(checkpoint, { resolve, reject });
        }),
      breathe: async () => {
        if (performance.now() - breathed >= breath) {
          await new Promise((resolve) => setImmediate(resolve));
          breathed = performance.now();
        }
        throwIfCancelled(signal);
      },
    },
    cancel: () => controller.abort(),
    answer: (checkpoint, refusal) => {
      const waiting = pending.get(checkpoint);
      pending.delete(checkpoint);
      if (refusal) waiting?.reject(refusal);
      else waiting?.resolve();
    },
    flush,
  };
}

/** Lets through what comes no sooner than {@link pace} after the last; holds back the newest of the rest until then or until `flush`. */
function thinned(send: (progress: Progress) => void): { offer: (progress: Progress) => void; flush: () => void } {
  let held: Progress | undefined;
  let sent = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const estimate = estimated();
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (!held) return;
    sent = performance.now();
    send(held);
    held = undefined;
  };
  return {
    flush,
    offer: (progress) => {
      held = estimate(progress);
      const wait = sent + pace - performance.now();
      if (wait <= 0) flush();
      else timer ??= setTimeout(flush, wait);
    },
  };
}

/** Adds the seconds left to progress that does not say, from the pace since the first report over the same total in this attempt. */
function estimated(): (progress: Progress) => Progress {
  let first: { done: number; total: number; time: number } | undefined;
  return (progress) => {
    const { done, total } = progress;
    const time = performance.now();
    if (first?.total !== total || done < first.done) first = { done, total, time };
    if (progress.remaining !== undefined || done === first.done) return progress;
    return { ...progress, remaining: (((time - first.time) / 1000) * (total - done)) / (done - first.done) };
  };
}

/** Serves the process that forked this one, and ends with it. */
export function serveJobsToParent(kinds: readonly JobKind[]): void {
  if (!process.send) throw new Error('engine: must be forked with an IPC channel');
  const send = process.send.bind(process);
  // A message that cannot be sent any more has no reader: 'disconnect' ends the process.
  const port: Port = {
    send: (message, sent) => void send(message, () => sent?.()),
    onMessage: (listener) => void process.on('message', listener),
  };
  const report = serveJobs(port, kinds);
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole process group; what is to become of a job then is for the host to say.
  process.on('SIGINT', () => undefined);
  process.on('uncaughtException', (error) => {
    console.error(error);
    report(error, () => process.exit(1));
  });
  watchParent();
}

/**
 * 'disconnect' is not seen by a thread that never comes back to its event loop, so a second one looks whether the parent is still there
 * (its death changes `ppid`, or on Windows makes it unreachable).
 */
function watchParent(): void {
  const watch = `
    const parent = ${process.ppid};
    const gone = () => {
      if (process.ppid !== parent) return true;
      try { return !process.kill(parent, 0); } catch (error) { return error.code === 'ESRCH'; }
    };
    setInterval(() => { if (gone()) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(watch, { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 } }).unref();
}
