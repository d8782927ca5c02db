/**
 * What a change at one position of one site does to the output, computed where it can reach and nowhere else.
 *
 * In a causal model a change at position p of a site leaves positions before p alone, and, until attention spreads it, those after p too.
 * Whatever the change cannot reach is taken from the clean run. Several changes at the same place (one for each head, say) share one run as
 * *branches*: they stand one after another on the positions axis, read the same clean keys and values of earlier positions, and a mask keeps
 * them from seeing one another (as in speculative decoding). Nothing of this is known to the model: it follows from the graph, or is refused
 * (causal.ts). One thing is for the caller to promise: that the mask, as it is fed to the clean run, hides every key from earlier queries. And one is
 * presumed: that the clean run is finite, since clean keys that a branch does not see are multiplied by 0 (else the result is NaN, never wrong).
 */
import { plus, sameShape, symbol, type Dimension } from '../graph/dimension.ts';
import { alongBroadcast, type Operation } from '../graph/operation.ts';
import { dependents, reachableNodes, requireReached } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { UserError } from '../base/errors.ts';
import { add, broadcastTo, concat, gather, slice } from '../ops/index.ts';
import { CausalReads } from './causal.ts';
import { axesAlong, axisOf, CutRefusal, reapply } from './restrict.ts';
import { inputNamed } from './sweep.ts';

/** Positions of a whole prompt, up to the one that is read. */
export const POSITIONS = symbol('positions');
/** Branches: each stands once at the changed position. */
export const BRANCHES = symbol('branches');
/** Positions after the changed one, of all branches together. */
export const AFTER = symbol('after');

/** `at`: the changed position of every branch; `after`: the later ones; `from`: both; `last`: the position that is read. */
export type Range = 'at' | 'after' | 'from' | 'last';

/**
 * Lists of positions, which a suffix takes as inputs `range.<name>`: those of the ranges, the changed `position` once, and where among `from` each
 * branch's last one stands (`read`).
 */
export type List = 'position' | 'at' | 'after' | 'last' | 'read';

/** A value of the clean run that the suffix reads. */
export interface Cache {
  /** Input of the suffix program. */
  readonly name: string;
  /** What the clean run must give: whole along its positions, or only at the changed position. */
  readonly value: Value;
  readonly axis: number;
  readonly part: 'whole' | 'at';
}

export interface Suffix {
  /** The output at the position that is read, for each branch: `axis` has the size of {@link BRANCHES}. */
  readonly output: Value;
  /** The other outputs, in their order: `axis` has the size of {@link BRANCHES}, or of its range. */
  readonly others: readonly Value[];
  readonly caches: readonly Cache[];
  /** Names of inputs that replace the mask, with the range of their queries: [queries, all keys]. */
  readonly masks: ReadonlyMap<string, Range>;
}

/** Another value to hand out: at the position that is read, or from the changed one on. */
export interface OtherOutput {
  readonly value: Value;
  readonly axis: number;
  readonly range: 'last' | 'from';
}

/** Another value that differs from branch to branch, given like the changed site. */
export interface GivenValue {
  readonly value: Value;
  readonly axis: number;
  readonly changed: Value;
}

export interface SuffixOptions {
  /** Output whose last position is read, and its positions axis. */
  readonly output: Value;
  readonly axis: number;
  /** Where the change is made, its positions axis, and what stands there instead, with {@link BRANCHES} on that axis. */
  readonly site: Value;
  readonly siteAxis: number;
  readonly changed: Value;
  /** The input that hides keys from queries, [positions, positions]. It must be causal: see above. */
  readonly mask: Value;
  /** Whether the changed position is the one that is read: then nothing comes after it. */
  readonly atRead: boolean;
  /**
   * Whether the change goes on from that position to the last: `changed` then has {@link BRANCHES} + {@link AFTER} on its axis, in the order of
   * the range `from`.
   */
  readonly spread?: boolean;
  /** What else is given for every branch, over the same range as `changed`: further sites, or what is added to them. */
  readonly given?: readonly GivenValue[];
  readonly others?: readonly OtherOutput[];
  /** Names new inputs. */
  readonly prefix: string;
}

