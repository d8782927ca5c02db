/** What a run of branches that stand side by side on the positions axis is fed (suffix.ts): each sees the past and itself, none sees another. */
import type { TensorData } from '../graph/program.ts';
import { HIDDEN } from '../models/transformer.ts';

/** A place on the axis: which branch, and how many positions after the changed one. */
interface Place {
  readonly branch: number;
  readonly offset: number;
}

/**
 * [queries, keys]: queries are the places of `range`, keys the positions before `position` and then every place.
 * @param read the last position, which every branch reaches
 */
export function branchMask(range: 'at' | 'after' | 'from' | 'last', branches: number, position: number, read: number): TensorData {
  const each = (offsets: readonly number[]): Place[] =>
    Array.from({ length: branches }, (_entry, branch) => offsets.map((offset) => ({ branch, offset }))).flat();
  const later = Array.from({ length: read - position }, (_entry, i) => i + 1);
  const at = each([0]);
  const after = each(later);
  const queries = { at, after, from: [...at, ...after], last: each([read - position]) }[range];
  const keys = [...at, ...after];
  const width = position + keys.length;
  const data = new Float32Array(queries.length * width);
  queries.forEach((query, row) =>
    keys.forEach((key, i) => {
      if (key.branch !== query.branch || key.offset > query.offset) data[row * width + position + i] = HIDDEN;
    }),
  );
  return { data, shape: [queries.length, width] };
}

/** Position lists of the ranges of suffix.ts. */
export function branchRanges(branches: number, position: number, read: number): Record<string, Int32Array> {
  const later = Array.from({ length: read - position }, (_entry, i) => position + 1 + i);
  const repeated = (list: readonly number[]) => Array.from({ length: branches }, () => list).flat();
  const before = Array.from({ length: position }, (_entry, i) => i);
  const from = [...repeated([position]), ...repeated(later)];
  return {
    before: Int32Array.from(before),
    position: Int32Array.of(position),
    after: Int32Array.from(repeated(later)),
    from: Int32Array.from(from),
    all: Int32Array.from([...before, ...from]),
    last: Int32Array.from(repeated([read])),
    // Where each branch's last position stands among its own.
    read: Int32Array.from({ length: branches }, (_entry, branch) => branches + (branch + 1) * later.length - 1),
  };
}
