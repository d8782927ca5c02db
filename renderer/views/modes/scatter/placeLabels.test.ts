import { describe, expect, it } from 'vitest';
import { seeded } from '../testing/manyUnits.ts';
import { placeLabels } from './placeLabels.ts';

const bounds = { left: 40, top: 20, right: 460, bottom: 260 };
const random = seeded(11);
const n = 400;
// A cloud at the left, and room at the right.
const marks = {
  x: Float64Array.from({ length: n }, () => 50 + 120 * random()),
  y: Float64Array.from({ length: n }, () => 40 + 200 * random()),
};
const anchors = ['Boosted', 'Reused', 'Attenuated', 'Silenced: 28 units', 'Dead: 17 units'].map((text, i) => ({
  text,
  x: 120,
  y: 60 + 40 * i,
}));

describe('labels in a scatter', () => {
  const placed = placeLabels(anchors, marks, bounds);

  it('stand inside, none over another', () => {
    expect(placed.map(({ text }) => text)).toEqual(anchors.map(({ text }) => text));
    for (const { left, width, baseline } of placed) {
      expect(left).toBeGreaterThanOrEqual(bounds.left);
      expect(left + width).toBeLessThanOrEqual(bounds.right);
      expect(baseline - 11).toBeGreaterThanOrEqual(bounds.top);
      expect(baseline).toBeLessThanOrEqual(bounds.bottom);
    }
    placed.forEach((one, i) =>
      placed.slice(i + 1).forEach((other) => {
        const apart =
          one.left + one.width <= other.left || other.left + other.width <= one.left || Math.abs(one.baseline - other.baseline) >= 14;
        expect(apart).toBe(true);
      }),
    );
  });

  it('cover no mark where there is room beside the cloud', () => {
    for (const { left, width, baseline } of placed) {
      const covered = marks.x.filter((x, i) => x > left && x < left + width && marks.y[i] > baseline - 11 && marks.y[i] < baseline + 3);
      expect(covered).toHaveLength(0);
    }
  });

  it('avoid a line that is drawn', () => {
    const none = { x: [], y: [] };
    const [label] = placeLabels([{ text: 'unchanged', x: 200, y: 140 }], none, bounds, 140);
    expect(140 <= label.baseline - 11 || 140 >= label.baseline + 3).toBe(true);
  });
});