export function suffix(options: SuffixOptions): Suffix {
  const { output, axis, site, siteAxis, changed, mask, atRead, spread = false, given = [], others = [], prefix } = options;
  const { graph } = output;
  const first = { value: site, axis: siteAxis, changed };
  requireSuffix(options, [first, ...given]);
  const causal = new CausalReads(mask, POSITIONS);
  const sources = new Map([first, ...given].map(({ value, changed }) => [value, changed]));
  const reached = dependents([output, ...others.map(({ value }) => value)], sources.keys());
  const caches = new Map<string, Cache & { input: Value }>();
  const masks = new Map<string, Range>();
  const vector = (list: List, size: Dimension) => inputNamed(graph, `range.${list}`, [size], 'int32');
  const places = { at: () => vector('at', BRANCHES), after: () => vector('after', AFTER), last: () => vector('last', BRANCHES) };
  /** The positions of a range, put together from lists that have one symbol for a size each, so that every run knows all sizes. */
  const listOf = (range: Range): Value =>
    range !== 'from' ? places[range]() : atRead ? places.at() : concat([places.at(), places.after()], 0);
  const from = atRead ? BRANCHES : plus(BRANCHES, AFTER);
  /** Keys that attention reads: those of the clean run, of which the mask hides all from the changed position on, and those of the branches. */
  const all = plus(POSITIONS, from);
  const size = (range: Range): Dimension => (range === 'from' ? from : range === 'after' ? AFTER : BRANCHES);
  const resized = (dimension: Dimension): Dimension => (dimension === POSITIONS ? all : dimension);

  const cache = (value: Value, at: number, part: Cache['part']): Value => {
    const key = `${part}.${value.id}`;
    let found = caches.get(key);
    if (!found) {
      // The same for every suffix of a graph: the clean run gives it once.
      const name = `${part}.${value.node?.label ?? 'input'}${value.source.kind === 'node' ? `.${value.source.slot}` : `.${value.id}`}`;
      const shape = value.shape.map((dimension, i) => (part === 'at' && i === at ? 1 : dimension));
      found = { name, value, axis: at, part, input: inputNamed(graph, name, shape, value.dtype) };
      caches.set(key, found);
    }
    return found.input;
  };
  /** A value where the change cannot reach it, over a range. At one position it is the same for all branches: size 1, which broadcasts. */
  const clean = (value: Value, at: number, range: Range): Value => {
    if (value === mask) {
      const name = `${prefix}.mask.${range}`;
      masks.set(name, range);
      return inputNamed(graph, name, [size(range), all]);
    }
    // Scores of queries and keys that the change does not reach: their keys are those of the branches all the same.
    if (causal.carries(value, at)) {
      if (value.node) causal.require(value, at, axesAlong(value.node, at));
      else throw new CutRefusal('cut positions: input', 'must not have both queries and keys unless it is the mask', labelOf(value));
      return compute(value, at, range);
    }
    if (atRead) return cache(value, at, 'at');
    if (range === 'at') return gather(cache(value, at, 'whole'), vector('position', 1), at);
    return gather(cache(value, at, 'whole'), listOf(range), at);
  };

  const reaches = new Map<string, 'none' | 'at' | 'from'>();
  const reach = (value: Value, at: number): 'none' | 'at' | 'from' => {
    if (sources.has(value)) return spread && !atRead ? 'from' : 'at';
    if (!reached.has(value)) return 'none';
    const key = `${value.id}|${at}`;
    let found = reaches.get(key);
    if (!found) {
      const { inputs } = value.node!;
      const each = axesAlong(value.node!, at).map((own, i) =>
        !reached.has(inputs[i]) ? 'none' : own === undefined ? 'from' : reach(inputs[i], own),
      );
      found = each.includes('from') ? 'from' : each.includes('at') ? 'at' : 'none';
      reaches.set(key, found);
    }
    return found;
  };

  // First pass: which values are computed from the changed position on, so that a read of their last position is a slice and not a second way.
  const fromOn = new Set<string>();
  const seen = new Set<string>();
  const demand = (value: Value, at: number, range: Range): void => {
    const key = `${value.id}|${at}|${range}`;
    if (seen.has(key) || sources.has(value) || reach(value, at) === 'none') return;
    seen.add(key);
    if (range === 'from') fromOn.add(`${value.id}|${at}`);
    const { node } = value;
    const axes = axesAlong(node!, at);
    causal.require(value, at, axes);
    axes.forEach((own, i) => {
      const input = node!.inputs[i];
      if (own !== undefined) demand(input, own, range);
      else if (reached.has(input)) demand(input, positionsAxis(input), 'from');
    });
  };
  demand(output, axis, 'last');
  for (const { value, axis, range } of others) demand(value, axis, range);

  const made = new Map<string, Value>();
  const part = (value: Value, at: number, wanted: Range): Value => {
    const own = reach(value, at);
    if (own === 'none') return clean(value, at, wanted);
    const range = atRead ? 'at' : wanted;
    const key = `${value.id}|${at}|${range}`;
    const known = made.get(key);
    if (known) return known;
    let result: Value;
    if (!atRead && own === 'at' && range === 'from') result = concat([part(value, at, 'at'), clean(value, at, 'after')], at);
    else if (!atRead && own === 'at' && range !== 'at') result = clean(value, at, range);
    else if (sources.has(value))
      result = range === 'last' ? gather(sources.get(value)!, vector('read', BRANCHES), at) : sources.get(value)!;
    else if (range === 'last' && fromOn.has(`${value.id}|${at}`)) result = gather(part(value, at, 'from'), vector('read', BRANCHES), at);
    else result = compute(value, at, range);
    made.set(key, result);
    return result;
  };
  /** What is read at other positions: of the clean run, and of every branch from the changed position on. Undefined for what has no positions. */
  const keysOf = (value: Value) => {
    const axis = reached.has(value) ? positionsAxis(value) : axisOf(value, POSITIONS);
    if (axis === undefined) return undefined;
    const clean = cache(value, axis, 'whole');
    return { axis, clean, own: reached.has(value) ? part(value, axis, 'from') : gather(clean, listOf('from'), axis) };
  };
  const compute = (value: Value, at: number, range: Range): Value => {
    const node = value.node!;
    const axes = axesAlong(node, at);
    const slot = node.outputs.indexOf(value);
    const apply = (inputs: readonly Value[]): Value => {
      const full = inputs.map((input, i) =>
        axes[i] === undefined || broadcasts(node.operation) ? input : stretched(input, axes[i], size(range)),
      );
      return reapply(node, full, at, size(range), resized)[slot];
    };
    const [left, right] = node.inputs;
    const keys = node.operation.name === 'matmul' && node.inputs.length === 2 && axes[1] === undefined ? keysOf(right) : undefined;
    if (keys) {
      // Clean keys stay where they are: to copy them beside those of the branches takes longer than to multiply twice.
      const query = part(left, axes[0]!, range);
      const summed = query.shape.indexOf(all);
      if (summed < 0) return concat([apply([query, keys.clean]), apply([query, keys.own])], value.rank - 1);
      return add(apply([slice(query, summed, 0, POSITIONS), keys.clean]), apply([slice(query, summed, POSITIONS, all), keys.own]));
    }
    const inputs = axes.map((own, i) => {
      const input = node.inputs[i];
      if (own !== undefined) return part(input, own, range);
      const keys = keysOf(input);
      if (keys) return concat([keys.clean, keys.own], keys.axis);
      // The same for all positions: ready-made, unless no prompt has a part in it (weights).
      return ofPrompt(input) ? cache(input, 0, 'whole') : input;
    });
    return apply(inputs);
  };

  const result = part(output, axis, 'last');
  const rest = others.map(({ value, axis, range }) => part(value, axis, range));
  return { output: result, others: rest, caches: [...caches.values()].map(({ input: _input, ...rest }) => rest), masks };
}

