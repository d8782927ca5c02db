/** One run of branches: feeds put together from what every branch changes, and results read off by branch, row and position. */
import type { Feeds, Results } from '../execute/executor.ts';
import type { TensorData } from '../graph/program.ts';
import { branchMask, branchRanges } from './branchMask.ts';
import { changedName, givenName, LOGITS, movedName, observedName, scaleName, shiftName, type BranchProgram } from './branchProgram.ts';
import type { Change, SiteChange, Touched } from './changes.ts';
import { Parts, type Site } from './modelGraph.ts';

export interface BranchFeedsContext {
  readonly rows: number;
  readonly read: number;
  /** Positions of the prompts. */
  readonly length: number;
  /** The clean numbers of a site: copies those of a row and position. */
  readonly clean: (site: Site) => (row: number, position: number, into: Float32Array) => void;
}

/** Where a branch stands on the axis of positions: at the changed position first, all branches; then what comes after, branch by branch. */
export const branchPlace = (branch: number, offset: number, branches: number, after: number): number =>
  offset === 0 ? branch : branches + branch * after + offset - 1;

/** What a program is fed with besides weights and caches. @param changes of one shape, that begin at one position */
export function branchFeeds(
  { shape, masks }: BranchProgram,
  changes: readonly Change[],
  { rows, read, length, clean }: BranchFeedsContext,
): Feeds {
  const [{ from, first, later }] = changes;
  const branches = changes.length;
  const after = shape.mode === 'spread' ? read - from : 0;
  const places = branches * (1 + after);
  const feeds: Record<string, TensorData> = {};
  const fill = (
    name: string,
    site: Site,
    part: (change: Change, row: number, position: number, into: Float32Array) => void,
    size: number,
  ) => {
    const shapeOf = site.value.shape.map((dimension, i) => (i === 0 ? rows : i === site.axis ? places : (dimension as number)));
    const data = new Float32Array(rows * places * size);
    const parts = new Parts(site, { data, shape: shapeOf });
    const own = new Float32Array(size);
    changes.forEach((change, branch) => {
      for (let row = 0; row < rows; row++)
        for (let offset = 0; offset <= after; offset++) {
          part(change, row, from + offset, own);
          parts.write(row, branchPlace(branch, offset, branches, after), own);
        }
    });
    feeds[givenName(name, shape.mode)] = { data, shape: shapeOf };
  };
  const touchedAt = (own: SiteChange, row: number, position: number): Touched | undefined => own.touched[row].get(position);
  first.forEach(({ site }, i) => {
    const unchanged = clean(site);
    fill(
      changedName(site),
      site,
      (change, row, position, into) => {
        const touched = touchedAt(change.first[i], row, position);
        if (touched) into.set(touched.after);
        else unchanged(row, position, into);
      },
      sizeOf(site),
    );
  });
  later.forEach(({ site }, i) => {
    const affine = (name: string, part: 'scale' | 'shift', otherwise: number) =>
      fill(
        name,
        site,
        (change, row, position, into) => {
          const touched = touchedAt(change.later[i], row, position);
          if (touched) into.set(touched.affine![part]);
          else into.fill(otherwise);
        },
        sizeOf(site),
      );
    affine(scaleName(site), 'scale', 1);
    affine(shiftName(site), 'shift', 0);
  });
  for (const [name, range] of masks) feeds[name] = branchMask(range, branches, from, read, length);
  for (const [name, list] of Object.entries(branchRanges(branches, from, read)))
    feeds[`range.${name}`] = { data: list, shape: [list.length] };
  return feeds;
}

/** Numbers of a site at one position. Sites that hold keys are never cut. */
const sizeOf = ({ value, axis }: Site): number =>
  value.shape.reduce<number>((product, dimension, i) => (i === 0 || i === axis ? product : product * (dimension as number)), 1);

/** Results of a run, by branch. */
export class BranchResults {
  readonly #results: Results;
  readonly #branches: number;
  readonly #after: number;

  /** @param after positions after the changed one that a result over the range `from` has */
  constructor(results: Results, branches: number, after: number) {
    this.#results = results;
    this.#branches = branches;
    this.#after = after;
  }

  /** Logits where the pair is read: the array, and where those of a row and branch begin. */
  logits(row: number, branch: number): { data: Float32Array; at: number } {
    const { data, shape } = this.#results[LOGITS];
    const [, count, vocabulary] = shape;
    return { data: data as Float32Array, at: (row * count + Math.min(branch, count - 1)) * vocabulary };
  }

  /** Squared distance that a later site was moved in a row, from the first changed position on. */
  moved(site: Site, row: number, branch: number): number {
    const { data, shape } = this.#results[movedName(site)];
    const [, count] = shape;
    let total = 0;
    for (let offset = 0; offset <= this.#after; offset++)
      total += data[row * count + Math.min(branchPlace(branch, offset, this.#branches, this.#after), count - 1)];
    return total;
  }

  /** A reader of one observation of a branch. @param from the first changed position; undefined where only the read position is given */
  observed(number: number, site: Site, index: number | undefined, branch: number, from: number | undefined) {
    const tensor = this.#results[observedName(number)];
    const parts = new Parts(site, tensor, index);
    const count = tensor.shape[site.axis];
    return (row: number, position: number, into: Float32Array, at: number) => {
      const place = from === undefined ? branch : branchPlace(branch, position - from, this.#branches, this.#after);
      parts.read(row, Math.min(place, count - 1), into, at);
    };
  }
}
