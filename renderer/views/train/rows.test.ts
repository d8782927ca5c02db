import { describe, expect, it } from 'vitest';
import { tableCsv } from '../../marks/table.ts';
import { arranged, columnsOf } from './columns.ts';
import { anglesOf, filtered, grouped, runViews, sortedRows, type RowsOf, type RunView } from './rows.ts';
import { csvOfRows } from './runsCsv.ts';
import { between, itemsOf, windowOf } from './tableItems.ts';
import { jobs, runs } from './testing/sampleSession.ts';

const rowsOf = (rest: Partial<RowsOf> = {}): RunView[] =>
  runViews({
    runs,
    jobs,
    angle: 45,
    other: 0,
    images: (_data, rows) => (rows === 'remaining' ? 55_000 : 60_000),
    latest: (_run, name) => (name === 'accuracy 45°' ? 95 : NaN),
    ...rest,
  });
const row = (rows: readonly RunView[], name: string, seed: number): RunView => rows.find((one) => one.name === name && one.seed === seed)!;

describe('rows', () => {
  it('are what is stored, against its own foundation', () => {
    const one = row(rowsOf(), 'LoRA r = 4', 1);
    const run = runs.find(({ label, seed }) => label === 'lora-r4' && seed === 1)!;
    expect(one.soft).toBe(run.summary.soft['45']);
    expect(one.gain).toBeCloseTo(run.summary.soft['45'] - run.summary.base['45'], 12);
    expect(one.kept).toBeCloseTo(run.summary.soft['0'] - run.summary.base['0'], 12);
    expect(one.hard).toBeNaN();
    expect(one.steps).toBe(8 * 469);
    const some = runs.map((run) =>
      run.request.kind === 'train'
        ? { ...run, request: { ...run.request, parameters: { ...run.request.parameters, rows: 'remaining' } } }
        : run,
    );
    expect(row(rowsOf({ runs: some }), 'LoRA r = 4', 1).perEpoch).toBe(430);
    const foundation = row(rowsOf(), 'Foundation', 1);
    expect([foundation.gain, foundation.kept]).toEqual([NaN, NaN]);
  });

  it('of runs under way have what was measured last, their share and what is left', () => {
    const one = row(rowsOf(), 'Dopamine τ + γ', 3);
    expect([one.state, one.share, one.soft]).toEqual(['running', 0.63, 95]);
    expect(one.remaining).toBeCloseTo(0.37 * 12, 9);
    const bare = runs.map((run) => ({ ...run, summary: { ...run.summary, base: {} } }));
    const base = runs.find(({ label, seed }) => label === 'foundation' && seed === 3)!;
    const measured = rowsOf({ runs: bare, latest: (run, name) => (name === 'accuracy 45°' ? (run === base.key ? 94 : 95) : NaN) });
    expect(row(measured, 'Dopamine τ + γ', 3).gain).toBe(1);
    expect(one.parameters).toBe(768);
  });

  it('are there for jobs that wait or failed, not for those that are done', () => {
    const rows = rowsOf();
    expect(row(rows, 'LoRA r = 8', 3).state).toBe('waiting');
    expect(row(rows, 'Full fine-tune', 3)).toMatchObject({ state: 'failed', says: 'loss is NaN at step 212' });
    expect(rowsOf({ jobs: jobs.map((job) => ({ ...job, state: 'done' as const })) })).toHaveLength(runs.length);
    expect(rowsOf({ jobs: [] }).filter(({ state }) => state === 'stopped')).toHaveLength(2);
  });

  it('sort with what is missing at the end, whichever way', () => {
    for (const falling of [true, false]) {
      const values = sortedRows(rowsOf(), { column: 'hard', falling }).map(({ hard }) => hard);
      const known = values.filter((value) => !Number.isNaN(value));
      expect(values.slice(0, known.length)).toEqual([...known].sort((a, b) => (falling ? b - a : a - b)));
    }
    const states = sortedRows(rowsOf(), undefined).map(({ state }) => state);
    expect(states.slice(0, 2)).toEqual(['running', 'running']);
    expect(states.slice(-2)).toEqual(['waiting', 'waiting']);
  });

  it('group by seed with the newest on top, by adapter with the best, and say so when folded', () => {
    const bySeed = grouped(rowsOf(), 'seed', undefined);
    expect(bySeed.map(({ title }) => title)).toEqual(['Seed 3', 'Seed 2', 'Seed 1', 'Seed 0']);
    expect(bySeed[0].summary).toMatch(/^4 of 9 done, 2 running, 1 failed · Gain only \+\d\.\d\d, Bias only/);
    const byAdapter = grouped(rowsOf(), 'adapter', undefined);
    expect(byAdapter[0].title).toBe('Full fine-tune');
    const gains = rowsOf()
      .filter((one) => one.name === 'LoRA r = 8' && !Number.isNaN(one.gain))
      .map(({ gain }) => gain);
    const mean = gains.reduce((a, b) => a + b, 0) / gains.length;
    expect(byAdapter.find(({ title }) => title === 'LoRA r = 8')!.summary).toContain(`mean gain +${mean.toFixed(2)} (`);
    expect(grouped(rowsOf(), 'none', undefined)[0].rows).toHaveLength(rowsOf().length);
  });

  it('are filtered by every word', () => {
    expect(filtered(rowsOf(), 'lora seed 2').map(({ name }) => name)).toEqual(['LoRA r = 4', 'LoRA r = 1', 'LoRA r = 8']);
    expect(filtered(rowsOf(), 'running')).toHaveLength(2);
    expect(filtered(rowsOf(), '  ')).toHaveLength(rowsOf().length);
  });

  it('know the angles of modes before those of foundations', () => {
    expect(anglesOf(runs)).toEqual({ modes: [45], all: [0, 45] });
  });
});

