/**
 * Values and the nodes that make them: the data a graph consists of. Building is left to graph.ts, meaning to the operations.
 */
import type { Dimension, Shape } from './dimension.ts';
import { shapeText } from './dimension.ts';
import type { Graph } from './graph.ts';
import type { Operation } from './operation.ts';

export type DType = 'float32' | 'int32' | 'bool';
/** Row-major data of a tensor; bool is one byte an element, 0 or 1. */
export type Data = Float32Array | Int32Array | Uint8Array;

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

export type Attribute = number | string | boolean | readonly Dimension[] | readonly string[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** Where a value comes from. `uniform` is a constant of one number in any shape: it takes no memory until somebody needs the array. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: Data }
  | { readonly kind: 'uniform'; readonly number: number }
  | { readonly kind: 'node'; readonly node: Node; readonly slot: number };

/** One tensor in a graph: immutable, addressable, typed. */
export class Value implements TensorType {
  readonly graph: Graph;
  /** Order of creation: a value's inputs have smaller ids. */
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly source: Source;

  constructor(graph: Graph, id: number, type: TensorType, source: Source) {
    this.graph = graph;
    this.id = id;
    this.shape = type.shape;
    this.dtype = type.dtype;
    this.source = source;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The node that makes this value, if a node does. */
  get node(): Node | undefined {
    return this.source.kind === 'node' ? this.source.node : undefined;
  }

  /** The number a uniform constant holds. */
  get uniform(): number | undefined {
    return this.source.kind === 'uniform' ? this.source.number : undefined;
  }

  toString(): string {
    return `${this.dtype}${shapeText(this.shape)}`;
  }
}

/** One application of an operation. */
export class Node {
  readonly operation: Operation;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  outputs: readonly Value[] = [];
  /** Where in the model this was built, e.g. `blocks.1.attn`; named in run-time errors and in exported files. */
  readonly site: string;

  constructor(operation: Operation, inputs: readonly Value[], attributes: Attributes, site: string) {
    this.operation = operation;
    this.inputs = inputs;
    this.attributes = attributes;
    this.site = site;
  }

  /** Smallest id among the outputs: nodes sorted by it are in topological order. */
  get order(): number {
    return this.outputs[0].id;
  }

  /** `blocks.1.attn/matmul.57`: the name this node has in every executor. */
  get label(): string {
    return `${this.site === '' ? 'graph' : this.site}/${this.operation.name}.${this.order}`;
  }
}
