/**
 * Very many marks as bytes: each is a stamp of coverages, put where it belongs without a path and without a call to the canvas. What a brush
 * leaves out is drawn once; a brush event then copies that and stamps only what is kept. Which marks there are is Points.svelte's.
 */
import type { PointMarks, PointShape } from './points.ts';

/** Red, green, blue. */
export type Colour = readonly [number, number, number];

export interface StampedMarks extends Omit<PointMarks, 'colour' | 'kept'> {
  /** Of each mark its place in the palette. */
  readonly colourOf: ArrayLike<number>;
  readonly palette: readonly Colour[];
}

/** Coverages of a mark around its middle, row by row, in 0 … 255. */
interface Stamp {
  readonly reach: number;
  readonly coverages: Uint8Array;
  /** Of a crisp one: its pixels, seen from the middle, in a row of the whole canvas. */
  readonly offsets: Int32Array | undefined;
}

/** More marks are crisp: pixels are in a mark or not, which is three times as fast, and at their size nobody sees it. */
const CRISP = 20_000;

/** Steps of a radius in a pixel: finer ones look alike. */
const STEPS = 4;
/** Samples along a side of a pixel. */
const SAMPLES = 4;

export class Stamps {
  readonly #width: number;
  readonly #height: number;
  /** Of each mark: its middle in pixels of the canvas (−1: not drawn), its stamp, its colour. */
  readonly #x: Int32Array;
  readonly #y: Int32Array;
  readonly #stampOf: Uint16Array;
  readonly #stamps: Stamp[] = [];
  readonly #colourOf: ArrayLike<number>;
  readonly #palette: readonly Colour[];
  readonly #faded: number;
  /** Of the palette, as one number each: how an opaque pixel lies in memory. */
  readonly #words: Uint32Array;
  /** What is drawn into each time: a fresh one would cost more than the marks. */
  readonly #image: ImageData;
  #allFaded: Uint8ClampedArray | undefined;
  #all: Uint8ClampedArray | undefined;

