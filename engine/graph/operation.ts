/**
 * What an operation is: its shape rule, its gradient, how ONNX says it and how TensorFlow.js computes it, side by side.
 *
 * The executors and the passes know operations only through this interface; each lives in one file of `ops/`.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Dimension, Shape } from './dimension.ts';
import type { Attributes, DType, Node, TensorType, Value } from './value.ts';
import { UserError } from '../base/errors.ts';

export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** Thrown while a graph is built: names the operation, the rule and the shapes. */
export class ShapeError extends UserError {
  constructor(operation: string, rule: string, inputs: readonly TensorType[] | string) {
    const shapes = typeof inputs === 'string' ? inputs : inputs.map(String).join(' and ');
    super(`${operation}: inputs`, rule, shapes);
    this.message = `${operation}: ${rule}, got ${shapes}`;
  }
}

/** How a node is written into an ONNX graph; see onnx.ts for the one implementation. */
export interface OnnxContext {
  /** Names of the inputs of the node that is being written. */
  readonly inputs: readonly string[];
  /** `portable` avoids operations outside the ONNX standard; `fast` may use those of ONNX Runtime's CPU provider. */
  readonly target: 'fast' | 'portable';
  /** Writes one ONNX node and returns the names of its outputs; without `outputs` it makes `count` fresh names. */
  readonly emit: (
    type: string,
    inputs: readonly string[],
    attributes?: OnnxAttributes,
    options?: { domain?: string; count?: number },
  ) => string[];
  /** Says that output `slot` of the node is the ONNX value `name`. */
  readonly result: (slot: number, name: string) => void;
  /** A float32 scalar constant. */
  readonly scalar: (value: number, dtype?: DType) => string;
  /** A constant int64 vector, for axes and sizes. */
  readonly ints: (values: readonly number[]) => string;
  /** An int64 vector of dimensions, read from the run's inputs where they are symbolic. */
  readonly dimensions: (shape: readonly Dimension[]) => string;
  /** A target for Reshape: constant where copied axes and one inferred axis are enough, else read from the inputs. */
  readonly reshapeTarget: (shape: Shape, from: Shape) => string;
}

export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

export interface TensorFlowContext {
  readonly tf: TensorFlow;
  /** The run's sizes of a symbolic shape. */
  readonly sizes: (shape: Shape) => number[];
}

/** What a gradient rule sees. */
export interface GradientContext {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  readonly node: Node;
  /** Whether somebody wants the cotangent of input `i`: do not build what is not wanted. */
  readonly wanted: (i: number) => boolean;
}

/** The rule for {@link Operation.along} of operations that broadcast: trailing axes align, and an axis of size 1 is needed whole. */
export function alongBroadcast(node: Node, axis: number): (number | undefined)[] {
  const { rank, shape } = node.outputs[0];
  return node.inputs.map((input) => {
    const own = axis - (rank - input.rank);
    return own >= 0 && input.shape[own] === shape[axis] ? own : undefined;
  });
}

export interface Operation {
  readonly name: string;
  /** The types of the outputs, or a {@link ShapeError}. */
  infer(inputs: readonly Value[], attributes: Attributes): readonly TensorType[];
  /** An equal value that is cheaper, or undefined. Rewrites are exact to the bit or exact in real numbers by at most one rounding. */
  simplify?(inputs: readonly Value[], attributes: Attributes, types: readonly TensorType[]): Value | undefined;
  /**
   * Cotangents of the inputs from those of the outputs, built with operations, so that they can be differentiated again.
   * `undefined` where nothing flows. Operations without a rule have no gradient by nature (comparisons, arg max).
   */
  readonly gradient?: (context: GradientContext, cotangents: readonly (Value | undefined)[]) => readonly (Value | undefined)[];
  /**
   * For axis `axis` of the outputs: the axis of each input that runs with it, so that part of the output needs only that part of the input;
   * undefined for an input that is needed whole. Without a rule, or for null, the axis cannot be restricted.
   */
  along?(node: Node, axis: number): readonly (number | undefined)[] | null;
  /** Attributes for the same operation when the outputs' `axis` gets another size; only operations that store sizes need it. */
  resized?(attributes: Attributes, axis: number, dimension: Dimension): Attributes;
  onnx(context: OnnxContext, node: Node): void;
  tensorflow(context: TensorFlowContext, inputs: readonly Tensor[], node: Node): Tensor | Tensor[];
}
