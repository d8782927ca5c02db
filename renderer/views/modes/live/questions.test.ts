import { expect, it } from 'vitest';
import type { AnswerRequest } from '../../../../main/host/hostApi.ts';
import { isAlike, isSame } from './questions.ts';

const digit: AnswerRequest = { data: { source: 'mnist' }, image: { index: 3 }, angle: 45, contenders: [{ model: 'a', form: 'soft' }] };
const drawn = (pixels: Float32Array): AnswerRequest => ({ ...digit, image: { pixels } });

it('is the same question only if every part of it is', () => {
  expect(isSame(digit, structuredClone(digit))).toBe(true);
  const others: AnswerRequest[] = [
    { ...digit, angle: 46 },
    { ...digit, image: { index: 4 } },
    { ...digit, contenders: [{ model: 'a', form: 'hard' }] },
    { ...digit, contenders: [...digit.contenders, { model: 'b', form: 'soft' }] },
    { ...digit, forced: [{ unit: 'L0U1', state: 'shut' }] },
    { ...digit, share: 0.5 },
    { ...digit, data: { source: 'fashion' } },
  ];
  for (const other of others) expect(isSame(digit, other), JSON.stringify(other)).toBe(false);
});

it('is another question once something else is drawn', () => {
  const pixels = new Float32Array(4);
  expect(isSame(drawn(pixels), drawn(pixels))).toBe(true);
  expect(isSame(drawn(pixels), drawn(Float32Array.of(0, 0, 0, 1)))).toBe(false);
  expect(isSame(drawn(pixels), digit)).toBe(false);
  expect(isSame({ ...drawn(pixels), angle: 1 }, drawn(pixels))).toBe(false);
});

it('is alike while only the angle or the strokes have moved on', () => {
  expect(isAlike(digit, { ...digit, angle: 46 })).toBe(true);
  expect(isAlike(drawn(new Float32Array(4)), drawn(new Float32Array(4)))).toBe(true);
  expect(isAlike(digit, { ...digit, image: { index: 4 } })).toBe(false);
  expect(isAlike(digit, drawn(new Float32Array(4)))).toBe(false);
  expect(isAlike(digit, { ...digit, contenders: [] })).toBe(false);
});
