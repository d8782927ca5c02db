/**
 * What a run of interventions will cost, before it runs: how many whole forwards the plain way takes and what is run instead, what is proved, what
 * has to be run whole and why. The plan is data; that it is kept to is tested on the counts of the runner.
 */
import { below, branchProgram, earlierMatters, shapeKey, type BranchShape, type Observed } from './branchProgram.ts';
import type { Effects } from './effects.ts';
import type { ModelGraph, Site } from './modelGraph.ts';
import type { Chunk } from './places.ts';
import type { Resolved, ResolvedIntervention } from './resolve.ts';
import { CutRefusal } from './restrict.ts';
import { replaces } from './write.ts';

/** What is looked at under every intervention: where all pairs are read, or from the first change on. */
export function observedOf({ observations, pairs }: Resolved): Observed[] {
  return observations.map(({ site, places }) => ({
    site,
    range: places.every((own, pair) => own.every((position) => position === pairs.read[pair])) ? 'last' : 'from',
  }));
}

/**
 * The shape an intervention has in some pairs (all, unless given) if each of its writes changes something, but for those that hold a site as it is on
 * the base prompt; undefined where that leaves none.
 */
export function expectedShape(
  { sites }: ResolvedIntervention,
  { pairs: { pairs, read }, base }: Pick<Resolved, 'pairs' | 'base'>,
  observed: readonly Observed[],
  ways: Ways,
  chunk: Chunk = Array.from({ length: pairs }, (_entry, pair) => pair),
): BranchShape | undefined {
  const all = sites.map(({ site }) => site);
  const first = all.filter((site) => !all.some((other) => other !== site && ways.below(site, other)));
  const at = new Set<string>();
  let single: number | undefined;
  let several = false;
  for (const { site, writes } of sites) {
    const earlier = ways.earlierMatters(site, observed);
    for (const { write, places, donor } of writes) {
      if (donor?.source?.key === base && !donor.mean && replaces(write)) continue;
      for (const pair of chunk)
        for (const position of places[pair])
          if (position === read[pair] || (position < read[pair] && !earlier)) at.add('read');
          else if (position < read[pair]) {
            at.add('earlier');
            several ||= single !== undefined && single !== position;
            single = position;
          }
    }
  }
  if (at.size === 0) return undefined;
  const mode = !at.has('earlier') ? 'read' : all.length === 1 && !several && !at.has('read') ? 'single' : 'spread';
  return { mode, entries: [{ first, later: all.filter((site) => !first.includes(site)) }], observed };
}

/** Which way interventions are run, by what the graph of the model allows; found once for each shape. */
export class Ways {
  readonly #model: ModelGraph;
  readonly #matters = new Map<string, boolean>();
  readonly #below = new Map<string, boolean>();
  readonly #refusals = new Map<string, string | undefined>();

  constructor(model: ModelGraph) {
    this.#model = model;
  }

  /** Whether a site is computed from another. */
  below(site: Site, other: Site): boolean {
    return known(this.#below, `${site.name} ${other.name}`, () => below(site, other));
  }

  /** Whether a write to a site before the position that is read can matter; where the model cannot be cut, it is taken to. */
  earlierMatters(site: Site, observed: readonly Observed[]): boolean {
    const key = shapeKey({ mode: 'single', entries: [{ first: [site], later: [] }], observed });
    return known(this.#matters, key, () => this.#refusal(() => earlierMatters(this.#model, site, observed)) !== false);
  }

  /** Interventions that have to be run whole, by their numbers, and why. */
  of(resolved: Resolved): { whole: ReadonlySet<number>; reasons: Effects['wholes'] } {
    const observed = observedOf(resolved);
    const beyond = observesBeyond(resolved);
    const reasons = resolved.interventions.map((own) => beyond ?? this.#reason(own, resolved, observed));
    return {
      whole: new Set(reasons.flatMap((reason, i) => (reason === undefined ? [] : [i]))),
      reasons: reasons.flatMap((reason, i) => (reason === undefined ? [] : [{ intervention: resolved.interventions[i].id, reason }])),
    };
  }

  #reason(intervention: ResolvedIntervention, resolved: Resolved, observed: readonly Observed[]): string | undefined {
    const shape = expectedShape(intervention, resolved, observed, this);
    if (!shape) return undefined;
    const mixing = intervention.sites.find(
      ({ site, writes }) =>
        shape.entries[0].later.includes(site) && writes.some(({ write }) => write.op === 'ablate' && !('donor' in write && write.donor)),
    );
    if (mixing) return `a direction is removed at ${mixing.site.name}, below another write`;
    return this.refusal(shape);
  }

  /** Why the model cannot be cut so; undefined where it can. */
  refusal(shape: BranchShape): string | undefined {
    return known(this.#refusals, shapeKey(shape), () => {
      const refused = this.#refusal(() => branchProgram(this.#model, shape));
      return refused instanceof CutRefusal ? refused.message : undefined;
    });
  }

  #refusal<T>(build: () => T): T | CutRefusal {
    try {
      return build();
    } catch (error) {
      if (error instanceof CutRefusal) return error;
      throw error;
    }
  }
}

/** Branches end at the position that is read. */
function observesBeyond({ observations, pairs: { read } }: Resolved): string | undefined {
  const found = observations.find(({ places }) => places.some((own, pair) => own.some((position) => position > read[pair])));
  return found && `positions of ${found.site.name} after the one that is read are observed`;
}

function known<T>(cache: Map<string, T>, key: string, find: () => T): T {
  if (!cache.has(key)) cache.set(key, find());
  return cache.get(key)!;
}
