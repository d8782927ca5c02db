/**
 * What a change at one position of one site does to the output, computed where it can reach and nowhere else.
 *
 * In a causal model a change at position p of a site leaves positions before p alone, and, until attention spreads it, those after p too.
 * Whatever the change cannot reach is taken from the clean run. Several changes at the same place (one for each head, say) share one run as
 * *branches*: they stand one after another on the positions axis, and each attends to the clean keys of earlier positions, which are the same for all,
 * and to its own. Where the changed position is the one that is read, changes at different places of the model share a run too: a branch joins those of
 * places before it where its own change is made (*entries*). Nothing of this is known to the model: it follows from the graph, or is refused
 * (causal.ts). One thing is for the caller to promise: that the mask, as it is fed to the clean run, hides every key from earlier queries. And one is
 * presumed: that the clean run is finite, since clean keys that a branch does not see are multiplied by 0 (else the result is NaN, never wrong).
 */
import { minus, plus, sameShape, symbol, times, type Dimension, type Symbolic } from '../graph/dimension.ts';
import { alongBroadcast, type Operation } from '../graph/operation.ts';
import { dependents, reachableNodes, requireReached } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { UserError } from '../base/errors.ts';
import { add, broadcastTo, concat, gather, mergeAxes, slice } from '../ops/index.ts';
import { CausalReads } from './causal.ts';
import { byBranch, severalKeys, singleKeys } from './ownKeys.ts';
import { axesAlong, axisOf, CutRefusal, reapply } from './restrict.ts';
import { inputNamed, reaches as leadsTo } from './sweep.ts';

/** Positions of a whole prompt, up to the one that is read. */
export const POSITIONS = symbol('positions');
/** Branches of the first entry. */
export const BRANCHES = symbol('branches');
/** Positions of a branch: the changed one and all after it. */
const OWN = symbol('own');

/** Branches of an entry. */
export const branchesOf = (entry: number): Symbolic => (entry === 0 ? BRANCHES : symbol(`branches_${entry}`));
/** The size of what is given over the range `from`. */
export const FROM = times(BRANCHES, OWN) as Symbolic;

/**
 * What is computed of every branch, branch after branch. `at`: the changed position; `after`: the later ones; `from`: both; `last`: the position that
 * is read.
 */
export type Range = 'at' | 'after' | 'from' | 'last';

/**
 * Lists of positions, which a suffix takes as inputs `range.<name>`: those of the ranges; the changed `position` once; those of one branch (`own`); and
 * where among `from` each branch's last one stands (`read`).
 */
export type List = Range | 'position' | 'own' | 'read';

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
  /** The output at the position that is read, for each branch, entry after entry along `axis`; or once, where it is the same for all. */
  readonly output: Value;
  /** The other outputs, in their order: likewise, or for every position of their range. */
  readonly others: readonly Value[];
  readonly caches: readonly Cache[];
  /** Names of inputs that replace the mask, with the range of their queries: [queries, keys of the prompt and then of a branch]; one query if `atRead`. */
  readonly masks: ReadonlyMap<string, Range>;
  /** Inputs that a program must give out besides, for a run has to be told sizes of which only sums and products stand elsewhere. */
  readonly sizes: Readonly<Record<string, Value>>;
}

/** Another value to hand out: at the position that is read, or from the changed one on. */
export interface OtherOutput {
  readonly value: Value;
  readonly axis: number;
  readonly range: 'last' | 'from';
}

/** A value that differs from branch to branch: its positions axis, and what stands there instead, with the size of its branches on that axis. */
export interface GivenValue {
  readonly value: Value;
  readonly axis: number;
  readonly changed: Value;
}

export interface SuffixOptions {
  /** Output whose last position is read, and its positions axis. */
  readonly output: Value;
  readonly axis: number;
  /**
   * What is given for the branches of each entry: sites that are changed, what is added to others. More than one entry if `atRead` only; each must be
   * computed from the one before.
   */
  readonly entries: readonly (readonly GivenValue[])[];
  /** The input that hides keys from queries, [positions, positions]. It must be causal: see above. */
  readonly mask: Value;
  /** Whether the changed position is the one that is read: then nothing comes after it. */
  readonly atRead: boolean;
  /**
   * Whether the change goes on from that position to the last: what is given then has {@link FROM} on its axis.
   */
  readonly spread?: boolean;
  readonly others?: readonly OtherOutput[];
  /** Names new inputs. */
  readonly prefix: string;
}

