import { describe, expect, it } from 'vitest';
import { errorUnderField, FormReading, parseSeeds, pathOfError, textOfValue, valueOfText, valuesOfList, type TrainForm } from './form.ts';
import type { Known, Work } from '../../../main/host/hostApi.ts';
import type { Host } from '../../state/connection.svelte.ts';
import { planOf, worksOf } from './planning.ts';
import { description } from './testing/sampleSession.ts';

const reading = (form: Partial<TrainForm> = {}): FormReading => new FormReading({ values: {}, ...form }, description);
const field = (path: string) => description.training.find((one) => one.path === path)!;

describe('form', () => {
  it('begins where the preset does, and keeps only what is changed', () => {
    const plain = reading();
    expect(plain.changes).toEqual([]);
    expect(plain.adapters).toHaveLength(8);
    expect(plain.valueOf(field('angles'))).toEqual([0, 45]);
    const changed = reading({ values: { epochs: 8, sparsity: 1e-4 }, seeds: '0-4' });
    expect(changed.changes).toEqual(['epochs', 'sparsity', 'seeds']);
    expect(changed.valueOf(field('epochs'))).toBe(8);
    expect(changed.startOf(field('epochs'))).toBe(2);
  });

  it('asks for a foundation by what was set, the rest is the host’s', () => {
    expect(reading({ values: { hidden: [64], 'optimiser.kind': 'sgd', 'optimiser.momentum': 0.9, sparsity: 1 } }).foundation(3)).toEqual({
      kind: 'train',
      parameters: {
        angles: [0, 45],
        epochs: 2,
        hidden: [64],
        optimiser: { kind: 'sgd', momentum: 0.9 },
        measure: { every: 50, images: 2000, angles: [0, 45] },
        seed: 3,
      },
    });
  });

  it('gives gates’ settings only to adapters with gates, and each its own rate unless told otherwise', () => {
    const values = {
      'temperature.kind': 'geometric',
      'temperature.start': 0.3,
      'temperature.end': 0.02,
      sparsity: 0.1,
      'optimiser.learningRate': 0.5,
    };
    const own = reading({ values, modeAngles: '45, −30' });
    expect(own.adapter('dopamine', 1, 'abc')).toMatchObject({
      base: 'abc',
      parameters: {
        adapter: 'dopamine',
        angles: [45, -30],
        temperature: { kind: 'geometric', start: 0.3, end: 0.02 },
        sparsity: 0.1,
        measure: { angles: [0, 45, -30] },
        seed: 1,
      },
    });
    const lora = own.adapter('lora-r4', 1, 'abc');
    expect(lora.kind === 'train' && Object.keys(lora.parameters).sort()).toEqual(['adapter', 'angles', 'epochs', 'measure', 'seed']);
    expect(reading({ adapterRate: '3e-3' }).adapter('full', 0)).toMatchObject({ parameters: { optimiser: { learningRate: 0.003 } } });
    expect(own.foundation(0)).toMatchObject({ parameters: { optimiser: { learningRate: 0.5 } } });
  });

  it('shows a field only where it means something', () => {
    const shown = (form: Partial<TrainForm>) => description.training.filter((one) => reading(form).shows(one)).map(({ path }) => path);
    expect(shown({})).not.toContain('temperature.end');
    expect(shown({ values: { 'temperature.kind': 'linear' } })).toContain('temperature.end');
    expect(shown({ trained: 'foundation' })).not.toContain('sparsity');
    expect(shown({ trained: 'adapters', adapters: ['bias', 'lora-r4'] })).not.toContain('sparsity');
    expect(shown({ trained: 'adapters' })).not.toContain('hidden');
    expect(shown({ values: { 'optimiser.kind': 'sgd' } })).toContain('optimiser.momentum');
    for (const path of ['seed', 'stage', 'adapter', 'data.source']) expect(shown({})).not.toContain(path);
  });

  it('measures nothing where somebody wants nothing measured', () => {
    const none = reading({ values: { 'measure.every': 0 } }).foundation(0);
    expect(none.kind === 'train' && none.parameters.measure).toBeUndefined();
  });

  it('reads seeds as people write them', () => {
    expect(parseSeeds('0-4')).toEqual([0, 1, 2, 3, 4]);
    expect(parseSeeds('7, 1–2 7')).toEqual([7, 1, 2]);
    for (const wrong of ['', 'x', '-1', '4-2', '0-1000', '1.5']) expect(() => parseSeeds(wrong), wrong).toThrow(/^Seeds must/);
  });

  it('reads what is typed as the field’s kind, and leaves the rest for the host to refuse', () => {
    expect(valueOfText(field('epochs'), ' 8 ')).toBe(8);
    expect(valueOfText(field('sparsity'), '1e-4')).toBe(1e-4);
    expect(valueOfText(field('sparsity'), 'lots')).toBe('lots');
    expect(valueOfText(field('sparsity'), '')).toBeUndefined();
    expect(valueOfText(field('angles'), '0°, −45')).toEqual([0, -45]);
    expect(valuesOfList('45, x')).toEqual([45, 'x']);
    for (const value of [8, 1e-4, 0.5, -3, 1e-8]) expect(valueOfText(field('sparsity'), textOfValue(value))).toBe(value);
    expect(textOfValue([0, -45])).toBe('0, −45');
  });

  it('finds the field an error is about', () => {
    expect(pathOfError('trainClassifier: optimiser.learningRate')).toBe('optimiser.learningRate');
    expect(pathOfError('train: base')).toBe('base');
    expect(errorUnderField('must be an integer in [1, 1000]', '0')).toBe('Must be an integer in [1, 1000], got 0');
  });

  it('is as many runs as seeds times what is trained, foundations before their adapters', () => {
    expect(worksOf(reading({ trained: 'foundation', seeds: '0-2' })).now).toHaveLength(3);
    expect(worksOf(reading({ trained: 'adapters', base: 'b', adapters: ['dopamine', 'gain'], seeds: '0-2' })).now).toHaveLength(6);
    const { now, later } = worksOf(reading({ trained: 'both', adapters: ['dopamine', 'gain'], seeds: '0-2' }));
    expect(now).toEqual([]);
    expect(
      later!.parts.map(({ foundation, adapters }) => [foundation.kind === 'train' && foundation.parameters.seed, adapters.length]),
    ).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('plan', () => {
  /** Whatever is of seed 0 is stored. */
  const host = {
    plan: () => Promise.resolve({ stored: true, runs: 1, steps: 10 }),
    lookUp: ({ works }: { works: readonly Work[] }): Promise<Known[]> =>
      Promise.resolve(
        works.map((work) => {
          const { seed } = (work as Extract<Work, { kind: 'train' }>).parameters;
          return { key: JSON.stringify(work), state: seed === 0 ? 'stored' : 'absent' };
        }),
      ),
  } as unknown as Host;

  it('counts the runs that are stored, not the first of them for all', async () => {
    const alone = await planOf(host, reading({ trained: 'foundation', seeds: '0-4' }), undefined);
    expect([alone.runs, alone.stored, alone.steps]).toEqual([5, 1, 50]);
    const adapters = await planOf(host, reading({ trained: 'adapters', adapters: ['gain', 'bias'], base: 'b', seeds: '0-1' }), undefined);
    expect([adapters.runs, adapters.stored]).toEqual([4, 2]);
    const both = await planOf(host, reading({ trained: 'both', adapters: ['gain'], seeds: '0-1' }), 'b');
    expect([both.runs, both.stored]).toEqual([4, 1]);
  });
});
