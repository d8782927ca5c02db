/**
 * The optimisers' inner loops as one WebAssembly SIMD module, four parameters at a time, in place, each visiting memory once.
 *
 * Every operation is one float32 operation rounded to nearest even, in the order written below: no fused multiply-add, nothing reassociated.
 * So the bits depend neither on the machine nor on how a region is divided among threads, and plain.ts gives the same ones.
 * The scalars come ready from scalars.ts; lengths and bounds are checked by update.ts, not here.
 */
import { assembleModule, type Code, f32x4, FunctionBuilder, i32, repeat, v128, type Variable } from './assembler.ts';
import { type Memory, type Module, webAssembly } from './memory.ts';
import { ADAM_SCALARS, SGD_SCALARS } from './scalars.ts';

const { add, subtract, multiply, divide, squareRoot, splat } = f32x4;

/** How SGD uses its momentum buffer: there is none, it is the direction, or it is looked at one step ahead. */
const MOMENTA = ['plain', 'momentum', 'nesterov'] as const;
/** Number of gradient buffers, summed in this order. */
const SHARDS = [1, 2] as const;
type UpdateName = `${'adam' | (typeof MOMENTA)[number]}${(typeof SHARDS)[number]}`;

/** The exports. `vectors` is the element count / 4; offsets are bytes, u32, of 16-byte aligned regions; scalars are float32. */
export type Kernels = {
  /** vectors, then offsets: parameters, moments (Adam: first, second; SGD: the buffer, but plain has none), gradients; then the scalars in order. */
  readonly [name in UpdateName]: (vectors: number, ...offsetsAndScalars: number[]) => void;
} & {
  /** 1 if every float of the range is finite, 0 if one is NaN or infinite. */
  readonly finite: (vectors: number, offset: number) => 0 | 1;
};

/** The module, compiled at the first use and kept for the process (a worker thread compiles its own: about a kilobyte). */
let compiled: Module | undefined;

/** The kernels over one memory. @param memory must be shared; any other fails to link */
export function instantiateKernels(memory: Memory): Kernels {
  compiled ??= new webAssembly.Module(assembleKernels());
  return new webAssembly.Instance(compiled, { environment: { memory } }).exports as Kernels;
}

function assembleKernels(): Uint8Array<ArrayBuffer> {
  const updates = SHARDS.flatMap((shards) => [adam(shards), ...MOMENTA.map((momentum) => sgd(momentum, shards))]);
  return assembleModule([finite(), ...updates]);
}

/**
 * Adam (D. Kingma and J. Ba, ICLR 2015) and AdamW (I. Loshchilov and F. Hutter, ICLR 2019) as in PyTorch. Per element, left to right:
 *
 *     g = (gradientA + gradientB) * gradientScale
 *     g = g + decayL2 * p                         decayL2: Adam's weight decay; 0 for AdamW
 *     m = beta1 * m + oneMinusBeta1 * g
 *     v = beta2 * v + (oneMinusBeta2 * g) * g
 *     p = p * decayFactor                         decayFactor: AdamW's 1 - rate * weightDecay; 1 for Adam
 *     p = p - (stepSize * m) / (sqrt(v) / correction + epsilon)
 *
 * with stepSize = rate / (1 - beta1^t) and correction = sqrt(1 - beta2^t). A decay that is off costs its operation but not a bit of the result.
 */
function adam(shards: number): FunctionBuilder {
  const kernel = new FunctionBuilder(`adam${shards}`);
  const vectors = kernel.parameter('i32');
  const [parameters, first, second, ...gradients] = times(3 + shards, () => kernel.parameter('i32'));
  const { lanes, fill } = splatted(kernel, ADAM_SCALARS);
  const [p, g, m, v] = times(4, () => kernel.local('v128'));
  return kernel.define(
    ...fill,
    repeat(
      vectors,
      p.set(v128.load(parameters.get)),
      g.set(add(scaledSum(gradients, lanes.gradientScale), multiply(lanes.decayL2, p.get))),
      m.set(add(multiply(lanes.beta1, v128.load(first.get)), multiply(lanes.oneMinusBeta1, g.get))),
      v.set(add(multiply(lanes.beta2, v128.load(second.get)), multiply(multiply(lanes.oneMinusBeta2, g.get), g.get))),
      v128.store(first.get, m.get),
      v128.store(second.get, v.get),
      v128.store(
        parameters.get,
        subtract(
          multiply(p.get, lanes.decayFactor),
          divide(multiply(lanes.stepSize, m.get), add(divide(squareRoot(v.get), lanes.correction), lanes.epsilon)),
        ),
      ),
      ...[parameters, first, second, ...gradients].map(advance),
    ),
  );
}

