/** The steps that all charts of Train share: which are in sight, and which one is looked at. */

/** Fewest steps that are shown. */
const CLOSEST = 10;

export class SharedSteps {
  /** The one that is looked at. */
  step = $state<number | undefined>();
  #zoomed = $state.raw<readonly [number, number] | undefined>();
  readonly #total: () => number;

  /** @param total steps of the longest run */
  constructor(total: () => number) {
    this.#total = total;
  }

  get zoomed(): readonly [number, number] | undefined {
    return this.#zoomed;
  }

  readonly domain = $derived.by((): readonly [number, number] => this.#zoomed ?? [0, Math.max(1, this.#total())]);

  show([low, high]: readonly [number, number]): void {
    const total = Math.max(1, this.#total());
    const size = Math.min(total, Math.max(CLOSEST, high - low));
    const from = Math.max(0, Math.min(total - size, (low + high - size) / 2));
    this.#zoomed = size >= total * 0.999 ? undefined : [from, from + size];
  }

  showAll(): void {
    this.#zoomed = undefined;
  }

  /** @param centre what stays where it is */
  zoom(factor: number, centre: number): void {
    const [low, high] = this.domain;
    this.show([centre - (centre - low) * factor, centre + (high - centre) * factor]);
  }

  /** @param share of what is in sight */
  pan(share: number): void {
    const [low, high] = this.domain;
    const by = share * (high - low);
    const total = Math.max(1, this.#total());
    const within = Math.max(-low, Math.min(total - high, by));
    if (this.#zoomed) this.show([low + within, high + within]);
  }

  /** By keys: around the step that is looked at, if it is in sight. */
  zoomByKey(direction: 'in' | 'out' | 'reset'): void {
    const [low, high] = this.domain;
    const centre = this.step !== undefined && this.step >= low && this.step <= high ? this.step : (low + high) / 2;
    if (direction === 'reset') this.showAll();
    else this.zoom(direction === 'in' ? 0.6 : 1 / 0.6, centre);
  }
}
