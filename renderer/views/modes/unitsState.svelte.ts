/**
 * The units of the network that is looked at, as every figure of them shows them: their numbers, what is selected, brushed, forced and noted, by
 * place in the table. One for the workspace; it asks for nothing that ModesState has not asked for.
 */
import type { App } from '../../state/app.svelte.ts';
import type { Wanted } from '../../state/results.svelte.ts';
import type { Firing } from './live/contenders.ts';
import type { ModesState, UnitState } from './modesState.svelte.ts';
import { UnitBrush } from './unitBrush.svelte.ts';
import { measuresOf, type Standing, type UnitMeasure } from './units/measures.ts';
import type { Pointing } from './units/pointing.ts';
import { unitTable, type UnitTable } from './units/unitTable.ts';

const found = (wanted: Wanted) => (wanted.state === 'ready' ? wanted.findings : undefined);

export class UnitsState {
  readonly brush: UnitBrush;
  readonly #app: App;
  readonly #modes: ModesState;
  #firing = $state.raw<Firing | undefined>();

  constructor(app: App, modes: ModesState) {
    this.#app = app;
    this.#modes = modes;
    this.brush = new UnitBrush(
      app,
      () => this.table,
      () => this.measures,
    );
  }

  readonly table = $derived.by((): UnitTable | undefined => {
    const { units: vectors, subject, ownAngle: angle, categories, firing, contributions, interchange } = this.#modes;
    if (!vectors || vectors instanceof Error || !subject) return undefined;
    return unitTable({
      vectors,
      gated: subject.gated,
      // Vectors have 1 where an adapter has no gains.
      gains: subject.gated || vectors.gain.some((gain) => gain !== 1),
      angle,
      categories: found(categories),
      firing: found(firing),
      contributions: found(contributions),
      interchange: found(interchange),
    });
  });

  readonly standing = $derived.by((): Standing => {
    const { form, share, ownAngle, subject } = this.#modes;
    return { share: form === 'rival' ? 1 : share, base: form === 'base', angle: ownAngle, temperature: subject?.temperature ?? [] };
  });

  readonly measures = $derived.by((): readonly UnitMeasure[] => (this.table ? measuresOf(this.table, this.standing) : []));

  readonly pointing: Pointing = this.#pointing();

  /** Units that are on for the live digit, while a row of it is pressed: they too leave the others faded. */
  light(firing: Firing | undefined): void {
    this.#firing = firing;
  }

  /** 1: in full colour; undefined while all are. */
  readonly kept = $derived.by((): Uint8Array | undefined => {
    const { kept } = this.brush;
    const on = this.#firing?.active;
    if (!on || on.length !== this.table?.labels.length) return kept;
    return kept ? on.map((active, i) => active & kept[i]) : on;
  });

  readonly forced = $derived.by(
    (): ReadonlyMap<number, UnitState> =>
      new Map(
        this.#modes.forcedList.flatMap(({ unit, state }) => {
          const place = this.#placeOf(unit);
          return place === undefined ? [] : [[place, state] as const];
        }),
      ),
  );

  /** Those that somebody has written on, or bookmarked. */
  readonly noted = $derived.by((): ReadonlySet<number> => {
    const key = this.#modes.subject?.digest;
    return new Set(
      (this.#app.session?.notes ?? []).flatMap(({ subject, bookmark, text }) =>
        subject.key === key && (bookmark || text !== '') ? (this.#placeOf(subject.unit) ?? []) : [],
      ),
    );
  });

  #placeOf(label: string | undefined): number | undefined {
    return label === undefined ? undefined : this.table?.indexOf.get(label);
  }

  #pointing(): Pointing {
    const placeOf = (label: string | undefined): number | undefined => this.#placeOf(label);
    const labelOf = (unit: number | undefined): string | undefined => (unit === undefined ? undefined : this.table?.labels[unit]);
    const selection = () => this.#app.selection;
    return {
      get selected() {
        return placeOf(selection().unit);
      },
      get hovered() {
        return placeOf(selection().hovered);
      },
      get pinned() {
        return selection().pinned.flatMap((label) => placeOf(label) ?? []);
      },
      onHover: (unit) => selection().hover(labelOf(unit)),
      onSelect: (unit) => selection().select(labelOf(unit)),
      onPin: (unit) => {
        const label = labelOf(unit);
        if (label !== undefined) selection().togglePin(label);
      },
    };
  }
}
