/**
 * One or more cases for every operation and every composite: inputs, their domains, how it is built, what is differentiable.
 * operations.test.ts fails if something exported or registered is in no case.
 */
import { elements, symbol, type Dimension } from '../../graph/dimension.ts';
import type { Value } from '../../graph/value.ts';
import * as ops from '../index.ts';
import type { Domain, Drawing } from './drawing.ts';
import { layout, parts, selections } from './layoutCases.ts';
import { rowsShape, type OperationCase } from './operationCase.ts';

type Unary = (x: Value) => Value;
type Binary = (a: Value, b: Value) => Value;

const unary = (name: string, build: Unary, domain: Domain = 'any', more: Partial<OperationCase> = {}): OperationCase => ({
  name,
  inputs: (d) => [{ shape: d.common, domain }],
  build: ([x]) => build(x),
  ...more,
});
const binary = (
  name: string,
  build: Binary,
  domains: readonly [Domain, Domain] = ['any', 'any'],
  more: Partial<OperationCase> = {},
): OperationCase => ({
  name,
  inputs: (d) => [
    { shape: d.operand(0), domain: domains[0] },
    { shape: d.operand(1), domain: domains[1] },
  ],
  build: ([a, b]) => build(a, b),
  ...more,
});

const elementwise: OperationCase[] = [
  binary('add', ops.add),
  binary('add: int32', ops.add, ['integers', 'integers'], { covers: ['add'] }),
  unary('add: a number, twice the same', (x) => ops.add(ops.add(x, 0.5), ops.add(x, x)), 'any', { covers: ['add'] }),
  binary('subtract', ops.subtract),
  unary('subtract: from zero and from itself', (x) => ops.add(ops.subtract(0, x), ops.subtract(ops.sin(x), x)), 'any', {
    covers: ['subtract'],
  }),
  binary('multiply', ops.multiply),
  binary('multiply: int32', ops.multiply, ['integers', 'integers'], { covers: ['multiply'] }),
  unary('multiply: chain of numbers', (x) => ops.multiply(3, ops.multiply(ops.multiply(x, 0.5), x)), 'any', { covers: ['multiply'] }),
  unary('multiply: by nothing', (x) => ops.add(ops.multiply(x, 0), ops.cos(x)), 'any', { covers: ['multiply'] }),
  binary('divide', ops.divide, ['any', 'nonzero']),
  binary('power', ops.power, ['positive', 'any']),
  unary('power: whole exponents, negative base', (x) => ops.add(ops.power(x, 3), ops.power(x, 2)), 'nonzero', { covers: ['power'] }),
  unary('power: roots', (x) => ops.add(ops.power(x, 0.5), ops.power(x, -1.5)), 'positive', { covers: ['power'] }),
  binary('maximum', ops.maximum, [{ grid: 0 }, { grid: 0.25 }]),
  binary('minimum', ops.minimum, [{ grid: 0 }, { grid: 0.25 }]),
  binary('minimum: int32', ops.minimum, ['integers', 'integers'], { covers: ['minimum'] }),
  unary('clip', (x) => ops.clip(x, -0.75, 0.75), { grid: 0 }),
  unary('negate', ops.negate),
  unary('negate: twice', (x) => ops.multiply(ops.negate(ops.negate(x)), x), 'any', { covers: ['negate'] }),
  unary('absoluteValue', ops.absoluteValue, 'nonzero'),
  unary('sign', ops.sign, 'nonzero'),
  unary('floor', ops.floor, 'fractional'),
  unary('exp', ops.exp),
  unary('log', ops.log, 'positive'),
  unary('sqrt', ops.sqrt, 'positive'),
  unary('reciprocal', ops.reciprocal, 'positive'),
  unary('sin', ops.sin),
  unary('cos', ops.cos),
  unary('erf', ops.erf),
  unary('tanh', ops.tanh),
  unary('sigmoid', ops.sigmoid),
  unary('sigmoid squared', (x) => ops.square(ops.sigmoid(x)), 'any', { covers: ['sigmoid', 'square'] }),
  unary('relu', ops.relu, 'nonzero'),
  unary('softplus', ops.softplus),
  unary('silu', ops.silu),
  unary('gelu', (x) => ops.gelu(x)),
  unary('gelu: exact', (x) => ops.gelu(x, { exact: true }), 'any', { covers: ['gelu'] }),
  ...(['greater', 'greaterEqual', 'less', 'lessEqual', 'equal'] as const).flatMap((name) => [
    binary(name, ops[name], ['any', 'any'], { differentiable: [] }),
    binary(`${name}: int32`, ops[name], ['integers', 'integers'], { covers: [name] }),
  ]),
  binary('and', ops.and, ['bool', 'bool']),
  binary('or', ops.or, ['bool', 'bool']),
  unary('not', ops.not, 'bool'),
  unary('cast: bool to float32', (x) => ops.cast(x, 'float32'), 'bool', { covers: ['cast'] }),
  unary(
    'cast: int32 to float32 and bool',
    (x) => ops.multiply(ops.cast(x, 'float32'), ops.cast(ops.cast(x, 'bool'), 'float32')),
    'integers',
    { covers: ['cast'] },
  ),
  unary('cast: float32 to int32', (x) => ops.cast(x, 'int32'), 'fractional', { covers: ['cast'], differentiable: [] }),
  {
    name: 'where',
    inputs: (d) => [
      { shape: d.operand(0), domain: 'bool' },
      { shape: d.operand(1), domain: 'any' },
      { shape: d.operand(2), domain: 'any' },
    ],
    build: ([c, a, b]) => ops.where(c, ops.square(a), b),
  },
  binary(
    'where: a number, a broadcast condition',
    (c, x) => ops.where(ops.broadcastTo(c, [2, ...Array<number>(3 - c.rank).fill(1), ...c.shape]), -1, ops.sin(x)),
    ['bool', 'any'],
    { covers: ['where'] },
  ),
];

