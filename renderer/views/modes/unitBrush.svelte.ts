/**
 * The rectangle brushed in the scatter: kept in the session in the units of its axes, so that undo takes it back and a change of size moves it
 * along. While it is dragged only a mask is made, unit by unit; the window's selection hears of it when it is let go.
 */
import { untrack } from 'svelte';
import type { App } from '../../state/app.svelte.ts';
import { count } from '../../words/numbers.ts';
import type { MeasureId, UnitMeasure } from './units/measures.ts';
import type { UnitTable } from './units/unitTable.ts';

export interface BrushedRange {
  readonly least: number;
  readonly most: number;
}

export interface UnitRectangle {
  readonly x: MeasureId;
  readonly y: MeasureId;
  readonly across: BrushedRange;
  readonly along: BrushedRange;
}

const VIEW = 'modes.scatter';

export class UnitBrush {
  readonly #app: App;
  readonly #table: () => UnitTable | undefined;
  readonly #measures: () => readonly UnitMeasure[];
  /** Undefined: not dragged; null: dragged away. */
  #dragged = $state.raw<UnitRectangle | null | undefined>();
  #told = false;

  constructor(app: App, table: () => UnitTable | undefined, measures: () => readonly UnitMeasure[]) {
    this.#app = app;
    this.#table = table;
    this.#measures = measures;
  }

  readonly rectangle = $derived.by((): UnitRectangle | undefined => {
    const dragged = this.#dragged;
    return dragged === null ? undefined : (dragged ?? this.#app.view<UnitRectangle | null>('modes.brush', null) ?? undefined);
  });

  /** Units in the rectangle: 1, others 0; undefined while nothing is brushed or an axis has no numbers now. */
  readonly #own = $derived.by((): Uint8Array | undefined => {
    const { rectangle } = this;
    const measure = (id: MeasureId): UnitMeasure | undefined => this.#measures().find((one) => one.id === id);
    const [x, y] = rectangle ? [measure(rectangle.x), measure(rectangle.y)] : [];
    return rectangle && x && y ? within(x.values, y.values, rectangle) : undefined;
  });

  /** What every figure fades by: also what other views have brushed, except while this one is dragged. */
  readonly kept = $derived.by((): Uint8Array | undefined => {
    const table = this.#table();
    if (!table || this.#dragged !== undefined) return this.#own;
    const { brushed } = this.#app.selection;
    return brushed ? Uint8Array.from(table.labels, (label) => (brushed.has(label) ? 1 : 0)) : this.#own;
  });

  readonly count = $derived.by((): number => {
    let sum = 0;
    const own = this.#own;
    if (own) for (let i = 0; i < own.length; i++) sum += own[i];
    return sum;
  });

  /** As a value of its own: what is brushed is another set whenever somebody brushes, and this effect brushes. */
  readonly #nothingBrushed = $derived.by((): boolean => this.#app.selection.brushed === undefined);

  drag(rectangle: UnitRectangle | undefined): void {
    this.#dragged = rectangle ?? null;
  }

  /** One step for undo. */
  set(rectangle: UnitRectangle | undefined): void {
    this.#dragged = rectangle ?? null;
    const label = rectangle ? `Brush ${count(this.count, 'unit')}` : 'Clear the brush';
    void this.#app.setView({ name: 'modes.brush', value: rectangle ?? null, label });
    this.#dragged = undefined;
  }

  /** Tells the window's selection, and hears when Escape has cleared it: for an `$effect`. */
  follow(): void {
    if (this.#dragged !== undefined) return;
    const [own, table] = [this.#own, this.#table()];
    if (!table) return;
    const { selection } = this.#app;
    const cleared = this.#nothingBrushed && this.#told;
    untrack(() => {
      if (own && cleared) {
        this.#told = false;
        this.set(undefined);
        return;
      }
      if (own || this.#told) selection.brush(VIEW, own && new Set(table.labels.filter((_label, i) => own[i])));
      this.#told = own !== undefined;
    });
  }
}

/** Once for every event of a drag, over every unit: no objects are touched on the way. */
export function within(x: ArrayLike<number>, y: ArrayLike<number>, { across, along }: Pick<UnitRectangle, 'across' | 'along'>): Uint8Array {
  const kept = new Uint8Array(x.length);
  const [x0, x1, y0, y1] = [across.least, across.most, along.least, along.most];
  for (let i = 0; i < kept.length; i++) {
    const here = x[i];
    if (here >= x0 && here <= x1 && y[i] >= y0 && y[i] <= y1) kept[i] = 1;
  }
  return kept;
}
