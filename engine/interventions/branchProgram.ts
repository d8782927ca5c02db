/**
 * The program that runs interventions on one set of sites as branches of one suffix (suffix.ts): cut at the sites nothing written comes before,
 * with the writes further down as v ← scale · v + shift inside the graph, and metrics, movements and observations read off at its end. Interventions
 * on one site each, at the position that is read, share a program whatever their sites: those of later ones join on the way.
 */
import { type Dimension } from '../graph/dimension.ts';
import { dependents, program, type Program } from '../graph/program.ts';
import { substitution } from '../graph/rebuild.ts';
import type { Value } from '../graph/value.ts';
import { add, multiply, square, subtract, sum } from '../ops/index.ts';
import type { ModelGraph, Site } from './modelGraph.ts';
import { branchesOf, FROM, suffix, type Cache, type GivenValue, type OtherOutput, type Range } from './suffix.ts';
import { inputNamed, reaches } from './sweep.ts';

/** `read`: every change is at the position that is read. `single`: at one earlier position of one site. `spread`: from some position on. */
export type Mode = 'read' | 'single' | 'spread';

/** A value to look at: at the read position, or from the first changed one on. */
export interface Observed {
  readonly site: Site;
  readonly range: 'last' | 'from';
}

/** What a branch writes to. */
export interface Written {
  /** Sites that are written to and that no other write comes before: their numbers are given. */
  readonly first: readonly Site[];
  /** Sites further down, in the order in which the model computes them. */
  readonly later: readonly Site[];
}

export interface BranchShape {
  readonly mode: Mode;
  /** Of each kind of branches. Several only in mode `read`, of one first site each, every one below the one before, and no later ones. */
  readonly entries: readonly Written[];
  readonly observed: readonly Observed[];
}

/** Made for every intervention of every chunk. */
export function shapeKey({ mode, entries, observed }: BranchShape): string {
  let key: string = mode;
  for (const { first, later } of entries) {
    key += '|';
    for (const { name } of first) key += `${name},`;
    key += '|';
    for (const { name } of later) key += `${name},`;
  }
  key += '|';
  for (const { site, range } of observed) key += `${site.name} ${range},`;
  return key;
}

export interface BranchProgram {
  readonly shape: BranchShape;
  readonly program: Program;
  readonly caches: readonly Cache[];
  readonly masks: ReadonlyMap<string, Range>;
}

/** Names of what a branch program takes for a site, and of what it gives. */
export const changedName = (site: Site): string => `changed ${site.name}`;
export const scaleName = (site: Site): string => `scale ${site.name}`;
export const shiftName = (site: Site): string => `shift ${site.name}`;
/** What is given by branch has another size where it goes on from the changed position, and for every entry. */
export const givenName = (name: string, mode: Mode, entry = 0): string =>
  mode === 'spread' ? `${name} from there on` : entry > 0 ? `${name} by entry ${entry}` : name;
/** Squared distances of a later site from what it would have been, [rows, branches or the range `from`]. */
export const movedName = (site: Site): string => `moved ${site.name}`;
export const LOGITS = 'branch logits';
export const observedName = (number: number): string => `observed ${number}`;

/** @throws CutRefusal where the model cannot be cut so */
export function branchProgram(model: ModelGraph, shape: BranchShape): BranchProgram {
  const made = branches(model, shape);
  const outputs: Record<string, Value> = { [LOGITS]: made.output, ...made.sizes };
  const [{ later }] = shape.entries;
  later.forEach((site, i) => (outputs[movedName(site)] = made.others[i]));
  shape.observed.forEach((_observed, i) => (outputs[observedName(i)] = made.others[later.length + i]));
  return { shape, program: program(outputs), caches: made.caches, masks: made.masks };
}

function branches(model: ModelGraph, { mode, entries, observed }: BranchShape) {
  const { graph, logits, mask } = model;
  const [{ later }] = entries;
  const input = (name: string, { value, axis }: Site, entry = 0) => {
    const size: Dimension = mode === 'spread' ? FROM : branchesOf(entry);
    const shape = value.shape.map((dimension, i) => (i === axis ? size : dimension));
    return inputNamed(graph, givenName(name, mode, entry), shape);
  };
  // Scale and shift stand in the graph as inputs with positions; the suffix gives them by branch.
  const affine = later.map((site) => {
    const [scale, shift] = [scaleName(site), shiftName(site)].map((name) => inputNamed(graph, `${name} in place`, site.value.shape));
    return { site, scale, shift, written: add(multiply(site.value, scale), shift) };
  });
  const distances = affine.map(({ site, written }) => sum(square(subtract(written, site.value)), { axes: partAxes(site) }));
  /** What the model itself computes where writes are in place now. */
  const cleanOf = new Map<Value, Value>();
  let values: Value[] = [logits, ...distances, ...observed.map(({ site }) => site.value)];
  // From the last site to the first: each then stands in what was already replaced.
  for (const { site, written } of [...affine].reverse()) {
    const own = affine.findIndex((other) => other.site === site) + 1;
    const made = substitution(values, new Map([[site.value, written]]));
    for (const [before, now] of made.replaced) cleanOf.set(now, cleanOf.get(before) ?? before);
    // A distance is that of a site from what it is before it is written to.
    values = made.values.map((value, i) => (i === own ? values[i] : value));
  }
  const [output, ...rest] = values;
  const others = [
    ...later.map((_site, i): OtherOutput => ({ value: rest[i], axis: 1, range: 'from' })),
    ...observed.map(({ site, range }, i): OtherOutput => ({ value: rest[later.length + i], axis: site.axis, range })),
  ];
  const given = entries.map(({ first }, entry) =>
    first.map((site): GivenValue => ({ value: site.value, axis: site.axis, changed: input(changedName(site), site, entry) })),
  );
  const affinely = affine.flatMap(({ site, scale, shift }): GivenValue[] => [
    { value: scale, axis: site.axis, changed: input(scaleName(site), site) },
    { value: shift, axis: site.axis, changed: input(shiftName(site), site) },
  ]);
  const made = suffix({
    output,
    axis: 1,
    entries: given.map((own, entry) => (entry === 0 ? [...own, ...affinely] : own)),
    mask,
    atRead: mode === 'read',
    spread: mode === 'spread',
    others,
    // Masks are the same for all programs of a mode.
    prefix: mode,
  });
  // Before the change nothing is written: what a run keeps of it is what the model itself computes.
  return { ...made, caches: made.caches.map((cache) => ({ ...cache, value: cleanOf.get(cache.value) ?? cache.value })) };
}

/** The axes of a site that a part has: all but rows and positions. */
const partAxes = ({ value, axis }: Site): number[] => value.shape.map((_dimension, i) => i).filter((i) => i !== 0 && i !== axis);

/** Whether what is written to a site before the position that is read can matter to anything looked at. */
export function earlierMatters(model: ModelGraph, site: Site, observed: readonly Observed[]): boolean {
  const made = branches(model, { mode: 'single', entries: [{ first: [site], later: [] }], observed });
  const changed = model.graph.inputs.get(givenName(changedName(site), 'single'))!;
  return [made.output, ...made.others].some((value) => reaches(changed, value));
}

/** Whether a site is computed from another. */
export const below = (site: Site, other: Site): boolean => dependents([site.value], [other.value]).has(site.value);
