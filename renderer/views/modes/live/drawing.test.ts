import { describe, expect, it } from 'vitest';
import { inked, SIDE, upright } from './drawing.ts';

describe('drawing', () => {
  it('is full ink on the line, none away from it, and less in between', () => {
    const pixels = inked([
      [
        { x: 4.5, y: 10.5 },
        { x: 20.5, y: 10.5 },
      ],
    ]);
    const at = (x: number, y: number): number => pixels[y * SIDE + x];
    expect([at(4, 10), at(12, 10), at(20, 10)]).toEqual([1, 1, 1]);
    expect(at(12, 11)).toBeCloseTo((1.9 - 1) / (1.9 - 0.7), 6);
    expect([at(12, 12), at(12, 8), at(23, 10)]).toEqual([0, 0, 0]);
    expect(at(22, 10)).toBe(0);
    expect(at(21, 10)).toBeCloseTo(0.75, 6);
  });

  it('a point alone leaves ink, also in a corner, and strokes do not dim each other', () => {
    const corner = inked([[{ x: 0, y: 0 }]]);
    expect(corner[0]).toBeGreaterThan(0.9);
    const [one, other] = [[{ x: 5.5, y: 5.5 }], [{ x: 6.5, y: 5.5 }]];
    const [both, alone, second] = [inked([one, other]), inked([one]), inked([other])];
    expect(both).toEqual(alone.map((ink, i) => Math.max(ink, second[i])));
  });

  it('is the same as by the distance to many points of the line', () => {
    const [from, to] = [
      { x: 3.2, y: 22.7 },
      { x: 19.9, y: 6.1 },
    ];
    const pixels = inked([[from, to]]);
    const STEPS = 4000;
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        let nearest = Infinity;
        for (let i = 0; i <= STEPS; i++) {
          const [px, py] = [from.x + (i / STEPS) * (to.x - from.x), from.y + (i / STEPS) * (to.y - from.y)];
          nearest = Math.min(nearest, Math.hypot(x + 0.5 - px, y + 0.5 - py));
        }
        // The points are 0.006 pixels apart.
        expect(Math.abs(pixels[y * SIDE + x] - Math.min(1, Math.max(0, (1.9 - nearest) / 1.2))), `${x}, ${y}`).toBeLessThan(1e-4);
      }
  });

  it('turns back what was drawn on a turned picture', () => {
    // Turned by 90° counterclockwise the right edge is on top.
    const top = upright({ x: 14, y: 1 }, 90);
    expect([top.x, top.y]).toEqual([expect.closeTo(27, 10), expect.closeTo(14, 10)]);
    const back = upright(upright({ x: 3, y: 20 }, 33), -33);
    expect([back.x, back.y]).toEqual([expect.closeTo(3, 10), expect.closeTo(20, 10)]);
  });
});
