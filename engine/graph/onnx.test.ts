/** The ONNX writer, read back by a decoder that knows protocol buffers and nothing of the writer. */
import { describe, expect, test } from 'vitest';
import { openSession } from '../execute/onnxruntime.ts';
import * as ops from '../ops/index.ts';
import { plus, symbol, times } from './dimension.ts';
import { Graph } from './graph.ts';
import { writeOnnx } from './onnx.ts';
import { program, type Program } from './program.ts';
import { Message } from './protobuf.ts';

/** Field number → what it holds, in order: numbers (varint, 4 or 8 bytes) or bytes. */
type Fields = Map<number, (bigint | Uint8Array)[]>;

/** Reads one message; wire types 0 (varint), 1 (8 bytes), 2 (length and bytes) and 5 (4 bytes). */
function decode(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length) throw new Error('a varint runs over the end');
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error('a field runs over the end');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    if (![0, 1, 2, 5].includes(wire)) throw new Error(`unknown wire type ${wire}`);
    const value = wire === 0 ? varint() : take(wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, field: number) => (fields.get(field) ?? []).map((bytes) => decode(bytes as Uint8Array));
const strings = (fields: Fields, field: number) =>
  (fields.get(field) ?? []).map((bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes as Uint8Array));
const integers = (fields: Fields, field: number) => (fields.get(field) ?? []).map((value) => Number(BigInt.asIntN(64, value as bigint)));

/** What onnx.proto says of the fields used here. */
function readModel(bytes: Uint8Array) {
  const model = decode(bytes);
  const [graph] = messages(model, 7);
  const values = (field: number) =>
    messages(graph, field).map((info) => {
      const [tensor] = messages(messages(info, 2)[0], 1);
      const shape = messages(messages(tensor, 2)[0], 1).map((dimension) => strings(dimension, 2)[0] ?? integers(dimension, 1)[0]);
      return { name: strings(info, 1)[0], type: integers(tensor, 1)[0], shape };
    });
  return {
    irVersion: integers(model, 1)[0],
    opsets: messages(model, 8).map((opset) => [strings(opset, 1)[0], integers(opset, 2)[0]]),
    nodes: messages(graph, 1).map((node) => ({
      inputs: strings(node, 1),
      outputs: strings(node, 2),
      name: strings(node, 3)[0],
      type: strings(node, 4)[0],
      domain: strings(node, 7)[0] ?? '',
    })),
    initializers: messages(graph, 5).map((tensor) => ({
      name: strings(tensor, 8)[0],
      type: integers(tensor, 2)[0],
      dims: integers(tensor, 1),
      bytes: (tensor.get(9)![0] as Uint8Array).length,
    })),
    inputs: values(11),
    outputs: values(12),
  };
}

/** Throws unless every name is made once and before its use, node names are unique, and outputs exist. */
function checkStructure(model: ReturnType<typeof readModel>): void {
  const made = new Set<string>();
  const make = (name: string) => {
    expect(name, 'a name').not.toBe('');
    expect(made.has(name), `${name} is made twice`).toBe(false);
    made.add(name);
  };
  [...model.inputs, ...model.initializers].forEach(({ name }) => make(name));
  for (const node of model.nodes) {
    for (const input of node.inputs) if (input !== '') expect(made.has(input), `${input} is made before ${node.name} reads it`).toBe(true);
    node.outputs.forEach(make);
  }
  for (const { name } of model.outputs) expect(made.has(name), `output ${name}`).toBe(true);
  expect(new Set(model.nodes.map(({ name }) => name)).size).toBe(model.nodes.length);
  const width: Record<number, number> = { 1: 4, 6: 4, 7: 8, 9: 1 };
  for (const { name, dims, type, bytes } of model.initializers)
    expect(bytes, `bytes of ${name}`).toBe(dims.reduce((a, b) => a * b, 1) * width[type]);
}

const rows = symbol('rows');
const positions = symbol('positions');

/** A training step of a small transformer block: forward, gradients, sites, every kind of helper. */
function model(): Program {
  const graph = new Graph();
  const tokens = graph.input('tokens', [rows, positions], 'int32');
  const embedding = graph.input('embedding', [11, 8]);
  const weight = graph.input('blocks.0.attn.weight', [8, 24]);
  const [bias, gain, shift] = [graph.input('bias', [24]), graph.input('gain', [8]), graph.input('shift', [8])];
  const mask = graph.input('mask', [positions, positions], 'bool');
  const x = ops.site('embed', ops.gather(embedding, tokens));
  const y = graph.within('blocks.0', () => {
    const parts = graph.within('attn', () => ops.split(ops.matmul(ops.layerNorm(x, gain, shift), weight, { bias }), -1, [8, 8, 8]));
    const [q, k, v] = parts.map((part, i) =>
      ops.site(`hook_${'qkv'[i]}`, ops.transpose(ops.reshape(part, [rows, positions, 2, 4]), [0, 2, 1, 3])),
    );
    const pattern = ops.site('pattern', ops.softmax(ops.where(mask, ops.matmul(q, k, { transposeB: true, scale: 0.5 }), -1e9)));
    const z = ops.reshape(ops.transpose(ops.matmul(pattern, v), [0, 2, 1, 3]), x.shape);
    return ops.site('out', ops.site('resid_post', ops.add(x, ops.gelu(z))));
  });
  const logits = ops.site('logits', ops.matmul(y, embedding, { transposeB: true }));
  const loss = ops.negate(ops.mean(ops.takeAlong(ops.logSoftmax(logits), ops.reshape(tokens, [rows, positions, 1]))));
  const [dEmbedding, dWeight, dBias] = ops.gradient(loss, [embedding, weight, bias]);
  return program({ loss, 'logits.out': logits, again: logits, dEmbedding, dWeight, dBias, input: ops.site('marked', bias) });
}

