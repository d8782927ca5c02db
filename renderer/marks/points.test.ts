import { describe, expect, it } from 'vitest';
import { inside, nearest, neighbour } from './points.ts';
import { seeded } from './testing/seeded.ts';

const random = seeded(5);
const x = Float64Array.from({ length: 500 }, () => random() * 400);
const y = Float64Array.from({ length: 500 }, () => random() * 300);

describe('points', () => {
  it('finds the mark under a pointer as looking at all of them does', () => {
    const find = nearest({ x, y });
    for (let k = 0; k < 200; k++) {
      const [px, py] = [random() * 400, random() * 300];
      let [best, shortest] = [-1, 12];
      for (let i = 0; i < x.length; i++) {
        const distance = Math.hypot(x[i] - px, y[i] - py);
        if (distance < shortest) [best, shortest] = [i, distance];
      }
      expect(find(px, py) ?? -1).toBe(best);
    }
  });

  it('finds none where none is near, and leaves out what has no place', () => {
    expect(nearest({ x: [0, NaN], y: [0, 0] })(100, 100)).toBeUndefined();
    expect(nearest({ x: [0, NaN], y: [0, 0] })(1, 1)).toBe(0);
  });

  it('goes by arrows to what lies that way, and stays at the edge', () => {
    const grid = { x: [0, 10, 20, 0, 10, 20], y: [0, 0, 0, 10, 10, 10] };
    expect(neighbour(grid, 0, 'right')).toBe(1);
    expect(neighbour(grid, 1, 'down')).toBe(4);
    expect(neighbour(grid, 4, 'left')).toBe(3);
    expect(neighbour(grid, 3, 'up')).toBe(0);
    expect(neighbour(grid, 2, 'right')).toBe(2);
  });

  it('counts what a region holds, edges included', () => {
    expect([...inside({ x: [0, 5, 10, 11], y: [0, 5, 10, 5] }, { x0: 0, x1: 10, y0: 0, y1: 10 })]).toEqual([1, 1, 1, 0]);
  });
});
