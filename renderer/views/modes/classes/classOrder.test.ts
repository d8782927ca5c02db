import { describe, expect, it } from 'vitest';
import { manyUnits } from '../testing/manyUnits.ts';
import { classColumns } from './classOrder.ts';

const { table } = manyUnits([300, 200]);
const n = table.labels.length;
const { base, mode } = table.firing!;

describe('columns of the class × unit map', () => {
  it('have one unit each where there is room, by the class it fires on most, dead ones last', () => {
    const { columns, columnOf, dead } = classColumns(table, 'L1', 'class', 400)!;
    expect(columns.map((members) => members.length)).toEqual(Array(200).fill(1));
    const order = columns.map(([unit]) => table.favourite![unit]);
    const alive = order.filter((one) => one >= 0);
    expect(alive).toEqual([...alive].sort((a, b) => a - b));
    expect(order.slice(alive.length).every((one) => one === -1)).toBe(true);
    expect(dead).toBe(order.length - alive.length);
    columns.forEach(([unit], column) => expect(columnOf[unit]).toBe(column));
    expect(columnOf[5]).toBe(-1); // of the other layer
  });

  it('hold the largest of several units where there is not', () => {
    const shown = classColumns(table, 'all', 'index', 120)!;
    expect(shown.columns).toHaveLength(120);
    expect(shown.columns.flat()).toEqual([...Array(n).keys()]);
    for (const column of [0, 61, 119])
      for (const c of [0, 9]) {
        const largest = (of: ArrayLike<number>): number => Math.max(...shown.columns[column].map((unit) => of[c * n + unit]));
        expect(shown.base[c * 120 + column]).toBe(largest(base));
        expect(shown.mode[c * 120 + column]).toBe(largest(mode));
      }
  });

  it('rise by change, which is the mean over classes', () => {
    const { change, columns } = classColumns(table, 'L0', 'change', 300)!;
    expect([...change]).toEqual([...change].sort((a, b) => a - b));
    const [unit] = columns[7];
    let sum = 0;
    for (let c = 0; c < 10; c++) sum += mode[c * n + unit] - base[c * n + unit];
    expect(change[7]).toBeCloseTo(sum / 10, 10);
  });

  it('are none without findings', () => {
    expect(classColumns({ ...table, firing: undefined }, 'L0', 'class', 100)).toBeUndefined();
  });
});
