/**
 * The builder: makes values, shares equal ones, and knows where in a model they were made.
 *
 * Common subexpressions are shared and exact rewrites (folding of constants, broadcasts kept lazy) are made while building, so what a
 * node says is already what is to be run; dead code falls away in program.ts, which looks only at what an output needs.
 */
import { UserError } from '../base/errors.ts';
import { elements, isStatic, shapeText, type Shape } from './dimension.ts';
import type { Operation } from './operation.ts';
import { Node, Value, type Attributes, type Data, type DType, type TensorType } from './value.ts';

export interface GraphOptions {
  /** Share equal nodes (default true). Off only to test that sharing changes nothing. */
  share?: boolean;
  /** Rewrite while building (default true). Off only to test that rewriting changes nothing. */
  simplify?: boolean;
}

/** Constants up to this many elements are shared by content. */
const SHARED_CONSTANT = 64;

export class Graph {
  readonly inputs = new Map<string, Value>();
  /** Named places where an intervention may read or write: `blocks.1.attn.hook_z` → the value there. */
  readonly sites = new Map<string, Value>();
  /** Values that rewrites have read past, with what was built so: a cut or a derivative there would miss a way by which they count. */
  readonly passed = new Map<Value, Set<Value>>();
  /** Values read past by the rewrites that are under way. */
  #passing: Value[] = [];
  readonly #share: boolean;
  readonly #simplify: boolean;
  readonly #nodes = new Map<string, Node>();
  readonly #constants = new Map<string, Value>();
  /** Numbers the operations met, for keys: two operations may bear one name (own gradients do). */
  readonly #operations = new Map<Operation, number>();
  #scope: string[] = [];
  #values = 0;

  constructor(options: GraphOptions = {}) {
    this.#share = options.share ?? true;
    this.#simplify = options.simplify ?? true;
  }

  /** Declares an input; feeds are named by it. */
  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    if (this.inputs.has(name)) throw new UserError('graph.input: name', 'must be new in this graph', name);
    for (const dimension of shape)
      if (typeof dimension === 'number' && !(Number.isInteger(dimension) && dimension >= 0))
        throw new UserError(`graph.input: shape of ${name}`, 'must hold whole numbers ≥ 0 or symbols', shapeText(shape));
    const value = this.#value({ shape, dtype }, { kind: 'input', name });
    this.inputs.set(name, value);
    return value;
  }

  /** A constant tensor; an array of one repeated number becomes uniform. Use it for small tables: weights are inputs. */
  constant(data: Data, shape: readonly number[]): Value {
    const dtype = dtypeOf(data);
    if (data.length !== elements(shape))
      throw new UserError('graph.constant: data', `must have the ${String(elements(shape))} elements of ${shapeText(shape)}`, data.length);
    if (data.length > 0 && data.every((entry) => Object.is(entry, data[0]))) return this.uniform(data[0], shape, dtype);
    const key = data.length <= SHARED_CONSTANT ? `${dtype}|${shape.join()}|${Array.from(data, exact).join()}` : undefined;
    return this.#shared(key, () => this.#value({ shape, dtype }, { kind: 'constant', data: data.slice() }));
  }

  /** A constant that holds one number everywhere. */
  uniform(number: number, shape: Shape = [], dtype: DType = 'float32'): Value {
    const rounded = dtype === 'float32' ? Math.fround(number) : dtype === 'bool' ? Number(number !== 0) : Math.trunc(number);
    const key = `${dtype}|${shapeText(shape)}|${exact(rounded)}|uniform`;
    return this.#shared(key, () => this.#value({ shape, dtype }, { kind: 'uniform', number: rounded }));
  }

  /** The outputs of `operation` on `inputs`: checked, simplified, shared. Called by the functions in `ops/`, not by models. */
  apply(operation: Operation, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    for (const input of inputs)
      if (input.graph !== this) throw new UserError(`${operation.name}: inputs`, 'must belong to one graph', 'values of two graphs');
    const types = operation.infer(inputs, attributes);
    if (this.#simplify) {
      const before = this.#passing;
      this.#passing = [];
      const simpler = operation.simplify?.(inputs, attributes, types);
      if (simpler) for (const value of this.#passing) this.passed.set(value, (this.passed.get(value) ?? new Set()).add(simpler));
      this.#passing = before;
      if (simpler) return [simpler];
    }
    let number = this.#operations.get(operation);
    if (number === undefined) this.#operations.set(operation, (number = this.#operations.size));
    const key = `${number}|${inputs.map((input) => input.id).join()}|${attributesKey(attributes)}`;
    const known = this.#share ? this.#nodes.get(key) : undefined;
    if (known) return known.outputs;
    const node = new Node(operation, inputs, attributes, this.#scope.join('.'));
    node.outputs = types.map((type, slot) => this.#value(type, { kind: 'node', node, slot }));
    this.#nodes.set(key, node);
    return node.outputs;
  }

  /** Notes that the rewrite under way reads past `value`, and gives it back. */
  readPast(value: Value): Value {
    this.#passing.push(value);
    return value;
  }

  /** Builds inside a named part of the model: everything made in `build` carries `name` in its site. */
  within<T>(name: string, build: () => T): T {
    const before = this.#scope;
    this.#scope = [...before, name];
    try {
      return build();
    } finally {
      this.#scope = before;
    }
  }

  /** Builds as if at `site`, whatever the current one is: the backward of a node belongs where the node does. */
  at<T>(site: string, build: () => T): T {
    const before = this.#scope;
    this.#scope = site === '' ? [] : [site];
    try {
      return build();
    } finally {
      this.#scope = before;
    }
  }

  /** The full name of `name` in the current scope: `blocks.1.attn` and `hook_z` give `blocks.1.attn.hook_z`. */
  scoped(name: string): string {
    return [...this.#scope, name].join('.');
  }

  #value(type: TensorType, source: Value['source']): Value {
    return new Value(this, this.#values++, type, source);
  }

  #shared(key: string | undefined, make: () => Value): Value {
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known) return known;
    const made = make();
    if (key !== undefined) this.#constants.set(key, made);
    return made;
  }
}

/** A number as text that tells −0 from 0. */
const exact = (number: number): string => (Object.is(number, -0) ? '-0' : String(number));

/** Attributes as text, equal only where they are: JSON alone makes one of NaN, Infinity and null. */
export function attributesKey(attributes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(attributes, (_name, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || value === 0) ? `number ${exact(value)}` : value,
  );
}

export function dtypeOf(data: Data): DType {
  return data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool';
}

/** A constant's data with its elements written out; undefined for anything else or a symbolic shape. */
export function constantData(value: Value): Data | undefined {
  const { source } = value;
  if (source.kind === 'constant') return source.data;
  if (source.kind !== 'uniform' || !isStatic(value.shape)) return undefined;
  const length = elements(value.shape) as number;
  const data =
    value.dtype === 'float32' ? new Float32Array(length) : value.dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length);
  return data.fill(source.number);
}
