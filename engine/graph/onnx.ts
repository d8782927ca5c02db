/**
 * Writes a program as an ONNX model (opset 20, IR 10).
 *
 * Weights are inputs, not initialisers, so files stay small and the 2 GB limit of the format is never met; in a file that is to stand alone
 * they can be written into it. Sites name the values they mark, and every node carries the label of the node it came from, so a message of a
 * runtime leads back to the model.
 */
import { UserError } from '../base/errors.ts';
import type { Dimension, Shape } from './dimension.ts';
import { elements, isStatic } from './dimension.ts';
import type { OnnxAttributes, OnnxContext } from './operation.ts';
import { attributesKey } from './graph.ts';
import { bareSymbol, type Program, type TensorData } from './program.ts';
import { Message } from './protobuf.ts';
import type { Data, DType, Node, Value } from './value.ts';

const ELEMENT: Record<DType | 'int64', number> = { float32: 1, int32: 6, int64: 7, bool: 9 };
const OPSET = 20;
const IR_VERSION = 10;
/** Uniform constants up to this size are written out; larger ones are expanded in the run. */
const WRITTEN_OUT = 64;
/** Names of the writer's own begin with %, which program.ts keeps free: `%7` from a node, `%constant.7` an initialiser. */
const CONSTANT = '%constant.';

interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: string[];
  readonly attributes: OnnxAttributes;
  readonly label: string;
}

export interface OnnxOptions {
  /** `fast` (default) may use operations of ONNX Runtime's CPU provider; `portable` keeps to the standard. */
  target?: 'fast' | 'portable';
  /** Inputs of the program that are written into the file as initialisers, and no longer fed. */
  initializers?: Readonly<Record<string, TensorData>>;
  /** What there is to know of the model, by name (`metadata_props`). */
  metadata?: Readonly<Record<string, string>>;
}

/** The model as bytes of an `.onnx` file. @throws UserError for initialisers that are no inputs of the program, or not of their shape */
export function writeOnnx(program: Program, { target = 'fast', initializers = {}, metadata = {} }: OnnxOptions = {}): Uint8Array {
  for (const [name, { data, shape }] of Object.entries(initializers)) {
    const input = program.inputs.get(name);
    if (!input) throw new UserError('onnx: initializers', `must be of ${[...program.inputs.keys()].join(', ')}`, name);
    const fits = shape.join() === input.shape.join() && data.length === elements(input.shape);
    if (!fits)
      throw new UserError(
        `onnx: initializer ${name}`,
        `must fill the shape [${input.shape.join(', ')}]`,
        `${data.length} in [${shape.join(', ')}]`,
      );
  }
  return new Writer(program, target).model(initializers, metadata);
}

class Writer {
  readonly #program: Program;
  readonly #target: 'fast' | 'portable';
  readonly #names = new Map<Value, string>();
  readonly #inputs = new Set<string>();
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, { name: string; message: Message }>();
  readonly #shared = new Map<string, string[]>();
  readonly #renamed = new Map<string, string>();
  #label = '';
  #fresh = 0;

  constructor(program: Program, target: 'fast' | 'portable') {
    this.#program = program;
    this.#target = target;
    for (const [name, value] of program.inputs) {
      this.#names.set(value, name);
      this.#inputs.add(name);
    }
  }

