/** The present, to the second, for what is said about times: "Checkpoint 3 s ago", "Today 14:52". Numbers never depend on it. */
import { createSubscriber } from 'svelte/reactivity';

let stopped: Date | undefined;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export const clock = {
  get now(): Date {
    if (stopped) return stopped;
    subscribe();
    return new Date();
  },

  /** For pictures and tests: from here on it is always then. */
  stop(at: Date): void {
    stopped = at;
  },
};