export function suffix(options: SuffixOptions): Suffix {
  const { output, axis, entries, mask, atRead, spread = false, others = [], prefix } = options;
  const { graph } = output;
  requireSuffix(options);
  const causal = new CausalReads(mask, POSITIONS);
  const sources = new Map(entries.flatMap((given, entry) => given.map(({ value, changed }) => [value, { changed, entry }])));
  const ends = [output, ...others.map(({ value }) => value)];
  const reachedBy = entries.map((given) =>
    dependents(
      ends,
      given.map(({ value }) => value),
    ),
  );
  const [reached] = reachedBy;
  /** How many entries reach a value: always the first ones, since each reaches the next. */
  const countOf = (value: Value): number => reachedBy.filter((one) => one.has(value)).length;
  const caches = new Map<string, Cache & { input: Value }>();
  const masks = new Map<string, Range>();
  const each: Readonly<Record<Range, Dimension>> = { at: 1, after: minus(OWN, 1), from: OWN, last: 1 };
  /** Branches of so many entries. */
  const together = (count: number): Dimension => entries.slice(0, count).reduce<Dimension>((sum, _given, i) => plus(sum, branchesOf(i)), 0);
  /** Positions of a range in all branches of so many entries; what is the same for all of them stands there once, if there is one position. */
  const size = (range: Range, count: number): Dimension => {
    if (atRead) return count === 0 ? 1 : together(count);
    return times(BRANCHES, each[range]);
  };
  const list = (name: List): Value =>
    inputNamed(
      graph,
      `range.${name}`,
      [name === 'position' ? 1 : name === 'own' ? OWN : name === 'read' ? BRANCHES : times(BRANCHES, each[name])],
      'int32',
    );
  /** Keys that attention reads: those of the clean run, of which the mask hides all from the changed position on, and those of the branch. */
  const all = plus(POSITIONS, atRead ? 1 : OWN);
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
      return inputNamed(graph, name, [size(range, 0), all]);
    }
    // Scores of queries and keys that the change does not reach: their keys are those of the branches all the same.
    if (causal.carries(value, at)) {
      if (value.node) causal.require(value, at, axesAlong(value.node, at));
      else throw new CutRefusal('cut positions: input', 'must not have both queries and keys unless it is the mask', labelOf(value));
      return compute(value, at, range);
    }
    if (atRead) return cache(value, at, 'at');
    return gather(cache(value, at, 'whole'), list(range === 'at' ? 'position' : range), at);
  };

  const reaches = new Map<string, 'none' | 'at' | 'from'>();
  const reach = (value: Value, at: number): 'none' | 'at' | 'from' => {
    if (sources.has(value)) return spread && !atRead ? 'from' : 'at';
    if (!reached.has(value)) return 'none';
    const key = `${value.id}|${at}`;
    let found = reaches.get(key);
    if (!found) {
      const { inputs } = value.node!;
      const ofInputs = axesAlong(value.node!, at).map((own, i) =>
        !reached.has(inputs[i]) ? 'none' : own === undefined ? 'from' : reach(inputs[i], own),
      );
      found = ofInputs.includes('from') ? 'from' : ofInputs.includes('at') ? 'at' : 'none';
      reaches.set(key, found);
    }
    return found;
  };

  // First pass: which values are computed from the changed position on, so that a read of their last position is a slice and not a second way.
  const fromOn = new Set<string>();
  const seen = new Set<string>();
  const demand = (value: Value, at: number, range: Range): void => {
    const key = `${value.id}|${at}|${range}`;
    if (seen.has(key) || sources.get(value)?.entry === 0 || reach(value, at) === 'none') return;
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
    const source = sources.get(value);
    let result: Value;
    if (!atRead && own === 'at' && range === 'from') {
      const pieces = (['at', 'after'] as const).map((piece) => {
        const made = piece === 'at' ? part(value, at, piece) : clean(value, at, piece);
        return byBranch({ value: made, axis: at }, BRANCHES, each[piece]).value;
      });
      result = mergeAxes(concat(pieces, at + 1), at, at + 2);
    } else if (!atRead && own === 'at' && range !== 'at') result = clean(value, at, range);
    else if (source) {
      const { changed, entry } = source;
      if (entry > 0) result = concat([compute(value, at, range), changed], at);
      else result = range === 'last' ? gather(changed, list('read'), at) : changed;
    } else if (range === 'last' && fromOn.has(`${value.id}|${at}`)) result = gather(part(value, at, 'from'), list('read'), at);
    else result = compute(value, at, range);
    made.set(key, result);
    return result;
  };
  /** Part of a value for the branches of more entries than reach it: for the others it is as in the clean run. */
  const extended = (value: Value, own: Value, at: number, count: number): Value => {
    const before = countOf(value);
    if (!atRead || before === 0 || before === count) return own;
    if (causal.carries(value, at))
      throw new CutRefusal(`cut positions: ${labelOf(value)}`, 'must be reached by all entries that share a run', String(value));
    return concat([own, stretched(cache(value, at, 'at'), at, minus(together(count), together(before)))], at);
  };
  /** What is read at other positions: of the clean run, and of every branch from the changed position on. Undefined for what has no positions. */
  const keysOf = (value: Value) => {
    const axis = reached.has(value) ? positionsAxis(value) : axisOf(value, POSITIONS);
    if (axis === undefined) return undefined;
    const clean = cache(value, axis, 'whole');
    return { axis, clean, own: reached.has(value) ? part(value, axis, 'from') : gather(clean, list(atRead ? 'position' : 'own'), axis) };
  };
  /** A value, from its inputs: for the branches of all entries that reach one of them. */
  const compute = (value: Value, at: number, range: Range): Value => {
    const node = value.node!;
    const axes = axesAlong(node, at);
    const slot = node.outputs.indexOf(value);
    const count = Math.max(...node.inputs.map(countOf));
    const partOf = (i: number): Value => extended(node.inputs[i], part(node.inputs[i], axes[i]!, range), axes[i]!, count);
    const apply = (inputs: readonly Value[]): Value => {
      const full = inputs.map((input, i) =>
        axes[i] === undefined || broadcasts(node.operation) ? input : stretched(input, axes[i], size(range, count)),
      );
      return reapply(node, full, at, size(range, count), resized)[slot];
    };
    const right = node.inputs[1] as Value | undefined;
    const keys = node.operation.name === 'matmul' && node.inputs.length === 2 && axes[1] === undefined ? keysOf(right!) : undefined;
    if (keys) {
      // Clean keys stay where they are, and every branch has its own: to put them together for each takes longer than to multiply twice.
      const own = extended(right!, keys.own, keys.axis, count);
      const withOwn = (query: Value, summed: boolean): Value => {
        if (!reached.has(right!)) return apply([query, own]);
        const factors = [
          { value: query, axis: axes[0]! },
          { value: own, axis: keys.axis },
        ] as const;
        if (atRead) return singleKeys(node, ...factors, summed);
        return severalKeys(node, ...factors, BRANCHES, { queries: each[range], keys: OWN }, { axis: at, size: size(range, count) });
      };
      const query = partOf(0);
      const summed = query.shape.indexOf(all);
      if (summed < 0) {
        const past = apply([query, keys.clean]);
        return concat([reached.has(right!) ? stretched(past, at, size(range, count)) : past, withOwn(query, true)], value.rank - 1);
      }
      return add(apply([slice(query, summed, 0, POSITIONS), keys.clean]), withOwn(slice(query, summed, POSITIONS, all), false));
    }
    const inputs = axes.map((own, i) => {
      const input = node.inputs[i];
      if (own !== undefined) return partOf(i);
      const keys = keysOf(input);
      // Causal reads leave no such node today; if they did, keys of all branches would stand where those of one should.
      if (keys && reached.has(input))
        throw new CutRefusal(`cut positions: ${node.label}`, 'must read changed positions by a product only', String(input));
      if (keys) return concat([keys.clean, keys.own], keys.axis);
      // The same for all positions: ready-made, unless no prompt has a part in it (weights).
      return ofPrompt(input) ? cache(input, 0, 'whole') : input;
    });
    return apply(inputs);
  };

  const result = (value: Value, axis: number, range: Range) => extended(value, part(value, axis, range), axis, entries.length);
  /** Entries that nothing here depends on: how many branches they have is known by what is given for them. */
  const unread = Object.fromEntries(
    entries.flatMap(([{ changed }], entry) =>
      ends.some((end) => reachedBy[entry].has(end)) ? [] : [[`given ${entry}`, changed] as const],
    ),
  );
  const read = result(output, axis, 'last');
  const rest = others.map(({ value, axis, range }) => result(value, axis, range));
  return {
    output: read,
    others: rest,
    caches: [...caches.values()].map(({ input: _input, ...rest }) => rest),
    masks,
    sizes: atRead ? unread : { 'places at': list('at'), 'places own': list('own') },
  };
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

