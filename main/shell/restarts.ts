/** How long to wait before a process that has died is started again: longer each time, and not at all if it keeps dying. */

/** Milliseconds in which deaths count. */
const memory = 60_000;
/** So many within it, and only a person starts it again. */
const most = 3;
/** Milliseconds before the second start; the first follows at once. */
const wait = 1000;

export class Restarts {
  readonly #deaths: number[] = [];

  /**
   * @param now milliseconds on any clock that goes on
   * @returns milliseconds to wait, or undefined: no more
   */
  afterDeath(now: number): number | undefined {
    this.#deaths.push(now);
    while (now - this.#deaths[0] >= memory) this.#deaths.shift();
    const recent = this.#deaths.length;
    if (recent >= most) return undefined;
    return recent === 1 ? 0 : wait * 2 ** (recent - 2);
  }

  /** Somebody has looked at it and wants it started. */
  forget(): void {
    this.#deaths.length = 0;
  }
}
