/**
 * Path patching (Wang et al. 2022, arXiv:2211.00593; Goldowsky-Dill et al. 2023, arXiv:2304.05969) by two interventions, for any runner.
 *
 * The first makes the writes of the senders while every other head stays as on the base prompt (and the MLPs, if they are frozen), and looks at
 * what the receivers read. The second writes that, and nothing else, to a base run. So an effect counts what goes from the senders to the receivers,
 * together, through the residual stream and MLPs, and through no head in between.
 */
import { UserError } from '../base/errors.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { Effects, Observation, RunOptions } from './effects.ts';
import type { Arm, Intervention, Receiver, Write } from './intervention.ts';
import { blockSite, headOutput } from '../models/sites.ts';
import { siteNamed, type ModelGraph } from './modelGraph.ts';
import { resolve } from './resolve.ts';

type Run = (interventions: readonly Intervention[], options: RunOptions) => Promise<Effects>;

/** Runs what is asked for: interventions as they are, paths by two of them. Effects come in the order of the interventions. */
export async function withPaths(
  model: ModelGraph,
  pairs: PairSet,
  base: Arm,
  interventions: readonly Intervention[],
  options: RunOptions,
  run: Run,
): Promise<Effects> {
  const paths = interventions.filter(({ receivers }) => receivers);
  if (paths.length === 0) return run(interventions, options);
  // All of it is checked before any of it runs.
  resolve(model, pairs, base, interventions, options);
  const { context = {}, ...plain } = options;
  // The first half is not stored: only effects are.
  const { checkpoint: _checkpoint, resume: _resume, ...watched } = context;
  const observed = observationsOf(paths);
  const senders = sendersOf(paths);
  const sent = await run(sending(model, base, paths), { ...plain, ...SENDING, observe: observed, context: watched });
  const receiving = interventions.map((own): Intervention => {
    if (!own.receivers) return own;
    const at = senders.indexOf(paths[senderOf(paths, own)]);
    return {
      id: own.id,
      writes: own.receivers.map((receiver) => ({
        ...asObservation(receiver),
        op: 'swap',
        donor: { stored: sent.observed[at][observed.findIndex((other) => keyOf(other) === keyOf(receiver))] },
      })),
    };
  });
  const effects = await run(receiving, options);
  return {
    ...effects,
    wholes: [
      ...effects.wholes,
      ...paths.flatMap(({ id }, i) => {
        const found = sent.wholes.find(({ intervention }) => intervention === paths[senderOf(paths, paths[i])].id);
        return found && !effects.wholes.some((own) => own.intervention === id) ? [{ ...found, intervention: id }] : [];
      }),
    ],
  };
}

/** The first path that sends the same: the same list of writes, with MLPs treated alike. Noise is each intervention's own. */
const senderOf = (paths: readonly Intervention[], { id, writes, mlps = 'recompute' }: Intervention): number =>
  paths.findIndex(
    (own) => own.id === id || (own.writes === writes && (own.mlps ?? 'recompute') === mlps && writes.every(({ op }) => op !== 'noise')),
  );

/** What is measured while senders send is not asked for. */
const SENDING = { metrics: ['difference'] } satisfies RunOptions;

/** Paths of one sender differ in who receives: it is sent once for all of them. */
const sendersOf = (paths: readonly Intervention[]): Intervention[] => paths.filter((path, i) => senderOf(paths, path) === i);

function sending(model: ModelGraph, base: Arm, paths: readonly Intervention[]): Intervention[] {
  for (const path of paths) requireLater(model, path);
  return sendersOf(paths).map((path) => ({ id: path.id, writes: [...frozen(model, base, path), ...path.writes] }));
}

/** The runs that interventions take one after another, for planning: what receivers will be given is not known yet, only its size. */
export function stepsOf(
  model: ModelGraph,
  pairs: PairSet,
  base: Arm,
  interventions: readonly Intervention[],
  options: RunOptions,
): (readonly [readonly Intervention[], RunOptions])[] {
  const paths = interventions.filter(({ receivers }) => receivers);
  if (paths.length === 0) return [[interventions, options]];
  resolve(model, pairs, base, interventions, options);
  const receiving = interventions.map(({ id, writes, receivers }): Intervention => ({
    id,
    writes: receivers?.map((receiver) => ({ ...asObservation(receiver), op: 'set', amount: 0 })) ?? writes,
  }));
  return [
    [sending(model, base, paths), { ...options, ...SENDING, observe: observationsOf(paths) }],
    [receiving, options],
  ];
}

const asObservation = ({ site, index, positions = 'all' }: Receiver): Required<Pick<Observation, 'site' | 'positions'>> & Observation => ({
  site,
  ...(index !== undefined && { index }),
  positions,
});

const keyOf = (receiver: Receiver): string => JSON.stringify(asObservation(receiver));

/** What the receivers of all paths read, each once. */
function observationsOf(paths: readonly Intervention[]): Observation[] {
  return [...new Map(paths.flatMap(({ receivers }) => receivers!).map((receiver) => [keyOf(receiver), asObservation(receiver)])).values()];
}

/** When the model computes a site, by number. */
const orderIn = ({ graph }: ModelGraph, site: string): number => graph.sites.get(site)!.id;

const firstOf = (model: ModelGraph, writes: readonly Write[]): number => Math.min(...writes.map(({ site }) => orderIn(model, site)));

function requireLater(model: ModelGraph, { id, writes, receivers }: Intervention): void {
  const first = firstOf(model, writes);
  const early = receivers!.find(({ site }) => orderIn(model, site) < first);
  if (early) throw new UserError(`intervention ${id}: receivers`, 'must come after the first write', early.site);
}

/** Writes that hold every head from the first sender's layer on as it is on the base prompt; the senders' own writes come after them. */
function frozen(model: ModelGraph, base: Arm, { writes, mlps }: Intervention): Write[] {
  const { config } = model;
  const first = firstOf(model, writes);
  const orderOf = (site: string) => orderIn(model, site);
  const held = (site: string, index?: number): Write[] =>
    siteNamed(model, site) && orderOf(site) >= first
      ? [{ site, positions: 'all', op: 'swap', donor: { arm: base }, ...(index !== undefined && { index }) }]
      : [];
  return Array.from({ length: config.layers }, (_entry, layer) => {
    const free = sendingHeads(config, layer, writes);
    const heads =
      free.size === 0
        ? held(headOutput(layer))
        : Array.from({ length: config.heads }, (_head, head) => (free.has(head) ? [] : held(headOutput(layer), head))).flat();
    return [...heads, ...(mlps === 'freeze' ? held(blockSite(layer, 'hook_mlp_out')) : [])];
  }).flat();
}

/** Heads of a layer that send by what they read or attend to, so that their output must answer. */
function sendingHeads(config: ModelGraph['config'], layer: number, writes: readonly Write[]): Set<number> {
  const inside = writes.filter(({ site }) => site.startsWith(blockSite(layer, 'attn.')) && site !== headOutput(layer));
  const free = new Set<number>();
  for (const { site, index } of inside)
    for (let head = 0; head < config.heads; head++) {
      // Keys and values may serve a group of heads.
      const group = /hook_(k|v|rot_k)$/.test(site) ? Math.floor((head * config.keyValueHeads) / config.heads) : head;
      if (index === undefined || index === group) free.add(head);
    }
  return free;
}
