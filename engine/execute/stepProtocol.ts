/**
 * How the lead thread of a training step and its helper talk: a few words in shared memory, no messages.
 *
 * A command is written, its number raised, and the other side woken; the answer is the same number. Both sides look for a while before they
 * sleep, because a step is shorter than it takes the system to wake a thread twice.
 */
import type { Worker } from 'node:worker_threads';

/** Int32 words of the control block. */
export const COMMAND_NUMBER = 0;
export const COMMAND = 1;
export const ARGUMENT = 2;
export const ANSWER_NUMBER = 3;
export const ANSWER = 4;
export const CONTROL_BYTES = 64;
/** Float64 words that follow it: step, learning rate, gradient scale. */
export const SCALAR_BYTES = 64;

export const RUN = 1;
export const UPDATE = 2;
export const END = 3;
/** As RUN, and looks whether the gradient is finite. */
export const RUN_WATCHED = 4;

export const DONE = 0;
export const NOT_FINITE = 1;
export const FAILED = 2;

/** Looks before sleeping: some tens of microseconds. */
const LOOKS = 4000;
/** Milliseconds of sleep between two looks at whether the other side is still there. */
const CHECK = 250;

/**
 * Returns once the word at `index` is no longer `old`.
 * @param check called now and then meanwhile; throws if nobody is left who could change it
 */
export function awaitChange(control: Int32Array, index: number, old: number, check?: () => void): void {
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(control, index) !== old) return;
  while (Atomics.load(control, index) === old) if (Atomics.wait(control, index, old, check ? CHECK : Infinity) === 'timed-out') check?.();
}

/**
 * Whether a thread still runs, asked by one that sleeps and so gets no events: the time an event loop was idle is not known (-1, or all zeros)
 * once its thread has stopped, however it came to that.
 */
export function lives(thread: Worker): boolean {
  const { idle, active } = thread.performance.eventLoopUtilization();
  return idle >= 0 && active > 0;
}

/** Raises the number at `index` and wakes whoever waits for it. */
export function signal(control: Int32Array, index: number): number {
  const number = Atomics.add(control, index, 1) + 1;
  Atomics.notify(control, index);
  return number;
}

/** The helper's half of an update: elements [begin, end), whole vectors. */
export function halfOf(count: number): number {
  return Math.ceil(count / 8) * 4;
}
