/** Where the units of a field stand: bands by group within each layer, filled column by column, as large as the place allows. */
import { ascending } from 'd3';

export interface FieldGroup {
  /** Tells it from the others of its layer. */
  readonly name: string;
  /** What stands above it: in bold, and after that. Both empty where there is nothing to tell apart. */
  readonly lead: string;
  readonly rest: string;
  /** Of all units, in order. */
  readonly units: readonly number[];
}

export interface FieldLayer {
  readonly title: string;
  /** Units of the layer. */
  readonly count: number;
  readonly groups: readonly FieldGroup[];
}

export interface PlacedGroup extends FieldGroup {
  readonly x: number;
}

export interface PlacedLayer {
  readonly title: string;
  readonly count: number;
  readonly groups: readonly PlacedGroup[];
  /** Baselines of the layer's line and of its groups' lines. */
  readonly titleY: number;
  readonly labelY: number;
}

export interface Field {
  /** Distance between neighbours. */
  readonly pitch: number;
  readonly layers: readonly PlacedLayer[];
  /** By unit, in pixels. */
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Pixels: titles of a layer, between bands, between layers. */
const HEAD = 40;
/** Of a layer whose groups have no names. */
const LOW_HEAD = 24;
const GAP = 9;
const BETWEEN = 16;
const LARGEST = 22;
const SMALLEST = 0.5;
/** A label is as wide as its letters: about this much each, in any of the fonts. */
const LETTER = 6.3;

const labelWidth = ({ lead, rest }: FieldGroup): number => (lead ? (lead.length + 1 + rest.length) * LETTER : 0);

/** @param n how many units there are in all */
export function placeField(given: readonly FieldLayer[], n: number, width: number, height: number): Field {
  const layers = given.map(legible(width));
  let pitch = LARGEST;
  let rows = rowsAt(layers, pitch, width);
  while (pitch > SMALLEST && !(rows && heightAt(layers, rows, pitch) <= height)) {
    pitch = Math.max(SMALLEST, pitch * 0.97);
    rows = rowsAt(layers, pitch, width);
  }
  rows ??= layers.map(({ groups }) => Math.max(1, ...groups.map(({ units }) => units.length)));
  const x = new Float32Array(n).fill(NaN);
  const y = new Float32Array(n).fill(NaN);
  let top = 0;
  const placed = layers.map(({ title, count, groups }, layer): PlacedLayer => {
    const high = rows[layer];
    let left = 0;
    const begin = top + headOf(groups);
    const bands = groups.map((group): PlacedGroup => {
      group.units.forEach((unit, i) => {
        x[unit] = left + pitch * (Math.floor(i / high) + 0.5);
        y[unit] = begin + pitch * ((i % high) + 0.5);
      });
      const at = left;
      left += Math.max(Math.ceil(group.units.length / high) * pitch, labelWidth(group)) + GAP;
      return { ...group, x: at };
    });
    const found = { title, count, groups: bands, titleY: top + 12, labelY: top + 31 };
    top = begin + high * pitch + BETWEEN;
    return found;
  });
  return { pitch, layers: placed, x, y };
}

/** Where labels alone would be too wide there are none: the tooltips still name the units. */
const legible =
  (width: number) =>
  (layer: FieldLayer): FieldLayer => {
    const needed = layer.groups.reduce((sum, group) => sum + Math.max(8, labelWidth(group)), GAP * (layer.groups.length - 1));
    return needed <= width ? layer : { ...layer, groups: layer.groups.map((group) => ({ ...group, lead: '', rest: '' })) };
  };

const headOf = (groups: readonly FieldGroup[]): number => (groups.some(({ lead }) => lead) ? HEAD : LOW_HEAD);

const heightAt = (layers: readonly FieldLayer[], rows: readonly number[], pitch: number): number =>
  rows.reduce((sum, high, layer) => sum + headOf(layers[layer].groups) + high * pitch, 0) + BETWEEN * (rows.length - 1);

/** The fewest rows with which each layer is not wider than the place; undefined where no number of rows is enough. */
function rowsAt(layers: readonly FieldLayer[], pitch: number, width: number): number[] | undefined {
  const rows: number[] = [];
  for (const { groups } of layers) {
    const most = Math.max(1, ...groups.map(({ units }) => units.length));
    const fits = (high: number): boolean =>
      groups.reduce(
        (sum, group) => sum + Math.max(Math.ceil(group.units.length / high) * pitch, labelWidth(group)),
        GAP * (groups.length - 1),
      ) <= width;
    if (!fits(most)) return undefined;
    let [low, high] = [1, most];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fits(middle)) high = middle;
      else low = middle + 1;
    }
    rows.push(low);
  }
  return rows;
}

/** Units of a layer in order: by a measure, falling or rising; those without a number last, equals by index. */
export function sorted(units: readonly number[], values: ArrayLike<number> | undefined, falling: boolean): readonly number[] {
  if (!values) return units;
  const missing = (i: number): number => (Number.isNaN(values[i]) ? 1 : 0);
  const sign = falling ? -1 : 1;
  return [...units].sort((a, b) => missing(a) - missing(b) || sign * ascending(values[a], values[b]) || a - b);
}