  model(initializers: Readonly<Record<string, TensorData>>, metadata: Readonly<Record<string, string>>): Uint8Array {
    for (const node of this.#program.nodes) this.#write(node);
    this.#nameOutputs();
    this.#nameSites();
    const graph = new Message().string(2, 'gatescope');
    for (const node of this.#nodes) graph.message(1, this.#nodeMessage(node));
    for (const { message } of this.#initializers.values()) graph.message(5, message);
    for (const [name, value] of this.#program.inputs) {
      if (Object.hasOwn(initializers, name))
        graph.message(5, tensorMessage(name, initializers[name].data, value.shape as number[], value.dtype));
      else graph.message(11, typeMessage(name, value));
    }
    for (const [name, value] of this.#program.outputs) graph.message(12, typeMessage(name, value));
    const opsets = [new Message().string(1, '').integer(2, OPSET)];
    if (this.#nodes.some((node) => node.domain === 'com.microsoft')) opsets.push(new Message().string(1, 'com.microsoft').integer(2, 1));
    const model = new Message().integer(1, IR_VERSION).string(2, 'gatescope').message(7, graph);
    for (const opset of opsets) model.message(8, opset);
    for (const [name, value] of Object.entries(metadata)) model.message(14, new Message().string(1, name).string(2, value));
    return model.finish();
  }

  #write(node: Node): void {
    this.#label = node.label;
    const results: string[] = [];
    const context: OnnxContext = {
      inputs: node.inputs.map((input) => this.#name(input)),
      target: this.#target,
      emit: (type, inputs, attributes = {}, { domain = '', count = 1 } = {}) => this.#emit(type, domain, inputs, attributes, count),
      result: (slot, name) => void (results[slot] = name),
      scalar: (value, dtype = 'float32') =>
        this.#initializer(
          dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value),
          [],
          dtype,
        ),
      ints: (values) => this.#ints(values),
      dimensions: (shape) => this.#dimensions(shape),
      reshapeTarget: (shape, from) => this.#reshapeTarget(shape, from),
    };
    node.operation.onnx(context, node);
    node.outputs.forEach((output, slot) => {
      if (!this.#names.has(output)) this.#names.set(output, results[slot]);
    });
  }

  #name(value: Value): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const { source, shape, dtype } = value;
    let name: string;
    if (source.kind === 'constant') name = this.#initializer(source.data, shape as number[], dtype);
    else if (source.kind === 'uniform') name = this.#uniform(source.number, shape, dtype);
    else throw new Error(`onnx: ${String(value)} (${value.node?.label ?? source.kind}) is used before it is computed`);
    this.#names.set(value, name);
    return name;
  }

  #uniform(number: number, shape: Shape, dtype: DType): string {
    const length = elements(shape);
    const make = (n: number) =>
      (dtype === 'float32' ? new Float32Array(n) : dtype === 'int32' ? new Int32Array(n) : new Uint8Array(n)).fill(number);
    if (typeof length === 'number' && length <= WRITTEN_OUT) return this.#initializer(make(length), shape as number[], dtype);
    return this.#emit('Expand', '', [this.#initializer(make(1), [], dtype), this.#dimensions(shape)], {}, 1)[0];
  }

  /** Appends a node, or finds the equal one: different nodes of a graph may need the same helper. */
  #emit(type: string, domain: string, inputs: readonly string[], attributes: OnnxAttributes, count: number): string[] {
    const key = `${domain}:${type}|${JSON.stringify(inputs)}|${attributesKey(attributes)}|${count}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const outputs = Array.from({ length: count }, () => `%${this.#fresh++}`);
    this.#nodes.push({ type, domain, inputs, outputs, attributes, label: this.#label });
    this.#shared.set(key, outputs);
    return outputs;
  }

  #ints(values: readonly number[]): string {
    return this.#initializer(BigInt64Array.from(values, BigInt), [values.length], 'int64');
  }

  #initializer(data: Data | BigInt64Array, shape: readonly number[], dtype: DType | 'int64'): string {
    const key = `${dtype}|${shape.join()}|${data.length <= WRITTEN_OUT ? Array.from(data as ArrayLike<unknown>, (entry) => (Object.is(entry, -0) ? '-0' : String(entry))).join() : `#${this.#initializers.size}`}`;
    const known = this.#initializers.get(key);
    if (known) return known.name;
    const name = `${CONSTANT}${this.#initializers.size}`;
    this.#initializers.set(key, { name, message: tensorMessage(name, data, shape, dtype) });
    return name;
  }

  #dimensions(shape: readonly Dimension[]): string {
    if (isStatic(shape)) return this.#ints(shape);
    const names = shape.map((dimension) => this.#dimension(dimension));
    return names.length === 1 ? names[0] : this.#emit('Concat', '', names, { axis: 0 }, 1)[0];
  }