/** Axes to reduce in x of rank `rank`: every subset comes up, the empty one too. */
const someAxes = (rank: number, d: Drawing) =>
  [...Array(rank).keys()].filter((axis) => (d.drawn.pick >> axis) & 1).map((axis) => (d.drawn.pick & 8 ? axis - rank : axis));

const reducing = (name: 'sum' | 'mean' | 'max' | 'min', domain: Domain): OperationCase[] => [
  {
    name,
    inputs: (d) => [{ shape: d.common, domain }],
    build: ([x], d) => ops.square(ops[name](x, { axes: someAxes(x.rank, d), keep: d.drawn.pick % 2 === 0 })),
  },
  unary(`${name}: all`, (x) => ops.square(ops[name](x)), domain, { covers: [name] }),
];

const reductions: OperationCase[] = [
  ...reducing('sum', 'any'),
  ...reducing('mean', 'any'),
  ...reducing('max', { grid: 0.1 }),
  ...reducing('min', { grid: 0.1 }),
  {
    name: 'argMax',
    inputs: (d) => [{ shape: [d.dimension(0), d.dimension(1), d.dimension(2)], domain: { grid: 0 } }],
    build: ([x], d) => ops.argMax(x, d.choose([-1, 0, 1])),
    differentiable: [],
  },
  {
    name: 'sizeOf',
    inputs: (d) => [{ shape: [d.dimension(0), d.dimension(1)], domain: 'any' }],
    build: ([x]) => ops.divide(ops.sin(x), ops.sizeOf(x.graph, elements(x.shape))),
  },
];

/** Two factors and perhaps a bias: ranks 2 to 4 on either side, batches that broadcast, transposes, scale. */
const product = (name: string, withBias: boolean): OperationCase => ({
  name,
  covers: ['matmul'],
  inputs(d) {
    const [m, k, n] = [d.dimension(0), d.dimension(1), d.size(2)];
    const batch = (j: number): Dimension[] =>
      [d.drawn.ones[j][0] ? 1 : 2, d.drawn.ones[j][1] ? 1 : symbol('n3')].slice(Math.min(d.drawn.drops[j], 2));
    const swap = (j: number, pair: Dimension[]) => (d.drawn.ones[j][2] ? pair.reverse() : pair);
    return [
      { shape: [...batch(0), ...swap(0, [m, k])], domain: 'any' },
      { shape: [...batch(1), ...swap(1, [k, n])], domain: 'any' },
      ...(withBias ? [{ shape: [n], domain: 'any' } as const] : []),
    ];
  },
  build: ([a, b, bias], d) =>
    ops.matmul(a, b, {
      transposeA: d.drawn.ones[0][2],
      transposeB: d.drawn.ones[1][2],
      scale: d.choose([1, 0.5, -2]),
      ...(bias && { bias }),
    }),
});

