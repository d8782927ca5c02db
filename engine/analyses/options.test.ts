/** What shared options refuse, and which angles and forms they come to. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseWith } from '../base/schema.ts';
import { angle, angles, anglesFor, form, formFact, formOf, ownAngles, part } from './options.ts';
import { smallModel } from './testing/models.ts';

const schema = z.strictObject({
  angles: angles([0, 45], 'degrees', { least: 2, most: 3 }),
  own: ownAngles,
  angle: angle(45, 'degrees'),
  form: form('hard'),
  part,
});

test('defaults are filled in, and are not shared', () => {
  const parsed = parseWith(schema, 'x', {});
  expect(parsed).toEqual({ angles: [0, 45], own: [], angle: 45, form: 'hard', part: 'test' });
  parsed.angles.push(90);
  expect(parseWith(schema, 'x', {}).angles).toEqual([0, 45]);
});

test.each([
  [{ angles: [45] }, 'x: angles must be at least 2 angles, got [45]'],
  [{ angles: [0, 1, 2, 3] }, 'x: angles must be at most 3 angles, got [0, 1, 2, 3]'],
  [{ angles: [45, 0, 45] }, 'x: angles must name each angle once, got [45, 0, 45]'],
  [{ angles: [0, -0] }, 'x: angles must name each angle once, got [0, 0]'],
  [{ angles: [0, 361] }, 'x: angles.1 must be a number in [-360, 360], got 361'],
  [{ angles: '0,45' }, 'x: angles must be a list of angles, got "0,45"'],
  [{ angle: NaN }, 'x: angle must be a number in [-360, 360], got NaN'],
  [{ form: 'base' }, 'x: form must be "soft" or "hard", got "base"'],
  [{ part: 'train' }, 'x: part must be "test" or "heldOut", got "train"'],
])('%j is refused', (given, message) => {
  expect(() => parseWith(schema, 'x', given)).toThrow(message);
});

test('no angles stand for the first of the mode', () => {
  const model = smallModel({ adapter: 'dopamine', angles: [0], modeAngles: [30, 60] });
  expect(anglesFor([], model)).toEqual([30]);
  expect(anglesFor([10, 20], model)).toEqual([10, 20]);
});

test('a model has the form asked for, where it has it', () => {
  const [foundation, gains, mode] = [smallModel(), smallModel({ adapter: 'gain' }), smallModel({ adapter: 'dopamine+two-sided' })];
  expect([foundation, gains, mode].map((model) => formOf(model, 'hard'))).toEqual(['base', 'soft', 'hard']);
  expect(formOf(mode, 'soft')).toBe('soft');
  expect(formFact([gains, foundation], 'hard')).toBe('no gates');
  expect(formFact([mode], 'hard')).toBe('hard');
  expect(formFact([mode, gains], 'soft')).toBe('soft; models without gates have one form');
});