/** Whether inputs of size 1 stretch to others by themselves. */
const broadcasts = (operation: Operation): boolean => operation.along === alongBroadcast || operation.name === 'matmul';

const stretched = (value: Value, axis: number, dimension: Dimension): Value =>
  broadcastTo(
    value,
    value.shape.map((old, i) => (i === axis ? dimension : old)),
  );

/** Whether a value is computed from something that has positions. */
const ofPrompt = (value: Value): boolean =>
  reachableNodes([value]).some(({ inputs }) => inputs.some(({ shape }) => shape.includes(POSITIONS)));

const labelOf = (value: Value): string => value.node?.label ?? (value.source.kind === 'input' ? value.source.name : value.source.kind);

function requireSuffix({ output, axis, mask, atRead, spread, others = [] }: SuffixOptions, given: readonly GivenValue[]): void {
  const positionsAt = (place: string, value: Value, at: number) => {
    if (axisOf(value, POSITIONS) !== at)
      throw new UserError(`suffix: ${place}`, `must have ${String(POSITIONS)} along axis ${at} and no other`, String(value));
  };
  positionsAt('output', output, axis);
  others.forEach(({ value, axis: own }) => positionsAt('output', value, own));
  const nodes = reachableNodes([output, ...others.map(({ value }) => value)]);
  for (const { value, axis: own, changed } of given) {
    positionsAt('site', value, own);
    const shape = value.shape.map((dimension, i) => (i !== own ? dimension : spread && !atRead ? plus(BRANCHES, AFTER) : BRANCHES));
    if (!sameShape(changed.shape, shape) || changed.dtype !== value.dtype)
      throw new UserError('suffix: changed', `must be ${value.dtype} [${shape.map(String).join(', ')}]`, String(changed));
    requireReached('suffix: site', value, nodes);
  }
  if (mask.source.kind !== 'input' || !sameShape(mask.shape, [POSITIONS, POSITIONS]))
    throw new UserError('suffix: mask', `must be an input [${String(POSITIONS)}, ${String(POSITIONS)}]`, String(mask));
}

function positionsAxis(value: Value): number {
  const axis = axisOf(value, POSITIONS);
  if (axis === undefined)
    throw new CutRefusal(
      `cut positions: ${labelOf(value)}`,
      'must not be one for all positions where the change reaches it (an early exit by rows, a capacity of experts)',
      String(value),
    );
  return axis;
}
