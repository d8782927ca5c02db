/**
 * What an intervention makes of the numbers of a clean run in one chunk of pairs, and what of it can matter: the first position at which anything
 * differs, the sites that have to be given to a branch, and whether there is anything to run at all.
 *
 * Before the first difference nothing in a causal model differs, so a write there changes what it would have changed in the clean run. A write
 * that leaves all as it was is no change, unless it holds a site against another change upstream.
 */
import { donorValue, type Capture, type Means, type Source } from './donors.ts';
import { Parts, type Site } from './modelGraph.ts';
import type { Chunk } from './places.ts';
import type { ResolvedIntervention, SiteWrites } from './resolve.ts';
import { affineOf, applyWrite } from './write.ts';

/** The numbers of a whole site at one position of one row: in the clean run, as written, and as v ← scale · v + shift. */
export interface Touched {
  readonly before: Float32Array;
  readonly after: Float32Array;
  /** Known for sets of sites; not for the removal of a direction. */
  readonly affine: { readonly scale: Float32Array; readonly shift: Float32Array } | undefined;
}

export interface SiteChange {
  readonly site: Site;
  /** For each row, by position. */
  readonly touched: readonly ReadonlyMap<number, Touched>[];
}

/** What is to be run of an intervention. */
export interface Change {
  readonly first: readonly SiteChange[];
  readonly later: readonly SiteChange[];
  /** The first position at which anything differs. */
  readonly from: number;
  /** Whether it is the only one. */
  readonly single: boolean;
}

export interface Evaluated {
  /** Undefined where nothing can change. */
  readonly change: Change | undefined;
  /** For each row: positions that were written. */
  readonly fired: Int32Array;
  /** All sites that were written to. */
  readonly sites: readonly SiteChange[];
}

export interface EvaluateContext {
  readonly chunk: Chunk;
  readonly read: number;
  readonly base: Source;
  readonly means: Means;
  readonly capture: Capture;
  /** Whether a write to a site before the position that is read can matter. */
  readonly earlierMatters: (site: Site) => boolean;
  readonly below: (site: Site, other: Site) => boolean;
}

export function evaluate({ sites }: ResolvedIntervention, context: EvaluateContext): Evaluated {
  const { chunk, read, earlierMatters, below } = context;
  const fired = new Int32Array(chunk.length);
  const all = sites.map((own) => touch(own, sites.length > 1, context, fired));
  let from = Infinity;
  let to = -1;
  const effective = all.filter(({ site, touched }) => {
    const earlier = earlierMatters(site);
    let any = false;
    for (const row of touched)
      for (const [position, { before, after }] of row) {
        if (position > read || (position < read && !earlier) || (any && position >= from && position <= to)) continue;
        if (same(before, after)) continue;
        any = true;
        from = Math.min(from, position);
        to = Math.max(to, position);
      }
    return any;
  });
  if (effective.length === 0) return { change: undefined, fired, sites: all };
  const kept = all.filter(
    (own) =>
      effective.includes(own) ||
      (effective.some((other) => below(own.site, other.site)) &&
        own.touched.some((row) => [...row.keys()].some((position) => position >= from && position <= read))),
  );
  const first = kept.filter(({ site }) => !kept.some((other) => other.site !== site && below(site, other.site)));
  const later = kept.filter((own) => !first.includes(own));
  return { change: { first, later, from, single: kept.length === 1 && from === to }, fired, sites: all };
}

/** Squared distance that a change moves a site in each row of the clean run, up to a position. */
export function distances({ touched }: SiteChange, end: number): Float64Array {
  return Float64Array.from(touched, (row) => {
    let sum = 0;
    for (const [position, { before, after }] of row)
      if (position < end) for (let i = 0; i < before.length; i++) sum += (after[i] - before[i]) ** 2;
    return sum;
  });
}

function touch(
  { site, writes }: SiteWrites,
  affine: boolean,
  { chunk, base, means, capture }: EvaluateContext,
  fired: Int32Array,
): SiteChange {
  const touched = chunk.map(() => new Map<number, Touched>());
  for (const own of writes) {
    const { write, places, part } = own;
    const clean = capture(base, chunk, site, places);
    const whole = new Parts(site, clean.tensor);
    const donor = donorValue(own, chunk, means, capture);
    const [value, given] = [new Float32Array(part), new Float32Array(part)];
    const at = (write.index ?? 0) * part;
    const { size } = whole;
    const most = chunk.reduce((count, pair) => count + places[pair].length, 0);
    const vector = vectors(most * (affine ? 4 : 2), size);
    chunk.forEach((pair, row) => {
      const noise = own.noise?.(pair);
      fired[row] += places[pair].length;
      places[pair].forEach((position, k) => {
        let found = touched[row].get(position);
        if (!found) {
          const [before, after] = [vector(), vector()];
          whole.read(row, clean.onlyRead ? 0 : position, before);
          after.set(before);
          found = { before, after, affine: affine ? { scale: vector().fill(1), shift: vector() } : undefined };
          touched[row].set(position, found);
        }
        if (noise) given.set(noise.subarray(k * part, (k + 1) * part));
        else donor?.(row, k, given);
        for (let i = 0; i < part; i++) value[i] = found.after[at + i];
        applyWrite(write, value, given);
        found.after.set(value, at);
        if (!found.affine) return;
        const { scale, shift } = found.affine;
        const step = affineOf(write, given, part);
        if (!step) touched[row].set(position, { ...found, affine: undefined });
        else
          for (let i = 0; i < part; i++) {
            scale[at + i] *= step.scale;
            shift[at + i] = (step.scale === 0 ? 0 : step.scale * shift[at + i]) + (step.shift ? step.shift[i] : 0);
          }
      });
    });
  }
  return { site, touched };
}

/** Hands out vectors of zeros in one piece of memory: to make them one by one takes longer than to fill them. */
function vectors(count: number, size: number): () => Float32Array {
  let all: Float32Array | undefined;
  let used = 0;
  return () => (all ??= new Float32Array(count * size)).subarray(used, (used += size));
}

function same(a: Float32Array, b: Float32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