function requireSuffix({ output, axis, mask, entries, atRead, spread, others = [] }: SuffixOptions): void {
  const positionsAt = (place: string, value: Value, at: number) => {
    if (axisOf(value, POSITIONS) !== at)
      throw new UserError(`suffix: ${place}`, `must have ${String(POSITIONS)} along axis ${at} and no other`, String(value));
  };
  positionsAt('output', output, axis);
  others.forEach(({ value, axis: own }) => positionsAt('output', value, own));
  if (entries.length > 1 && !(atRead && entries.every(({ length }) => length === 1)))
    throw new UserError('suffix: entries', 'must be one, or of one value each if the changed position is read', entries.length);
  const nodes = reachableNodes([output, ...others.map(({ value }) => value)]);
  entries.forEach((given, entry) => {
    for (const { value, axis: own, changed } of given) {
      positionsAt('site', value, own);
      const shape = value.shape.map((dimension, i) => (i !== own ? dimension : spread && !atRead ? FROM : branchesOf(entry)));
      if (!sameShape(changed.shape, shape) || changed.dtype !== value.dtype)
        throw new UserError('suffix: changed', `must be ${value.dtype} [${shape.map(String).join(', ')}]`, String(changed));
      requireReached('suffix: site', value, nodes);
      const before = entry > 0 && entries[entry - 1][0].value;
      if (before && !leadsTo(before, value))
        throw new CutRefusal('suffix: entries', 'must each be computed from the one before', `${labelOf(before)} and ${labelOf(value)}`);
    }
  });
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