  /** One dimension as an int64 vector of length 1. */
  #dimension(dimension: Dimension): string {
    if (typeof dimension === 'number') return this.#ints([dimension]);
    const combine = (type: string) => (a: string, b: string) => this.#emit(type, '', [a, b], {}, 1)[0];
    return dimension.terms
      .map(({ coefficient, symbols }) => {
        const factors = symbols.map((name) => this.#symbol(name));
        return (coefficient === 1 && factors.length > 0 ? factors : [this.#ints([coefficient]), ...factors]).reduce(combine('Mul'));
      })
      .reduce(combine('Add'));
  }

  #symbol(name: string): string {
    for (const [input, value] of this.#program.inputs) {
      const axis = value.shape.findIndex((dimension) => bareSymbol(dimension) === name);
      if (axis >= 0) return this.#emit('Shape', '', [input], { start: axis, end: axis + 1 }, 1)[0];
    }
    throw new Error(`onnx: no input has the dimension ${name}`);
  }

  #reshapeTarget(shape: Shape, from: Shape): string {
    const open = shape.map((dimension, axis) => typeof dimension !== 'number' && dimension !== from[axis]);
    if (open.filter(Boolean).length > 1) return this.#dimensions(shape);
    return this.#ints(shape.map((dimension, axis) => (typeof dimension === 'number' ? dimension : open[axis] ? -1 : 0)));
  }

  /** Outputs carry the names they were asked for; one that is an input, a constant or another output goes through Identity. */
  #nameOutputs(): void {
    for (const [name, value] of this.#program.outputs) this.#call(this.#name(value), name);
  }

  /**
   * Every site in the program is a value of its name, also where it marks an input, an output or what another site marks. Of a site that is there
   * in several parts (positions of it, cut out) the first is.
   */
  #nameSites(): void {
    const taken = new Set([...this.#inputs, ...this.#program.outputs.keys()]);
    for (const node of this.#program.nodes) {
      const name = node.attributes.name as string;
      if (node.operation.name !== 'site' || taken.has(name)) continue;
      this.#call(this.#names.get(node.outputs[0])!, name);
      taken.add(name);
    }
  }

  /** Gives the value `inner` the name `name`: instead of a fresh name, else as a copy beside the name it has. */
  #call(inner: string, name: string): void {
    if (inner.startsWith('%') && !inner.startsWith(CONSTANT) && !this.#renamed.has(inner)) this.#renamed.set(inner, name);
    else this.#nodes.push({ type: 'Identity', domain: '', inputs: [inner], outputs: [name], attributes: {}, label: `name/${name}` });
  }

  #nodeMessage(node: OnnxNode): Message {
    const message = new Message();
    for (const input of node.inputs) message.string(1, this.#renamed.get(input) ?? input);
    for (const output of node.outputs) message.string(2, this.#renamed.get(output) ?? output);
    message.string(3, `${node.label}#${node.outputs[0]}`).string(4, node.type);
    for (const [name, value] of Object.entries(node.attributes)) message.message(5, attributeMessage(name, value));
    return node.domain === '' ? message : message.string(7, node.domain);
  }
}

function attributeMessage(name: string, value: OnnxAttributes[string]): Message {
  const message = new Message().string(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return message.string(4, value).integer(20, 3);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  for (const entry of value) message.integer(8, entry);
  return message.integer(20, 7);
}

function tensorMessage(name: string, data: Data | BigInt64Array, shape: readonly number[], dtype: DType | 'int64'): Message {
  const message = new Message();
  for (const size of shape) message.integer(1, size);
  return message
    .integer(2, ELEMENT[dtype])
    .string(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function typeMessage(name: string, value: Value): Message {
  const shape = new Message();
  for (const dimension of value.shape)
    shape.message(1, typeof dimension === 'number' ? new Message().integer(1, dimension) : new Message().string(2, dimension.text));
  const tensor = new Message().integer(1, ELEMENT[value.dtype]).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}
