/**
 * Programs: the part of a graph that a set of outputs needs, with some values cut out and given from outside.
 *
 * Cutting is how an intervention, a cache or a frozen part enters: a value named in `cuts` becomes an input, and whatever was needed
 * only to compute it falls away. Nothing is rewritten, so one graph carries any number of programs.
 */
import { UserError } from '../base/errors.ts';
import { evaluate, symbolsOf, type Bindings, type Dimension } from './dimension.ts';
import type { Data, Node, Value } from './value.ts';

/** A tensor of a run: row-major data and its sizes. */
export interface TensorData {
  readonly data: Data;
  readonly shape: readonly number[];
}

export interface Program {
  /** What must be fed, by name: inputs of the graph and cut values. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** What is computed, in an order in which every input comes before its use. */
  readonly nodes: readonly Node[];
}

/** Nodes needed for `values`, in topological order, not going past `cut`. */
export function reachableNodes(values: Iterable<Value>, cut: ReadonlySet<Value> = new Set()): Node[] {
  const found = new Set<Node>();
  const stack = [...values];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (cut.has(value) || !value.node || found.has(value.node)) continue;
    found.add(value.node);
    stack.push(...value.node.inputs);
  }
  return [...found].sort((a, b) => a.order - b.order);
}

/** Refuses a constant, or a value that a rewrite has read past on the way to `nodes`: what is done to it would not reach all that was built on it. */
export function requireReached(place: string, value: Value, nodes: readonly Node[]): void {
  const among = new Set(nodes);
  const passed = [...(value.graph.passed.get(value) ?? [])].some((built) => !built.node || among.has(built.node));
  if (passed || value.uniform !== undefined)
    throw new UserError(
      place,
      'must not be a constant, nor what a rewrite has read past: mark it with site()',
      value.node?.label ?? String(value),
    );
}

/** The least that computes `outputs` from the graph's inputs and the values in `cuts`. */
export function program(outputs: Readonly<Record<string, Value>>, cuts: Readonly<Record<string, Value>> = {}): Program {
  const nodes = reachableNodes(Object.values(outputs));
  for (const [name, value] of Object.entries(cuts)) requireReached(`program: cut ${name}`, value, nodes);
  return cutProgram(outputs, cuts);
}

function cutProgram(outputs: Readonly<Record<string, Value>>, cuts: Readonly<Record<string, Value>>): Program {
  const cut = new Map<Value, string>();
  for (const [name, value] of Object.entries(cuts)) {
    if (cut.has(value)) throw new UserError(`program: cut ${name}`, 'must be another value than the other cuts', cut.get(value));
    cut.set(value, name);
  }
  const nodes = reachableNodes(Object.values(outputs), new Set(cut.keys()));
  const inputs = new Map<string, Value>();
  const use = (value: Value) => {
    const name = cut.get(value) ?? (value.source.kind === 'input' ? value.source.name : undefined);
    if (name === undefined) return;
    const other = inputs.get(name);
    if (other && other !== value) throw new UserError('program: input', 'must have a name of its own', name);
    inputs.set(name, value);
  };
  for (const node of nodes) node.inputs.forEach(use);
  Object.values(outputs).forEach(use);
  for (const name of Object.keys(outputs))
    if (inputs.has(name)) throw new UserError('program: output', 'must have another name than the inputs', name);
  for (const name of [...inputs.keys(), ...Object.keys(outputs)])
    if (name === '' || name.startsWith('%'))
      throw new UserError('program: name', 'must not be empty nor begin with % (names of the ONNX writer)', name);

  const bound = new Set([...inputs.values()].flatMap((input) => input.shape.flatMap((dimension) => bareSymbol(dimension) ?? [])));
  const requireBound = (name: string, dimensions: readonly Dimension[]) => {
    for (const symbol of dimensions.flatMap(symbolsOf))
      if (!bound.has(symbol))
        throw new UserError(`program: dimension of ${name}`, 'must appear on its own in the shape of some input', symbol);
  };
  for (const node of nodes) {
    for (const { shape } of [...node.inputs.filter((input) => input.uniform !== undefined), ...node.outputs])
      requireBound(node.label, shape);
    for (const attribute of Object.values(node.attributes))
      if (Array.isArray(attribute)) requireBound(node.label, attribute.filter((entry) => typeof entry !== 'string') as Dimension[]);
  }
  for (const [name, value] of Object.entries(outputs)) requireBound(name, value.shape);
  return { inputs, outputs: new Map(Object.entries(outputs)), nodes };
}

