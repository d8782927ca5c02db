/** Notices that a process which should speak has fallen silent. A computer that slept counts as one tick, not as hours of silence. */

/** Of this many ticks is the silence that is too long. */
const TICKS = 10;

export class Watchdog implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #missed = 0;

  /** @param silence milliseconds @param onSilent called once */
  constructor(silence: number, onSilent: () => void) {
    this.#timer = setInterval(() => {
      if (++this.#missed < TICKS) return;
      this[Symbol.dispose]();
      onSilent();
    }, silence / TICKS);
    this.#timer.unref();
  }

  heard(): void {
    this.#missed = 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
