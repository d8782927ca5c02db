/** What happens often, told seldom. */

export interface Throttled {
  /** Asks for it to be done: at once, or when enough time has passed since the last time. */
  readonly ask: () => void;
  readonly stop: () => void;
}

export function throttled(milliseconds: number, act: () => void): Throttled {
  let timer: NodeJS.Timeout | undefined;
  let due = false;
  const rest = (): void => {
    timer = setTimeout(() => {
      timer = undefined;
      if (due) now();
    }, milliseconds);
    timer.unref();
  };
  const now = (): void => {
    due = false;
    rest();
    act();
  };
  return {
    ask: () => {
      if (timer) due = true;
      else now();
    },
    stop: () => {
      clearTimeout(timer);
      due = false;
    },
  };
}
