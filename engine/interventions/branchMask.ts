/** What a run of branches that stand one after another on the positions axis is fed (suffix.ts): each sees the past and itself. */
import type { TensorData } from '../graph/program.ts';
import { HIDDEN } from '../models/transformer.ts';
import type { List, Range } from './suffix.ts';

/**
 * [queries, keys]: queries are the places of `range`, branch by branch, or one for all branches where the changed position is read; keys are all
 * positions of the prompt, seen before `position` only, and then those of the branch, seen up to the query's own.
 * @param length positions of the prompt @param read the last position, which every branch reaches
 */
export function branchMask(range: Range, branches: number, position: number, read: number, length: number): TensorData {
  const own = 1 + read - position;
  const offsets = { at: [0], after: count(own - 1, 1), from: count(own), last: [own - 1] }[range];
  const width = length + own;
  const rows = offsets.map((offset) => {
    const row = new Float32Array(width);
    row.fill(HIDDEN, position, length);
    row.fill(HIDDEN, length + offset + 1);
    return row;
  });
  const times = own === 1 ? 1 : branches;
  const data = new Float32Array(times * rows.length * width);
  for (let i = 0; i < times * rows.length; i++) data.set(rows[i % rows.length], i * width);
  return { data, shape: [times * rows.length, width] };
}

/** The lists of positions that a suffix takes. */
export function branchRanges(branches: number, position: number, read: number): Record<List, Int32Array> {
  const own = 1 + read - position;
  const repeated = (list: readonly number[]) => Int32Array.from({ length: branches * list.length }, (_entry, i) => list[i % list.length]);
  return {
    position: Int32Array.of(position),
    own: Int32Array.from(count(own, position)),
    at: repeated([position]),
    after: repeated(count(own - 1, position + 1)),
    from: repeated(count(own, position)),
    last: repeated([read]),
    read: Int32Array.from({ length: branches }, (_entry, branch) => (branch + 1) * own - 1),
  };
}

const count = (length: number, first = 0): number[] => Array.from({ length }, (_entry, i) => first + i);
