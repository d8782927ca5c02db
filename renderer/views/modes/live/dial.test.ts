import { describe, expect, it } from 'vitest';
import { angleAt, arcPath, pointAt, typedAngle } from './dial.ts';

const centre = { x: 96, y: 96 };
const RADIUS = 74;

describe('dial', () => {
  it('0° is at the top and 90° at the left', () => {
    expect(pointAt(0, RADIUS, centre)).toEqual({ x: 96, y: 22 });
    const left = pointAt(90, RADIUS, centre);
    expect(left.x).toBeCloseTo(22, 10);
    expect(left.y).toBeCloseTo(96, 10);
  });

  it('finds every angle where it has put it, from outside and on the circle', () => {
    for (let angle = 0; angle < 360; angle++) {
      expect(angleAt(pointAt(angle, 2 * RADIUS, centre), RADIUS, centre, 45), `${angle}° from outside`).toBe(angle);
      expect(angleAt(pointAt(angle, RADIUS, centre), RADIUS, centre, 200), `${angle}° once round`).toBe(angle);
    }
  });

  it('keeps to the arc while the pointer is close to it', () => {
    expect(angleAt(pointAt(100, RADIUS, centre), RADIUS, centre, 80)).toBe(90);
    expect(angleAt(pointAt(224, RADIUS, centre), RADIUS, centre, 80)).toBe(90);
    expect(angleAt(pointAt(226, RADIUS, centre), RADIUS, centre, 10)).toBe(0);
    expect(angleAt(pointAt(350, RADIUS, centre), RADIUS, centre, 10)).toBe(0);
  });

  it('takes the long way round for more than half a circle', () => {
    expect(arcPath(0, 90, RADIUS, centre)).toBe('M96 22A74 74 0 0 0 22 96');
    expect(arcPath(0, 270, RADIUS, centre)).toBe('M96 22A74 74 0 1 0 170 96');
  });

  it.each([
    ['45', 45],
    ['\u221230°', -30],
    [' 12.5 ', 12.5],
    ['361', undefined],
    ['', undefined],
    ['up', undefined],
  ])('reads %j', (text, angle) => expect(typedAngle(text)).toBe(angle));
});