const attention: OperationCase = {
  name: 'attention block',
  covers: ['matmul', 'softmax', 'layerNorm', 'where', 'transpose', 'reshape', 'gelu'],
  inputs: (d) => [
    { shape: [d.dimension(0), d.dimension(1), 4], domain: 'any' },
    { shape: [4, 12], domain: 'any' },
    { shape: [12], domain: 'any' },
    { shape: [4], domain: 'positive' },
    { shape: [4], domain: 'any' },
    { shape: [d.dimension(1), d.dimension(1)], domain: 'bool' },
  ],
  build([x, weight, bias, gain, shift, mask]) {
    const [rows, positions] = x.shape;
    const mixed = ops.matmul(ops.layerNorm(x, gain, shift, 0.3), ops.multiply(weight, 0.25), { bias });
    const heads = ops.split(mixed, -1, [4, 4, 4]).map((part) => ops.transpose(ops.reshape(part, [rows, positions, 2, 2]), [0, 2, 1, 3]));
    const scores = ops.where(mask, ops.matmul(heads[0], heads[1], { transposeB: true, scale: Math.SQRT1_2 }), -5);
    const read = ops.matmul(ops.softmax(scores), heads[2]);
    return ops.gelu(ops.add(x, ops.reshape(ops.transpose(read, [0, 2, 1, 3]), x.shape)));
  },
};

/** At least one axis: [.., width]. */

const overRows = (name: string, build: Unary, domain: Domain = 'any'): OperationCase => ({
  name,
  inputs: (d) => [{ shape: rowsShape(d), domain }],
  build: ([x]) => build(x),
});

const both = ({ value, inverse }: { value: Value; inverse: Value }) => [value, inverse];

/** Rows are kept apart by more than ε: with one or two nearly equal entries 1/σ³ alone would make finite differences useless. */
const norms: OperationCase[] = [
  product('matmul', false),
  product('matmul: bias', true),
  attention,
  overRows('softmax', ops.softmax),
  overRows('softmax squared', (x) => ops.square(ops.softmax(x))),
  overRows('logSoftmax', ops.logSoftmax),
  overRows('logSumExp', ops.logSumExp),
  {
    name: 'layerNorm',
    inputs: (d) => [
      { shape: [...rowsShape(d).slice(0, -1), 4], domain: 'any' },
      { shape: [4], domain: 'any' },
      { shape: [4], domain: 'any' },
    ],
    build: ([x, gain, bias]) => ops.layerNorm(x, gain, bias, 0.1),
  },
  {
    name: 'rmsNorm',
    inputs: (d) => [
      { shape: [...rowsShape(d).slice(0, -1), d.dimension(2)], domain: 'nonzero' },
      { shape: [d.dimension(2)], domain: 'any' },
    ],
    build: ([x, gain]) => ops.rmsNorm(x, gain),
  },
  {
    name: 'layerNormParts',
    inputs: (d) => [
      { shape: [...rowsShape(d).slice(0, -1), 4], domain: 'any' },
      { shape: [4], domain: 'any' },
      { shape: [4], domain: 'any' },
    ],
    build: ([x, gain, bias]) => both(ops.layerNormParts(x, gain, bias, 0.1)),
  },
  {
    name: 'rmsNormParts',
    inputs: (d) => [
      { shape: [...rowsShape(d).slice(0, -1), 4], domain: 'any' },
      { shape: [4], domain: 'any' },
    ],
    build: ([x, gain]) => both(ops.rmsNormParts(x, gain, 0.1)),
  },
];

const controls: OperationCase[] = [
  unary('site', (x) => ops.square(ops.site('here', ops.sin(x)))),
  unary('stopGradient', (x) => ops.multiply(x, ops.stopGradient(x)), 'any', { declared: true }),
  binary('straightThrough', (a, b) => ops.straightThrough(ops.sign(ops.multiply(a, b)), ops.tanh(ops.multiply(a, b))), ['any', 'any'], {
    declared: true,
  }),
  unary('customGradient', (x) => ops.customGradient(ops.floor(x), [x], (d) => [ops.multiply(d, ops.sin(x))]), 'any', { declared: true }),
];

export const cases: readonly OperationCase[] = [...elementwise, ...reductions, ...norms, ...layout, ...parts, ...selections, ...controls];
