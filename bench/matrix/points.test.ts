/** The points of the matrix: every axis with its values, both kinds of screen, and of how many cells the slowest rival's time is taken. */
import { describe, expect, it } from 'vitest';
import { cellsOf, cellsTimed, nameOf, points, suiteOf, type Point } from './points.ts';

const all = points();
const along = (axis: Point['axis'], screen: Point['screen']) => all.filter((point) => point.axis === axis && point.screen === screen);

describe('the points', () => {
  it.each(['last', 'everywhere'] as const)('vary one thing at a time (%s)', (screen) => {
    expect(along('pairs', screen).map(({ pairs }) => pairs)).toEqual([1, 4, 16, 64, 256]);
    expect(along('positions', screen).map(({ length }) => length)).toEqual([8, 16, 32, 64, 128, 256]);
    expect(along('divergence', screen).map(({ divergence }) => divergence)).toEqual([0, 16, 31]);
    expect(along('heads', screen).map(({ heads }) => heads)).toEqual([2, 4, 8, 16]);
    expect(along('layers', screen).map(({ layers }) => layers)).toEqual([2, 4, 8]);
    expect(along('model', screen).map(({ model }) => model)).toEqual(['drawn', 'policy', 'stories260K']);
  });
  it('bear names of their own', () => {
    expect(new Set(all.map(nameOf)).size).toBe(all.length);
  });
  it('differ within their prompts', () => {
    for (const { divergence, length } of all) expect(divergence).toBeLessThan(length);
  });
});

describe('rival A', () => {
  it('runs every cell where that is a matter of seconds, and few of them elsewhere', () => {
    const [long] = along('positions', 'last').filter(({ length }) => length === 256);
    expect(cellsTimed(long)).toBe(5);
    const [last] = along('pairs', 'last').filter(({ pairs }) => pairs === 64);
    const [everywhere] = along('pairs', 'everywhere').filter(({ pairs }) => pairs === 64);
    expect([cellsOf(last), cellsTimed(last), cellsOf(everywhere), cellsTimed(everywhere)]).toEqual([16, 16, 512, 16]);
    expect(suiteOf(last).rivals.map((rival) => rival.arguments)).toEqual([
      ['--variant', 'natural'],
      ['--variant', 'suffix'],
    ]);
    expect(suiteOf(everywhere).rivals[0].arguments).toEqual(['--variant', 'natural', '--cells', '16']);
  });
});

it('takes sizes of a stored model from the model, and prompts from the point', () => {
  const [point] = along('model', 'last').filter(({ model }) => model === 'stories260K');
  expect(suiteOf(point, { positions: 512, width: 64, heads: 8, options: { tied: true } }).config).toMatchObject({
    positions: 512,
    width: 64,
    options: { tied: true },
    length: 32,
    pairs: 64,
    screen: 'first',
  });
});