/**
 * Stochastic gradient descent in PyTorch's convention, dampening 0 (so a buffer of zeros gives its first step, buffer = g). Per element:
 *
 *     g = (gradientA + gradientB) * gradientScale
 *     g = g + decayL2 * p
 *     buffer = momentum * buffer + g              not for plain
 *     direction = g | buffer | g + momentum * buffer      for plain | momentum | nesterov
 *     p = p - rate * direction
 *
 * Nesterov's form is that of I. Sutskever et al. (ICML 2013) as PyTorch writes it.
 */
function sgd(kind: (typeof MOMENTA)[number], shards: number): FunctionBuilder {
  const kernel = new FunctionBuilder(`${kind}${shards}`);
  const vectors = kernel.parameter('i32');
  const parameters = kernel.parameter('i32');
  const buffers = times(kind === 'plain' ? 0 : 1, () => kernel.parameter('i32'));
  const gradients = times(shards, () => kernel.parameter('i32'));
  const { lanes, fill } = splatted(kernel, SGD_SCALARS);
  const [p, g, b] = times(3, () => kernel.local('v128'));
  const direction = { plain: g.get, momentum: b.get, nesterov: add(g.get, multiply(lanes.momentum, b.get)) }[kind];
  return kernel.define(
    ...fill,
    repeat(
      vectors,
      p.set(v128.load(parameters.get)),
      g.set(add(scaledSum(gradients, lanes.gradientScale), multiply(lanes.decayL2, p.get))),
      ...buffers.flatMap((buffer) => [b.set(add(multiply(lanes.momentum, v128.load(buffer.get)), g.get)), v128.store(buffer.get, b.get)]),
      v128.store(parameters.get, subtract(p.get, multiply(lanes.rate, direction))),
      ...[parameters, ...buffers, ...gradients].map(advance),
    ),
  );
}

/** x - x is +0, no bit set, for a finite x and NaN for any other: the bits of all differences are gathered and looked at once. */
function finite(): FunctionBuilder {
  const kernel = new FunctionBuilder('finite');
  const vectors = kernel.parameter('i32');
  const offset = kernel.parameter('i32');
  const [x, seen] = times(2, () => kernel.local('v128'));
  return kernel.define(
    repeat(vectors, x.set(v128.load(offset.get)), seen.set(v128.or(seen.get, subtract(x.get, x.get))), advance(offset)),
    i32.isZero(v128.anyTrue(seen.get)),
  );
}

/** Parameters for the named scalars, and locals that hold each in all four lanes once `fill` has run. */
function splatted<Name extends string>(kernel: FunctionBuilder, names: readonly Name[]) {
  const scalars = names.map(() => kernel.parameter('f32'));
  const locals = names.map(() => kernel.local('v128'));
  const lanes = Object.fromEntries(names.map((name, index) => [name, locals[index].get])) as Record<Name, Code<'v128'>>;
  return { lanes, fill: locals.map((local, index) => local.set(splat(scalars[index].get))) };
}

function scaledSum(gradients: readonly Variable<'i32'>[], scale: Code<'v128'>): Code<'v128'> {
  return multiply(
    gradients.map((gradient) => v128.load(gradient.get)).reduce((left, right) => add(left, right)),
    scale,
  );
}

/** Moves a pointer on by one vector; past the last byte of 4 GiB it wraps to 0, when nothing is read any more. */
function advance(pointer: Variable<'i32'>): Code<'nothing'> {
  return pointer.set(i32.add(pointer.get, i32.constant(16)));
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
