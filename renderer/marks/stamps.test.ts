import { describe, expect, it } from 'vitest';
import type { PointShape } from './points.ts';
import { Stamps, type StampedMarks } from './stamps.ts';
import { seeded } from './testing/seeded.ts';

const WIDTH = 60;
const HEIGHT = 40;
const colours = [
  [20, 80, 150],
  [200, 60, 40],
] as const;

function marksOf(n: number, shape: PointShape, size: number): StampedMarks {
  const random = seeded(3);
  return {
    x: Float64Array.from({ length: n }, () => Math.floor(random() * WIDTH) + 0.5),
    y: Float64Array.from({ length: n }, () => Math.floor(random() * HEIGHT) + 0.5),
    size,
    shape,
    colourOf: Array.from({ length: n }, (_entry, i) => i % 2),
    palette: colours,
  };
}

/** The same by the canvas's own paths. */
function byPath({ x, y, size, colourOf }: StampedMarks, order: readonly number[], opacity: (i: number) => number): Uint8ClampedArray {
  const context = new OffscreenCanvas(WIDTH, HEIGHT).getContext('2d')!;
  for (const i of order) {
    context.globalAlpha = opacity(i);
    context.fillStyle = `rgb(${colours[colourOf[i]].join(' ')})`;
    context.beginPath();
    context.arc(x[i], y[i], size as number, 0, 2 * Math.PI);
    context.fill();
  }
  return context.getImageData(0, 0, WIDTH, HEIGHT).data;
}

/** Differences of what is seen on white. */
function differences(one: Uint8ClampedArray, other: Uint8ClampedArray): { most: number; mean: number } {
  let [most, sum] = [0, 0];
  const seen = (bytes: Uint8ClampedArray, at: number, k: number): number => 255 + (bytes[at + 3] / 255) * (bytes[at + k] - 255);
  for (let at = 0; at < one.length; at += 4)
    for (let k = 0; k < 3; k++) {
      const difference = Math.abs(seen(one, at, k) - seen(other, at, k));
      most = Math.max(most, difference);
      sum += difference;
    }
  return { most, mean: sum / (0.75 * one.length) };
}

describe('stamps', () => {
  it('draw dots as the canvas draws circles', () => {
    const marks = marksOf(30, 'dot', 3);
    const drawn = new Stamps(marks, WIDTH, HEIGHT, 1, 0.42).drawn(undefined);
    const { most, mean } = differences(
      drawn.data,
      byPath(marks, [...Array(30).keys()], () => 1),
    );
    // Coverages have sixteen samples a pixel, and the canvas has its own way: at edges a quarter of the ground, over all next to nothing.
    expect(most).toBeLessThan(64);
    expect(mean).toBeLessThan(2.5);
  });

  it('fade what is not kept, under what is', () => {
    const marks = marksOf(30, 'dot', 3);
    const kept = Uint8Array.from({ length: 30 }, (_entry, i) => (i % 3 === 0 ? 1 : 0));
    const stamps = new Stamps(marks, WIDTH, HEIGHT, 1, 0.42);
    const faded = [...kept.keys()];
    const above = faded.filter((i) => kept[i]);
    const expected = byPath(marks, [...faded, ...above.map((i) => i)], () => 1);
    const drawn = stamps.drawn(kept).data.slice();
    for (const i of above.slice(-1)) {
      const at = 4 * (Math.floor(marks.y[i]) * WIDTH + Math.floor(marks.x[i]));
      expect([...drawn.slice(at, at + 4)]).toEqual([...expected.slice(at, at + 4)]);
    }
    const alone = faded.filter(
      (i) => !kept[i] && faded.every((j) => j === i || Math.hypot(marks.x[i] - marks.x[j], marks.y[i] - marks.y[j]) > 7),
    );
    expect(alone.length).toBeGreaterThan(0);
    for (const i of alone) expect(drawn[4 * (Math.floor(marks.y[i]) * WIDTH + Math.floor(marks.x[i])) + 3]).toBe(Math.round(0.42 * 255));
  });

  it('forget nothing: after one brush the next is drawn as if it were the first', () => {
    const marks = marksOf(200, 'cross', 3);
    const [odd, even] = [1, 0].map((rest) => Uint8Array.from({ length: 200 }, (_entry, i) => (i % 2 === rest ? 1 : 0)));
    const stamps = new Stamps(marks, WIDTH, HEIGHT, 1, 0.42);
    stamps.drawn(odd);
    stamps.drawn(undefined);
    const again = stamps.drawn(even).data.slice();
    expect(again).toEqual(new Stamps(marks, WIDTH, HEIGHT, 1, 0.42).drawn(even).data);
    expect(again).not.toEqual(stamps.drawn(odd).data);
  });

  it('keep inside the canvas, leave out what has no place, and are crisp where there are very many', () => {
    const edges = { ...marksOf(4, 'ring', 4), x: [0, WIDTH, NaN, -3], y: [0, HEIGHT, 5, 10] };
    expect(() => new Stamps(edges, WIDTH, HEIGHT, 1, 0.42).drawn(undefined)).not.toThrow();
    const many = marksOf(20_001, 'dot', 1.3);
    const alphas = new Set(new Stamps(many, WIDTH, HEIGHT, 1, 0.42).drawn(undefined).data.filter((_byte, i) => i % 4 === 3));
    expect([...alphas].every((alpha) => alpha === 0 || alpha === 255)).toBe(true);
  });
});
