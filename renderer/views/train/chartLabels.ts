/** Names beside the ends of curves: each once, as near as the others let it, the value where a line is strong. */
import { mean } from 'd3';
import { spread } from '../../marks/labels.ts';
import type { Scale } from '../../marks/scale.ts';
import type { ChartLine } from './chartLines.ts';

export interface Placed {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  /** A token; none: no swatch. */
  readonly colour: string | undefined;
  readonly faint: boolean;
  /** Where its line ends. */
  readonly from: number;
  /** Where the label stands. */
  readonly y: number;
  readonly x?: number;
  readonly isLive?: boolean;
  /** It stands at the left of its dot, where the right has no room. */
  readonly before?: boolean;
}

const GAP = 16;
/** Pixels of a letter, about: what room a label needs. */
const LETTER = 6.2;

const lastOf = ({ values }: ChartLine): number => Number(values[values.length - 1]);

/** In the right margin: one label for a name; lines that still run have theirs at their dot. */
export function besides(
  lines: readonly ChartLine[],
  y: Scale,
  [top, bottom]: readonly [number, number],
  references: readonly { readonly value: number; readonly label: string }[],
  write: (value: number) => string,
): Placed[] {
  const names = new Map<string, ChartLine[]>();
  for (const line of lines) {
    if (line.live) continue;
    const same = names.get(line.name);
    if (same) same.push(line);
    else names.set(line.name, [line]);
  }
  const live = new Set(lines.filter(({ live: isLive }) => isLive).map(({ name }) => name));
  const wanted = [...names].map(([name, same]) => {
    const shown = same.filter(({ strength }) => strength !== 'faint');
    const ends = (shown.length > 0 ? shown : same).map(lastOf);
    const value = mean(ends)!;
    // A running line of the same name says its own value.
    const written = shown.length > 0 && !live.has(name) ? write(value) : '';
    return { id: name, name, value: written, colour: same[0].colour, faint: shown.length === 0, from: y(value) };
  });
  const all = [
    ...wanted,
    ...references.map(({ value, label }) => ({ id: label, name: label, value: '', colour: undefined, faint: false, from: y(value) })),
  ].map((label) => ({ ...label, from: Math.min(bottom, Math.max(top, label.from)) }));
  const most = Math.max(1, Math.floor((bottom - top) / 13));
  // Of too many the faint ones go first.
  const kept = all.length <= most ? all : [...all].sort((a, b) => Number(a.faint) - Number(b.faint)).slice(0, most);
  const gap = Math.min(GAP, (bottom - top) / Math.max(1, kept.length - 1));
  const places = spread(
    kept.map(({ from }) => from),
    gap,
    top,
    bottom,
  );
  return kept.map((label, i) => ({ ...label, y: places[i] }));
}

/** At the dots in which lines end: of those that run in a large chart, of the strong ones in a small one. */
export function endLabels(
  lines: readonly ChartLine[],
  x: Scale,
  y: Scale,
  [top, bottom]: readonly [number, number],
  small: boolean,
  write: (value: number) => string,
): Placed[] {
  const [left, right] = x.range();
  const shown = lines
    .filter((line) => (small ? line.strength === 'strong' : line.live && line.strength !== 'faint'))
    .slice(0, small ? 3 : 6);
  const ends = shown.flatMap((line) => {
    const across = x(Number(line.at[line.at.length - 1]));
    return across < left - 1 || across > right + 1 ? [] : [{ line, across, from: y(lastOf(line)) }];
  });
  const places = spread(
    ends.map(({ from }) => from - (small ? 0 : 12)),
    GAP - 2,
    top,
    bottom,
  );
  return ends.map(({ line, across, from }, i) => {
    const value = write(lastOf(line));
    const name = small ? '' : line.name;
    const room = (value.length + name.length + 1) * LETTER + 14;
    return {
      id: line.id,
      name,
      value,
      colour: line.colour,
      faint: false,
      from,
      y: places[i],
      x: across,
      isLive: line.live,
      before: across + room > right + (small ? 8 : 0),
    };
  });
}
