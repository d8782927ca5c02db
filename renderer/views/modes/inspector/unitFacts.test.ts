import { describe, expect, it, vi } from 'vitest';
import type { Findings } from '../../../../engine/base/findings.ts';
import type { Note, Subject } from '../../../../main/store/notes.ts';
import { fixture } from '../../../testing/fixtures.ts';
import { vectors } from '../../../gallery/specimens/inspector.ts';
import { keepNote, noteOn } from './notes.ts';
import { forced, receptiveFields, topImages } from './testing/standIns.ts';
import { addedBy, categoryOf, effectOf, fieldOf, forcedEffect, meanOf, swapped, topOf, vectorsOf } from './unitFacts.ts';
import { digitsFor, estimateWords, pointsWords } from './words.ts';

const contributions = fixture<Findings>('contributions');
const interchange = fixture<Findings>('interchange');
const categories = fixture<Findings>('categories');
const units = categories.axes.unit.values.map(String);

describe('unit facts', () => {
  it('what all units of the last layer add, with the bias, is the mean logit of every class', () => {
    const last = contributions.axes.lastUnit.values.map(String);
    const { bias, logits } = contributions.measures;
    for (const [k, name] of ['0', '4', '9'].map((digit) => [Number(digit), digit] as const))
      for (let logit = 0; logit < 10; logit++) {
        const sum = last.reduce((all, unit) => all + addedBy(contributions, unit)!.byClass(name)[logit], bias.data[logit]);
        // Six digits of each of 32 terms.
        expect(Math.abs(sum - logits.data[10 * k + logit]), `class ${name}, logit ${logit}`).toBeLessThan(1e-3);
      }
    expect(addedBy(contributions, 'L0U4')).toBeUndefined();
  });

  it('says what holding a unit does, with the interval of its standard error', () => {
    const shut = effectOf(contributions, 'L0U4', 'shut')!;
    const at = 96 + 4;
    expect(shut.margin.value).toBe(contributions.measures.margin.data[at]);
    expect((shut.margin.high - shut.margin.low) / 2).toBeCloseTo(1.959964 * contributions.measures.marginError.data[at], 6);
    expect(shut.accuracy).toBe(contributions.measures.accuracy.data[at]);
    expect(effectOf(contributions, 'L0U2', 'shut')!.margin).toMatchObject({ value: 0, proved: true });
    expect(effectOf(contributions, 'L9U0', 'shut')).toBeUndefined();
  });

  it('reads necessity and sufficiency of its own unit', () => {
    const one = swapped(interchange, 'L0U4', 'sufficiency');
    expect(one.logits.value).toBe(interchange.measures.sufficiency.data[4]);
    expect(one.flips).toBe(interchange.measures.sufficiencyFlips.data[4]);
    expect(one.share).toBeNaN();
  });

  it('cuts the field, the digits and the vectors of one unit out of all', () => {
    const fields = receptiveFields(units);
    const field = fieldOf(fields, 'L1U5')!;
    expect([field.rows, field.columns]).toEqual([28, 28]);
    expect([...field.pixels]).toEqual([...fields.measures.field.data.slice(69 * 784, 70 * 784)]);
    const top = topImages(units);
    expect(topOf(top, 'L0U2', 8)).toEqual([]);
    expect(topOf(top, 'L1U5', 3).map(({ image }) => image)).toEqual([...top.measures.image.data.slice(69 * 16, 69 * 16 + 3)]);
    expect(vectorsOf(vectors, 'L1U5')).toEqual({ threshold: vectors.threshold[69], gain: vectors.gain[69], contextual: false });
    expect(categoryOf(categories, 'L0U2', 45)).toBe('dead');
    expect(categoryOf(categories, 'L0U2', 30)).toBeUndefined();
  });

  it('lists the answers that change at one angle only, without what pads the list', () => {
    const found = forced('L1U5 shut');
    const effect = forcedEffect(found, 45)!;
    expect(effect.listed).toHaveLength(61);
    expect(effect).toMatchObject({ changed: 61, images: 10_000, change: { value: -0.38, low: -0.51, high: -0.26 } });
    expect(effect.accuracyForced - effect.accuracy).toBeCloseTo(-0.38, 10);
    expect(forcedEffect(found, 0)).toMatchObject({ changed: 0, listed: [] });
    expect(forcedEffect(found, 15)).toBeUndefined();
  });

  it('takes the mean of what there is a number for', () => {
    const of: Readonly<Record<string, number>> = { a: 1, b: NaN, c: 4 };
    expect(meanOf(['a', 'b', 'c'], (unit) => of[unit])).toBe(2.5);
    expect(meanOf(['b'], (unit) => of[unit])).toBeNaN();
  });
});

describe('words of estimates', () => {
  const estimate = (value: number, half: number, proved = false) => ({ value, low: value - half, high: value + half, proved });

  it('have as many digits as say something, a sign and an interval', () => {
    expect(estimateWords(estimate(0.333, 0.037))).toEqual({ value: '+.33', bounds: '[.30, .37]' });
    expect(estimateWords(estimate(-0.000049, 0.0000136))).toEqual({ value: '−.000049', bounds: '[−.000063, −.000035]' });
    expect(estimateWords(estimate(0, 0, true))).toEqual({ value: '= 0', bounds: 'proved, not run' });
    expect(estimateWords({ value: 1.5, low: NaN, high: NaN, proved: false })).toEqual({ value: '+1.50', bounds: '' });
    expect(pointsWords(estimate(-0.38, 0.12))).toEqual({ value: '−0.38', bounds: '[−0.50, −0.26]' });
    expect([digitsFor(0), digitsFor(12), digitsFor(0.31), digitsFor(0.0031)]).toEqual([2, 2, 2, 4]);
  });
});

describe('notes', () => {
  const subject: Subject = { kind: 'model', key: 'd', unit: 'L0U4' };
  const note = (id: number, text: string, bookmark = false, unit: string | undefined = 'L0U4'): Note => ({
    id,
    subject: { kind: 'model', key: 'd', ...(unit !== undefined && { unit }) },
    text,
    bookmark,
    at: '',
    edited: undefined,
  });
  const host = () => ({ addNote: vi.fn(), editNote: vi.fn(), removeNote: vi.fn() });

  it('are of the thing itself: not of another unit or of the whole model', () => {
    const notes = [note(1, 'first'), note(2, 'newest'), note(3, '', true), note(4, 'other', false, 'L0U5')];
    expect(noteOn(notes, subject)?.id).toBe(2);
    expect(noteOn(notes, { kind: 'model', key: 'd' })).toBeUndefined();
  });

  it('are added, changed, and removed once they say and mark nothing', async () => {
    const fresh = host();
    await keepNote(fresh, [], subject, { bookmark: true });
    expect(fresh.addNote).toHaveBeenCalledExactlyOnceWith({ subject, text: '', bookmark: true });
    const marked = host();
    await keepNote(marked, [note(7, '', true)], subject, { text: 'leans left' });
    expect(marked.editNote).toHaveBeenCalledExactlyOnceWith({ id: 7, text: 'leans left' });
    const emptied = host();
    await keepNote(emptied, [note(7, 'leans left')], subject, { text: ' ' });
    expect(emptied.removeNote).toHaveBeenCalledExactlyOnceWith({ id: 7 });
    const nothing = host();
    await keepNote(nothing, [], subject, { text: '' });
    expect(nothing.addNote).not.toHaveBeenCalled();
  });
});