describe('writeOnnx', () => {
  test.each(['fast', 'portable'] as const)('%s: a valid model', (target) => {
    const bytes = writeOnnx(model(), { target });
    const read = readModel(bytes);
    checkStructure(read);
    expect(read.irVersion).toBe(10);
    expect(read.opsets).toEqual([['', 20], ...(target === 'fast' ? [['com.microsoft', 1]] : [])]);
    expect(new Set(read.nodes.map(({ domain }) => domain))).toEqual(new Set(target === 'fast' ? ['', 'com.microsoft'] : ['']));
    expect(read.inputs).toEqual([
      { name: 'embedding', type: 1, shape: [11, 8] },
      { name: 'tokens', type: 6, shape: ['rows', 'positions'] },
      { name: 'gain', type: 1, shape: [8] },
      { name: 'shift', type: 1, shape: [8] },
      { name: 'blocks.0.attn.weight', type: 1, shape: [8, 24] },
      { name: 'bias', type: 1, shape: [24] },
      { name: 'mask', type: 9, shape: ['positions', 'positions'] },
    ]);
    expect(read.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['loss', []],
      ['logits.out', ['rows', 'positions', 11]],
      ['again', ['rows', 'positions', 11]],
      ['dEmbedding', [11, 8]],
      ['dWeight', [8, 24]],
      ['dBias', [24]],
      ['input', [24]],
    ]);
    // Weights are inputs: what is written out is tables of a few numbers.
    expect(Math.max(...read.initializers.map((initializer) => initializer.bytes))).toBeLessThanOrEqual(256);
    openSession(bytes).dispose();
  });

  test('every site is the name of a value, also one that is an input, an output or marked twice', () => {
    const read = readModel(writeOnnx(model()));
    const made = new Set(read.nodes.flatMap(({ outputs }) => outputs));
    for (const site of [
      'embed',
      'blocks.0.hook_q',
      'blocks.0.hook_k',
      'blocks.0.hook_v',
      'blocks.0.pattern',
      'blocks.0.resid_post',
      'blocks.0.out',
      'logits',
      'marked',
    ])
      expect(made).toContain(site);
    expect(read.nodes.filter(({ outputs }) => outputs.includes('blocks.0.pattern')).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^blocks\.0\/softmax\.\d+#%\d+$/),
    ]);
  });

  test('nodes carry labels that lead back to the model', () => {
    const labels = readModel(writeOnnx(model())).nodes.map(({ name }) => name.replace(/\.\d+#.*/, ''));
    expect(labels).toContain('blocks.0.attn/matmul');
    expect(labels).toContain('blocks.0.attn.gradient/matmul');
    expect(labels.filter((label) => label.startsWith('.'))).toEqual([]);
  });

  test('the same program gives the same bytes', () => {
    expect(writeOnnx(model())).toEqual(writeOnnx(model()));
  });

  test('names that look like the writer’s own, or like one another, do not collide', () => {
    const graph = new Graph();
    const [a, b, c] = ['constant.0', 'x,y', 'x'].map((name) => graph.input(name, [2]));
    const run = program({ first: ops.add(a, 5), second: ops.concat([b, c], 0), third: ops.concat([c, graph.input('y,x', [2])], 0) });
    const read = readModel(writeOnnx(run));
    checkStructure(read);
    expect(read.nodes.filter(({ type }) => type === 'Concat')).toHaveLength(2);
  });

  test('inputs that are given are written into the file, and no longer asked for', () => {
    const given = { data: Float32Array.of(1, -0, 3), shape: [3] };
    const graph = new Graph();
    const y = ops.add(graph.input('x', [rows, 3]), graph.input('weight', [3]));
    const read = readModel(writeOnnx(program({ y }), { initializers: { weight: given } }));
    checkStructure(read);
    expect(read.inputs).toEqual([{ name: 'x', type: 1, shape: ['rows', 3] }]);
    expect(read.initializers).toEqual([{ name: 'weight', type: 1, dims: [3], bytes: 12 }]);
    const write = (name: string, data: Float32Array, shape: number[]) => () =>
      writeOnnx(program({ y }), { initializers: { [name]: { data, shape } } });
    expect(write('other', given.data, [3])).toThrow('onnx: initializers must be of x, weight, got "other"');
    expect(write('weight', given.data, [1, 3])).toThrow('onnx: initializer weight must fill the shape [3], got "3 in [1, 3]"');
    expect(write('weight', Float32Array.of(1), [3])).toThrow('onnx: initializer weight must fill the shape [3], got "1 in [3]"');
  });

  test('compound dimensions are worked out from the inputs', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows, positions]);
    const run = program({ y: ops.broadcastTo(ops.sum(x), [plus(times(2, rows), 1), times(rows, positions)]) });
    const read = readModel(writeOnnx(run));
    checkStructure(read);
    expect(read.outputs[0].shape).toEqual(['1 + 2·rows', 'positions·rows']);
    openSession(writeOnnx(run)).dispose();
  });
});

test('protobuf: numbers at the edges come back', () => {
  const numbers = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 53 - 1)];
  const message = new Message();
  for (const number of numbers) message.integer(15, number).integer(16, number);
  message.float(3, 0.5).string(4, 'σ·x').message(5, new Message());
  const fields = decode(message.finish());
  expect(integers(fields, 15)).toEqual(numbers);
  expect(integers(fields, 16)).toEqual(numbers);
  expect(new DataView((fields.get(3)![0] as Uint8Array).slice().buffer).getFloat32(0, true)).toBe(0.5);
  expect(strings(fields, 4)).toEqual(['σ·x']);
  expect(messages(fields, 5)).toEqual([new Map()]);
});
