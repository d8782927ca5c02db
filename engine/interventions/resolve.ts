/** Everything a run asks for, held against model and pairs and put in the order in which it is to be done: what both runners begin with. */
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { checkPairs, prompts, type PairSet } from '../tasks/pairs.ts';
import { resolveWrite, type ResolvedWrite } from './donors.ts';
import type { Metric, Observation, RunOptions } from './effects.ts';
import { checkInterventions, checkTarget, partSize, type Arm, type Intervention, type Receiver } from './intervention.ts';
import { checkMetrics } from './measure.ts';
import { siteNamed, siteSize, type ModelGraph, type Site } from './modelGraph.ts';
import { placesEach, placesOf, type Places } from './places.ts';

/** All writes of an intervention to one site, in their order. */
export interface SiteWrites {
  readonly site: Site;
  readonly writes: readonly ResolvedWrite[];
}

export interface ResolvedIntervention {
  readonly id: string;
  /** In the order in which the model computes the sites. */
  readonly sites: readonly SiteWrites[];
}

export interface ResolvedObservation {
  readonly site: Site;
  readonly index: number | undefined;
  readonly places: Places;
  /** Numbers of one pair: places × part. */
  readonly size: number;
  readonly part: number;
}

export interface Resolved {
  readonly pairs: PairSet;
  readonly base: Arm;
  readonly interventions: readonly ResolvedIntervention[];
  readonly observations: readonly ResolvedObservation[];
  readonly metrics: readonly Metric[];
}

/** @throws UserError for anything that does not fit the model or the pairs */
export function resolve(
  model: ModelGraph,
  pairs: PairSet,
  base: Arm,
  interventions: readonly Intervention[],
  { metrics = ['difference'], observe = [], seed = 0 }: RunOptions,
): Resolved {
  const { vocabulary, positions } = model.config;
  checkPairs(pairs, vocabulary);
  prompts(pairs, base);
  if (pairs.length > positions)
    throw new UserError('pairs: length', `must be at most the ${positions} positions of the model`, pairs.length);
  checkMetrics(metrics, pairs, vocabulary);
  const sites = new Map<string, Site | undefined>();
  const siteOf = (name: string) => {
    if (!sites.has(name)) sites.set(name, siteNamed(model, name));
    return sites.get(name);
  };
  checkInterventions(interventions, pairs, (name) => {
    const found = siteOf(name);
    return found && siteSize(found, pairs.length);
  });
  const known = new Map<string, Places>();
  const places = (place: string, positions: Parameters<typeof placesOf>[1]): Places => {
    const key = JSON.stringify(positions);
    let found = known.get(key);
    if (!found) known.set(key, (found = placesOf(place, positions, pairs)));
    return found;
  };
  const random = new Random(seed);
  return {
    pairs,
    base,
    metrics,
    interventions: interventions.map(({ id, writes }) => {
      const bySite = new Map<string, ResolvedWrite[]>();
      writes.forEach((write, i) => {
        const place = `intervention ${id}: writes.${i}`;
        const resolved = resolveWrite(place, write, {
          pairs,
          seed,
          vocabulary,
          site: siteOf(write.site)!,
          places: places(place, write.positions),
          noise: (pair) => random.fork('noise', id, i, pair),
        });
        bySite.set(write.site, [...(bySite.get(write.site) ?? []), resolved]);
      });
      const ordered = [...bySite.values()].sort(([a], [b]) => a.site.value.id - b.site.value.id);
      return { id, sites: ordered.map((own) => ({ site: own[0].site, writes: own })) };
    }),
    observations: observe.map((observation, i) => resolveObservation(`observe.${i}`, observation, pairs, siteOf, places)),
  };
}

function resolveObservation(
  place: string,
  { site: name, index, positions = 'read' }: Observation,
  pairs: PairSet,
  siteOf: (name: string) => Site | undefined,
  places: (place: string, positions: Parameters<typeof placesOf>[1]) => Places,
): ResolvedObservation {
  const target: Receiver = { site: name, positions, ...(index !== undefined && { index }) };
  checkTarget(place, target, pairs, (site) => {
    const found = siteOf(site);
    return found && siteSize(found, pairs.length);
  });
  const site = siteOf(name)!;
  const own = places(place, positions);
  const part = partSize(siteSize(site, pairs.length), index);
  return { site, index, places: own, part, size: part * placesEach(place, own) };
}
