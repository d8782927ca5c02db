/** Turning images by an angle: what makes the modes of an image task (Dopamine, arXiv:2602.11726). */
import { UserError } from '../base/errors.ts';

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Turns images by `degrees` about their centre, ((height - 1) / 2, (width - 1) / 2), counter-clockwise as seen on a screen (rows count
 * downwards), as PIL and torchvision do; the size stays, so corners are cut off. The value at a target pixel is the bilinear interpolation of
 * the image at the point turned back, zero outside it. Multiples of 90° of a square, and of 180° of any image, are exact permutations; 0° gives
 * pixels/255 exactly (to the nearest float32).
 * @param images [count, height * width]: bytes in 0 … 255, which are divided by 255, or float32, taken as they are
 * @param out [count, height * width], written and returned; may be `images` itself; a new array unless given
 * @throws UserError for an angle that is not finite or an array that does not fit `count`
 */
export function rotate(
  images: Uint8Array | Float32Array,
  count: number,
  { height, width }: ImageSize,
  degrees: number,
  out?: Float32Array,
): Float32Array {
  checkAngle('rotate: degrees', degrees);
  const pixels = height * width;
  const size = count * pixels;
  if (images.length !== size) throw new UserError('rotate: images', `must hold ${count} × ${pixels} values`, images.length);
  if (out && out.length !== size) throw new UserError('rotate: out', `must hold ${count} × ${pixels} values`, out.length);
  const result = out ?? new Float32Array(size);
  const { starts, targets, weights } = spreadFor(height, width, degrees);
  const unit = images instanceof Uint8Array ? 255 : 1;
  // Four fifths of a digit are background, so every pixel that is not is handed to its targets, in float64; sources in ascending order.
  const turned = new Float64Array(pixels);
  for (let base = 0; base < size; base += pixels) {
    turned.fill(0);
    for (let source = 0; source < pixels; source++) {
      const pixel = images[base + source];
      if (pixel === 0) continue;
      const value = pixel / unit;
      const end = starts[source + 1];
      for (let entry = starts[source]; entry < end; entry++) turned[targets[entry]] += weights[entry] * value;
    }
    result.set(turned, base);
  }
  return result;
}

export function checkAngle(field: string, angle: number): void {
  if (!Number.isFinite(angle)) throw new UserError(field, 'must be a finite number of degrees', angle);
}

interface Spread {
  readonly starts: Uint32Array;
  readonly targets: Uint32Array;
  readonly weights: Float64Array;
}

/** Those used last, the latest at the end: for a single small image, making one takes longer than using it. */
const made = new Map<string, Spread>();
const KEPT = 8;
const KEPT_PIXELS = 1 << 12;

function spreadFor(height: number, width: number, degrees: number): Spread {
  const key = `${height} ${width} ${degrees}`;
  const found = made.get(key) ?? spread(height, width, degrees);
  if (height * width > KEPT_PIXELS) return found;
  made.delete(key);
  made.set(key, found);
  for (const oldest of made.keys()) if (made.size > KEPT) made.delete(oldest);
  return found;
}

/**
 * The rotation as a sparse matrix over sources: pixel s adds `weights[e]` of itself to `targets[e]` for e in [starts[s], starts[s + 1]).
 *
 * With x to the right and y upwards from the centre, the target (x, y) shows the source turned back by θ: (x cos θ + y sin θ, y cos θ - x sin θ).
 */
function spread(height: number, width: number, degrees: number): Spread {
  const [cosine, sine] = cosineAndSine(degrees);
  const [middleRow, middleColumn] = [(height - 1) / 2, (width - 1) / 2];
  const bySource: { target: number; weight: number }[][] = Array.from({ length: height * width }, () => []);
  for (let target = 0; target < height * width; target++) {
    const x = (target % width) - middleColumn;
    const y = middleRow - Math.floor(target / width);
    const row = middleRow - (y * cosine - x * sine);
    const column = middleColumn + (x * cosine + y * sine);
    const top = Math.floor(row);
    const left = Math.floor(column);
    for (const [sourceRow, rowWeight] of [
      [top, top + 1 - row],
      [top + 1, row - top],
    ]) {
      for (const [sourceColumn, columnWeight] of [
        [left, left + 1 - column],
        [left + 1, column - left],
      ]) {
        const weight = rowWeight * columnWeight;
        const inside = sourceRow >= 0 && sourceRow < height && sourceColumn >= 0 && sourceColumn < width;
        if (inside && weight > 0) bySource[sourceRow * width + sourceColumn].push({ target, weight });
      }
    }
  }
  const starts = new Uint32Array(height * width + 1);
  bySource.forEach((entries, source) => (starts[source + 1] = starts[source] + entries.length));
  const entries = bySource.flat();
  return {
    starts,
    targets: Uint32Array.from(entries, (entry) => entry.target),
    weights: Float64Array.from(entries, (entry) => entry.weight),
  };
}

/** Exactly 0 and ±1 at multiples of 90°, where `Math.cos` of the radians is off by rounding. */
function cosineAndSine(degrees: number): [number, number] {
  const turn = degrees % 360;
  const quarters = Math.round(turn / 90);
  const rest = ((turn - quarters * 90) * Math.PI) / 180;
  let pair: [number, number] = [Math.cos(rest), Math.sin(rest)];
  for (let quarter = 0; quarter < (quarters + 4) % 4; quarter++) pair = [-pair[1], pair[0]];
  return pair;
}
