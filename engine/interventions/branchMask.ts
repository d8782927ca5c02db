/** What a run of branches that stand side by side on the positions axis is fed (suffix.ts): each sees the past and itself, none sees another. */
import type { TensorData } from '../graph/program.ts';
import { HIDDEN } from '../models/transformer.ts';
import type { List, Range } from './suffix.ts';

/** A place on the axis: which branch, and how many positions after the changed one. */
interface Place {
  readonly branch: number;
  readonly offset: number;
}

/**
 * [queries, keys]: queries are the places of `range`, keys all positions of the prompt, seen before `position` only, and then every place.
 * @param length positions of the prompt @param read the last position, which every branch reaches
 */
export function branchMask(range: Range, branches: number, position: number, read: number, length: number): TensorData {
  const each = (offsets: readonly number[]): Place[] =>
    Array.from({ length: branches }, (_entry, branch) => offsets.map((offset) => ({ branch, offset }))).flat();
  const later = Array.from({ length: read - position }, (_entry, i) => i + 1);
  const at = each([0]);
  const after = each(later);
  const queries = { at, after, from: [...at, ...after], last: each([read - position]) }[range];
  const keys = [...at, ...after];
  const width = length + keys.length;
  const data = new Float32Array(queries.length * width);
  queries.forEach((query, row) => {
    data.fill(HIDDEN, row * width + position, row * width + length);
    keys.forEach((key, i) => {
      if (key.branch !== query.branch || key.offset > query.offset) data[row * width + length + i] = HIDDEN;
    });
  });
  return { data, shape: [queries.length, width] };
}

/** The lists of positions that a suffix takes. */
export function branchRanges(branches: number, position: number, read: number): Record<List, Int32Array> {
  const later = Array.from({ length: read - position }, (_entry, i) => position + 1 + i);
  const repeated = (list: readonly number[]) => Int32Array.from(Array.from({ length: branches }, () => list).flat());
  return {
    position: Int32Array.of(position),
    at: repeated([position]),
    after: repeated(later),
    last: repeated([read]),
    read: Int32Array.from({ length: branches }, (_entry, branch) => branches + (branch + 1) * later.length - 1),
  };
}