  /** @param ratio pixels of the canvas for each of the figure @param faded opacity of what is not kept */
  constructor({ x, y, size, shape, colourOf, palette }: StampedMarks, width: number, height: number, ratio: number, faded: number) {
    this.#width = width;
    this.#height = height;
    this.#colourOf = colourOf;
    this.#palette = palette;
    this.#faded = faded;
    this.#image = new ImageData(width, height);
    const bytes = Uint8Array.from(palette.flatMap(([red, green, blue]) => [red, green, blue, 255]));
    this.#words = new Uint32Array(bytes.buffer);
    const n = x.length;
    this.#x = new Int32Array(n).fill(-1);
    this.#y = new Int32Array(n);
    this.#stampOf = new Uint16Array(n);
    const known = new Map<string, number>();
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
      this.#x[i] = Math.max(0, Math.floor(x[i] * ratio));
      this.#y[i] = Math.floor(y[i] * ratio);
      const radius = Math.max(1, Math.round((typeof size === 'number' ? size : size[i]) * ratio * STEPS));
      const kind = typeof shape === 'string' ? shape : (shape?.[i] ?? 'dot');
      const key = `${kind}${radius}`;
      let stamp = known.get(key);
      if (stamp === undefined)
        known.set(key, (stamp = this.#stamps.push(stampOf(kind, radius / STEPS, ratio, n > CRISP ? width : undefined)) - 1));
      this.#stampOf[i] = stamp;
    }
  }

  /** The picture, until the next one is asked for. @param kept 0: faded, under all others; undefined: nothing is */
  drawn(kept: ArrayLike<number> | undefined): ImageData {
    const { data } = this.#image;
    if (kept) {
      data.set((this.#allFaded ??= this.#stamped(new Uint8ClampedArray(data.length), undefined, this.#faded)));
      this.#stamped(data, kept, 1);
    } else data.set((this.#all ??= this.#stamped(new Uint8ClampedArray(data.length), undefined, 1)));
    return this.#image;
  }

  #stamped(bytes: Uint8ClampedArray, kept: ArrayLike<number> | undefined, opacity: number): Uint8ClampedArray {
    const pixels = new Uint32Array(bytes.buffer);
    for (let i = 0; i < this.#x.length; i++) {
      if (this.#x[i] < 0 || (kept && !kept[i])) continue;
      this.#stamp(bytes, pixels, i, opacity);
    }
    return bytes;
  }

  #stamp(bytes: Uint8ClampedArray, pixels: Uint32Array, i: number, opacity: number): void {
    const [width, height] = [this.#width, this.#height];
    const { reach, coverages, offsets } = this.#stamps[this.#stampOf[i]];
    const colour = this.#palette[this.#colourOf[i]];
    const word = this.#words[this.#colourOf[i]];
    const side = 2 * reach + 1;
    const left = this.#x[i] - reach;
    const top = this.#y[i] - reach;
    if (offsets && opacity === 1 && left >= 0 && top >= 0 && left + side <= width && top + side <= height) {
      const middle = this.#y[i] * width + this.#x[i];
      for (let k = 0; k < offsets.length; k++) pixels[middle + offsets[k]] = word;
      return;
    }
    const lastRow = Math.min(side, height - top);
    const lastColumn = Math.min(side, width - left);
    for (let row = Math.max(0, -top); row < lastRow; row++)
      for (let column = Math.max(0, -left); column < lastColumn; column++) {
        const alpha = coverages[row * side + column] * opacity;
        const pixel = (top + row) * width + left + column;
        if (alpha >= 254.5) pixels[pixel] = word;
        else if (alpha > 0) blend(bytes, 4 * pixel, colour, alpha);
      }
  }
}

/** Source over (Porter and Duff 1984), colours not multiplied by their opacity, as ImageData has them. */
function blend(bytes: Uint8ClampedArray, at: number, colour: Colour, alpha: number): void {
  const under = bytes[at + 3] * (1 - alpha / 255);
  const whole = alpha + under;
  const share = alpha / whole;
  bytes[at] += share * (colour[0] - bytes[at]);
  bytes[at + 1] += share * (colour[1] - bytes[at + 1]);
  bytes[at + 2] += share * (colour[2] - bytes[at + 2]);
  bytes[at + 3] = whole;
}

/** @param radius pixels of the canvas @param crispIn width of the canvas, if pixels are to be in the mark or not */
function stampOf(shape: PointShape, radius: number, ratio: number, crispIn: number | undefined): Stamp {
  const covered = coverOf(shape, radius, ratio);
  const reach = Math.max(0, Math.ceil(radius - 0.5));
  const side = 2 * reach + 1;
  const coverages = new Uint8Array(side * side);
  const offsets: number[] = [];
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      let inside = 0;
      for (let k = 0; k < SAMPLES * SAMPLES; k++) {
        const dx = column - reach - 0.5 + ((k % SAMPLES) + 0.5) / SAMPLES;
        const dy = row - reach - 0.5 + (Math.floor(k / SAMPLES) + 0.5) / SAMPLES;
        if (covered(dx, dy)) inside++;
      }
      const share = inside / (SAMPLES * SAMPLES);
      // The middle is always there, however small the mark.
      const full = share >= 0.5 || (row === reach && column === reach);
      coverages[row * side + column] = crispIn === undefined ? Math.round(255 * share) : full ? 255 : 0;
      if (crispIn !== undefined && full) offsets.push((row - reach) * crispIn + column - reach);
    }
  return { reach, coverages, offsets: crispIn === undefined ? undefined : Int32Array.from(offsets) };
}

/** Whether a place, seen from the middle, is in the mark: as the paths of Points.svelte are drawn. */
function coverOf(shape: PointShape, radius: number, ratio: number): (dx: number, dy: number) => boolean {
  if (shape === 'dot') return (dx, dy) => dx * dx + dy * dy <= radius * radius;
  if (shape === 'ring') {
    const inner = Math.max(0, radius - ratio);
    return (dx, dy) => {
      const square = dx * dx + dy * dy;
      return square <= radius * radius && square >= inner * inner;
    };
  }
  // Two strokes of 1.3 px along the diagonals.
  const half = (1.3 * ratio) / 2;
  const arm = radius * 0.7;
  return (dx, dy) => Math.max(Math.abs(dx), Math.abs(dy)) <= arm && Math.abs(Math.abs(dx) - Math.abs(dy)) <= half * Math.SQRT2;
}