/** Everything computed from `sources`, themselves included. */
export function dependents(outputs: Iterable<Value>, sources: Iterable<Value>): Set<Value> {
  const found = new Set<Value>(sources);
  for (const node of reachableNodes(outputs))
    if (node.inputs.some((input) => found.has(input))) for (const output of node.outputs) found.add(output);
  return found;
}

export interface Slice {
  /** Computes the outputs from the changed values and the frontier. */
  readonly after: Program;
  /** Values that do not depend on what changed but are read by what does, by the name under which `after` takes them. */
  readonly frontier: ReadonlyMap<string, Value>;
}

/**
 * Cuts the graph in two at what a change can reach: `changed` values are given from outside, whatever depends on them is computed,
 * and whatever else that needs is taken ready-made, to be computed once for any number of changes.
 * @param keep says which values to leave to `after` although nothing changed them (weights' transposes, say); inputs always are
 */
export function sliceAfter(
  outputs: Readonly<Record<string, Value>>,
  changed: Readonly<Record<string, Value>>,
  keep: (value: Value) => boolean = () => false,
): Slice {
  const nodes = reachableNodes(Object.values(outputs));
  for (const [name, value] of Object.entries(changed)) requireReached(`sliceAfter: changed ${name}`, value, nodes);
  const after = dependents(Object.values(outputs), Object.values(changed));
  const frontier = new Map<string, Value>();
  const cuts: Record<string, Value> = { ...changed };
  const cutValues = new Set(Object.values(changed));
  const visit = (value: Value) => {
    if (cutValues.has(value) || value.source.kind !== 'node' || after.has(value)) return;
    if (keep(value)) return value.source.node.inputs.forEach(visit);
    const name = `cache.${value.source.node.label}.${value.source.slot}`;
    cuts[name] = value;
    cutValues.add(value);
    frontier.set(name, value);
  };
  for (const node of reachableNodes(Object.values(outputs), new Set(Object.values(changed))))
    if (node.inputs.some((input) => after.has(input))) node.inputs.forEach(visit);
  Object.values(outputs).forEach(visit);
  return { after: cutProgram(outputs, cuts), frontier };
}

/** What each symbol is in a run, from the sizes of what is fed; every contradiction is an error that names the input and the sizes. */
export function bindSymbols(
  inputs: ReadonlyMap<string, Value>,
  feeds: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): Bindings {
  const bindings = new Map<string, number>();
  for (const [name, value] of inputs) {
    const feed = feeds[name];
    if (!feed) throw new UserError(`run: input ${name}`, `must be fed with ${String(value)}`, undefined);
    if (feed.shape.length !== value.rank) throw new UserError(`run: input ${name}`, `must have the shape of ${String(value)}`, feed.shape);
    value.shape.forEach((dimension, axis) => {
      const size = feed.shape[axis];
      const symbol = bareSymbol(dimension);
      const expected = typeof dimension === 'number' ? dimension : symbol === undefined ? undefined : bindings.get(symbol);
      if (expected !== undefined && expected !== size)
        throw new UserError(`run: input ${name}`, `must have ${expected} along axis ${axis} of ${String(value)}`, feed.shape);
      if (symbol !== undefined) bindings.set(symbol, size);
    });
  }
  for (const [name, value] of inputs)
    value.shape.forEach((dimension, axis) => {
      const known = symbolsOf(dimension).every((symbol) => bindings.has(symbol));
      const expected = known ? evaluate(dimension, bindings) : undefined;
      if (expected !== undefined && expected !== feeds[name].shape[axis])
        throw new UserError(`run: input ${name}`, `must have ${expected} along axis ${axis} of ${String(value)}`, feeds[name].shape);
    });
  return bindings;
}

/** The name of a dimension that is one symbol and nothing else. */
export function bareSymbol(dimension: Value['shape'][number]): string | undefined {
  if (typeof dimension === 'number' || dimension.terms.length !== 1) return undefined;
  const [{ coefficient, symbols }] = dimension.terms as [(typeof dimension.terms)[number]];
  return coefficient === 1 && symbols.length === 1 ? symbols[0] : undefined;
}