describe('table', () => {
  it('has pinned rows on top and not again below; folds all groups but the first of many', () => {
    const rows = rowsOf();
    const pinned = [row(rows, 'Dopamine τ + γ', 0).key];
    const items = itemsOf(rows, { pinned });
    expect(items.slice(0, 3).map(({ id, kind }) => (kind === 'row' ? 'row' : id))).toEqual(['pinned', 'row', 'seed 3']);
    expect(items.filter(({ id }) => id === pinned[0])).toHaveLength(1);
    expect(items.flatMap((item) => (item.kind === 'group' ? [item.folded] : []))).toEqual([false, false, true, true, true]);
    const open = itemsOf(rows, { folded: { 'seed 2': false } });
    expect(open.length).toBe(itemsOf(rows, {}).length + 9);
  });

  it('finds the rows between two as they stand', () => {
    const items = itemsOf(rowsOf(), { group: 'none' });
    const keys = items.map(({ id }) => id);
    expect(between(items, keys[5], keys[2])).toEqual(keys.slice(2, 6));
    expect(between(items, 'nowhere', keys[2])).toEqual([keys[2]]);
  });

  it('of a long list shows what is in sight and a little more', () => {
    expect(windowOf(100, 0, 500, 26)).toEqual({ first: 0, last: 100 });
    expect(windowOf(10_000, 26 * 5000, 520, 26)).toEqual({ first: 4988, last: 5032 });
  });

  it('keeps held columns at the left, where the ones before them end', () => {
    const columns = columnsOf(45, 0);
    const places = arranged(columns, ['hard'], ['name', 'soft']);
    expect(places.slice(0, 2).map(({ column, held, left }) => [column.id, held, left])).toEqual([
      ['name', true, 0],
      ['soft', true, columns[0].width],
    ]);
    expect(places.some(({ column }) => column.id === 'hard')).toBe(false);
    expect(columnsOf(45, undefined).some(({ id }) => id === 'kept')).toBe(false);
  });

  it('is written to a file as it stands, with every digit, folded groups too', () => {
    const rows = rowsOf();
    const lines = csvOfRows(rows, { hidden: ['on'], filter: 'seed 1 lora', sort: { column: 'soft', falling: false } }, 45, 0)
      .trim()
      .split('\r\n');
    expect(lines[0]).toBe(
      'Adapter,Seed,State,45° soft (%),45° hard (%),Gain on frozen (points),"0°, mode on (%)",Kept at 0° (points),Parameters,Time (s),run',
    );
    const wanted = sortedRows(filtered(rows, 'seed 1 lora'), { column: 'soft', falling: false });
    expect(lines.slice(1)).toEqual(
      wanted.map(({ name, seed, state, soft, hard, gain, other, kept, parameters, seconds, key }) =>
        tableCsv({ columns: [], rows: () => [[name, seed, state, soft, hard, gain, other, kept, parameters, seconds, key]] }).trim(),
      ),
    );
  });
});
