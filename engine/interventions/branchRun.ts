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

/** Branches of an entry: of one that nothing is changed in, one that nothing is read from. */
export const branchCount = (changes: readonly unknown[]): number => Math.max(1, changes.length);

/** What a program is fed with besides weights and caches. @param entries changes by entry of the shape, all beginning at position `from` */
export function branchFeeds(
  { shape, masks }: BranchProgram,
  entries: readonly (readonly Change[])[],
  from: number,
  { rows, read, length, clean }: BranchFeedsContext,
): Feeds {
  const after = shape.mode === 'spread' ? read - from : 0;
  const feeds: Record<string, TensorData> = {};
  type Fill = (change: Change | undefined, row: number, position: number, into: Float32Array) => void;
  const fill = (name: string, site: Site, entry: number, part: Fill) => {
    const places = branchCount(entries[entry]) * (1 + after);
    const size = sizeOf(site);
    const shapeOf = site.value.shape.map((dimension, i) => (i === 0 ? rows : i === site.axis ? places : (dimension as number)));
    const data = new Float32Array(rows * places * size);
    const parts = new Parts(site, { data, shape: shapeOf });
    const own = new Float32Array(size);
    for (let place = 0; place < places; place++)
      for (let row = 0; row < rows; row++) {
        part(entries[entry][Math.floor(place / (1 + after))], row, from + (place % (1 + after)), own);
        parts.write(row, place, own);
      }
    feeds[givenName(name, shape.mode, entry)] = { data, shape: shapeOf };
  };
  const touchedAt = (own: SiteChange | undefined, row: number, position: number): Touched | undefined => own?.touched[row].get(position);
  shape.entries.forEach(({ first, later }, entry) => {
    first.forEach((site, i) => {
      const unchanged = clean(site);
      fill(changedName(site), site, entry, (change, row, position, into) => {
        const touched = touchedAt(change?.first[i], row, position);
        if (touched) into.set(touched.after);
        else unchanged(row, position, into);
      });
    });
    later.forEach((site, i) => {
      const affine = (name: string, part: 'scale' | 'shift', otherwise: number) =>
        fill(name, site, entry, (change, row, position, into) => {
          const touched = touchedAt(change?.later[i], row, position);
          if (touched) into.set(touched.affine![part]);
          else into.fill(otherwise);
        });
      affine(scaleName(site), 'scale', 1);
      affine(shiftName(site), 'shift', 0);
    });
  });
  const branches = branchCount(entries[0]);
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
  /** Positions of a branch, in results over the range `from`. */
  readonly #own: number;

  /** @param own positions of a branch, the changed one among them */
  constructor(results: Results, own: number) {
    this.#results = results;
    this.#own = own;
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
    for (let offset = 0; offset < this.#own; offset++) total += data[row * count + Math.min(branch * this.#own + offset, count - 1)];
    return total;
  }

  /** A reader of one observation of a branch. @param from the first changed position; undefined where only the read position is given */
  observed(number: number, site: Site, index: number | undefined, branch: number, from: number | undefined) {
    const tensor = this.#results[observedName(number)];
    const parts = new Parts(site, tensor, index);
    const count = tensor.shape[site.axis];
    return (row: number, position: number, into: Float32Array, at: number) => {
      const place = from === undefined ? branch : branch * this.#own + position - from;
      parts.read(row, Math.min(place, count - 1), into, at);
    };
  }
}
