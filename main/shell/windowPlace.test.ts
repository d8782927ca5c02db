import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeOn, smallest, usual } from './windowPlace.ts';

const screen = { x: 0, y: 25, width: 1920, height: 1055 };
const second = { x: 1920, y: 0, width: 1280, height: 1024 };

test('a first window is of the usual size, in the middle of the main screen', () => {
  expect(placeOn([screen, second])).toEqual({ x: 240, y: 103, ...usual, maximised: false });
});

test('a small screen is filled, not overrun', () => {
  expect(placeOn([{ x: 0, y: 0, width: 1366, height: 728 }])).toEqual({ x: 0, y: 0, width: 1366, height: 728, maximised: false });
});

test('a window comes back where it was, on whichever screen', () => {
  const last = { x: 1900, y: 10, width: 1200, height: 800, maximised: true };
  expect(placeOn([screen, second], last)).toEqual(last);
});

test('a window whose screen is gone, or whose title bar is out of reach, is brought to the middle of the main one', () => {
  const last = { x: 2000, y: 10, width: 1200, height: 800, maximised: true };
  expect(placeOn([screen], last)).toEqual({ x: 360, y: 153, width: 1200, height: 800, maximised: true });
  for (const out of [{ y: 20 }, { y: 1060 }, { x: -1150, width: 1200 }])
    expect(placeOn([screen], { ...last, x: 100, ...out })).toMatchObject({ x: 360, y: 153 });
});

test('wherever it was, its title bar can be got hold of', () => {
  const whole = (most: number) => fc.integer({ min: -most, max: most });
  const last = fc.record({
    x: whole(5000),
    y: whole(5000),
    width: fc.integer({ min: 1, max: 4000 }),
    height: fc.integer({ min: 1, max: 4000 }),
    maximised: fc.boolean(),
  });
  fc.assert(
    fc.property(last, (one) => {
      const place = placeOn([screen, second], one);
      const seen = [screen, second].map((area) => Math.min(place.x + place.width, area.x + area.width) - Math.max(place.x, area.x));
      expect(Math.max(...seen)).toBeGreaterThanOrEqual(Math.min(120, one.width));
      expect(place.y).toBeGreaterThanOrEqual(0);
      if (place.x === one.x && place.y === one.y) expect(place.width).toBeGreaterThanOrEqual(smallest.width);
    }),
    { seed: 1 },
  );
});
