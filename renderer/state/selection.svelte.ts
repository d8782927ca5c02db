/** What is selected, hovered and brushed: one selection for the whole window. */
export class Selection {
  #unit = $state<string | undefined>();
  #hovered = $state<string | undefined>();
  #pinned = $state.raw<readonly string[]>([]);
  #brushes = $state.raw<Readonly<Record<string, ReadonlySet<string>>>>({});
  readonly #brushed = $derived.by(() => {
    const sets = Object.values(this.#brushes);
    if (sets.length === 0) return undefined;
    return new Set([...sets[0]].filter((unit) => sets.every((set) => set.has(unit))));
  });

  /** `L1U41` */
  get unit(): string | undefined {
    return this.#unit;
  }

  select(unit: string | undefined): void {
    this.#unit = unit;
  }

  get hovered(): string | undefined {
    return this.#hovered;
  }

  hover(unit: string | undefined): void {
    this.#hovered = unit;
  }

  get pinned(): readonly string[] {
    return this.#pinned;
  }

  togglePin(unit: string): void {
    this.#pinned = this.#pinned.includes(unit) ? this.#pinned.filter((one) => one !== unit) : [...this.#pinned, unit];
  }

  /** Units in every brush; undefined while nothing is brushed. */
  get brushed(): ReadonlySet<string> | undefined {
    return this.#brushed;
  }

  /** @param view whose brush it is @param units undefined takes it away */
  brush(view: string, units: ReadonlySet<string> | undefined): void {
    const { [view]: _before, ...others } = this.#brushes;
    this.#brushes = units ? { ...others, [view]: units } : others;
  }

  /** What Esc takes away first. @returns whether there was anything */
  clearInnermost(): boolean {
    if (Object.keys(this.#brushes).length > 0) this.#brushes = {};
    else if (this.#unit !== undefined) this.#unit = undefined;
    else if (this.#pinned.length > 0) this.#pinned = [];
    else return false;
    return true;
  }

  clear(): void {
    this.#unit = this.#hovered = undefined;
    this.#pinned = [];
    this.#brushes = {};
  }
}
