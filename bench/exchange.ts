/**
 * The exchange folder: what both sides of a comparison start from, written once by the harness from a seed.
 *
 * `manifest.json` is a {@link Manifest}; `tensors.bin` holds the tensors one after the other, little-endian, row-major, each at a
 * multiple of 64 bytes. Linear weights are [in, out] (y = x W + b).
 *
 * | suite | tensors |
 * |---|---|
 * | mlp-step, toy-mlp | `w0 [in,out]`, `b0 [out]`, … one pair per layer; `inputs [batches,batch,in]` in U(0,1); `targets [batches,batch]` int32 |
 * | transformer-step, toy-transformer | the weights below; `tokens [batches,batch,T]`, `targets [batches,batch,T]` int32 |
 * | sweep, screens | the weights below; `clean [pairs,T]`, `counterfactual [pairs,T]`, `a [pairs]`, `b [pairs]` int32, a ≠ b |
 * | screens of given models | their own parameters (engine/models/transformer/parameters.ts) instead; `roles [T]` int32 where the model masks by role |
 * | dopamine | `w0`, `b0`, …; `turned [60000]` int32, 1 = turned by the angle in the foundation's data; `order [20·batch]` int32, image numbers of the first 20 batches |
 * | units | `w0`, `b0`, …; per hidden layer `threshold0 [width]`, `gain0 [width]`; `clean [images,in]`, `donor [images,in]`, `labels [images]` int32 |
 *
 * Transformer weights (D width, T positions, V vocabulary, M mlp; layer-norm epsilon 1e-5): `embed.W_E [V,D]`, `pos_embed.W_pos [T,D]`;
 * per layer `blocks.N.` + `ln1.w [D]`, `ln1.b [D]`, `attn.W_QKV [D,3D]` and `attn.b_QKV [3D]` (columns q | k | v, head-major inside
 * each), `attn.W_O [D,D]` (rows head-major), `attn.b_O [D]`, `ln2.w`, `ln2.b`, `mlp.W_in [D,M]`, `mlp.b_in [M]`, `mlp.W_out [M,D]`,
 * `mlp.b_out [D]`; `ln_final.w`, `ln_final.b`, `unembed.W_U [D,V]`.
 *
 * Initial values: linear weights and biases U(±1/√fan_in), embeddings N(0, 0.02²), layer norms 1 and 0. Of `units`: thresholds U(−0.1, 0.3), gains
 * U(0.5, 1.5), inputs N(0, 1), so that a unit is silent in both sets for about a quarter of the images.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random, type Random } from './random.ts';
import type { Suite, SuiteConfig, SuiteName, TransformerConfig } from './suites.ts';

/** Steps whose losses must agree before anything is timed. */
export const AGREEMENT_STEPS = 20;
const TRAINING_IMAGES = 60_000;
const ALIGNMENT = 64;

export interface TensorEntry {
  name: string;
  dtype: 'float32' | 'int32';
  shape: number[];
  /** Bytes from the start of tensors.bin. */
  offset: number;
}

export interface Manifest {
  suite: SuiteName;
  tensors: TensorEntry[];
  config: SuiteConfig;
}

type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

class Writer {
  readonly tensors: TensorEntry[] = [];
  readonly #parts: { offset: number; data: Data }[] = [];
  #end = 0;

  add(name: string, shape: number[], data: Data): void {
    const count = shape.reduce((product, size) => product * size, 1);
    if (data.length !== count) throw new RangeError(`exchange: ${name} must hold ${count} values, got ${data.length}`);
    this.tensors.push({ name, dtype: data instanceof Float32Array ? 'float32' : 'int32', shape, offset: this.#end });
    this.#parts.push({ offset: this.#end, data });
    this.#end = Math.ceil((this.#end + data.byteLength) / ALIGNMENT) * ALIGNMENT;
  }

  floats(name: string, shape: number[], value: () => number): void {
    this.add(name, shape, Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, value));
  }

  integers(name: string, shape: number[], value: (index: number) => number): void {
    this.add(
      name,
      shape,
      Int32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => value(index)),
    );
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#end);
    for (const { offset, data } of this.#parts) bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    return bytes;
  }
}

/** A tensor that is not drawn: of a stored model, or its prompts. */
export interface Given {
  name: string;
  shape: number[];
  data: Data;
}

/**
 * Writes the folder (made if it is not there) and returns its manifest.
 * @param given of a transformer: its parameters, and its prompts if `clean` is among them; else they are drawn
 */
export function writeExchange(folder: string, suite: Suite, seed = 20_260, given: readonly Given[] = []): Manifest {
  const writer = new Writer();
  const numbers = random(seed);
  const { config } = suite;
  switch (config.kind) {
    case 'mlp': {
      writeMlp(writer, numbers, config.widths);
      const [batches, batch, inputs] = [config.batches, config.batch, config.widths[0]];
      const classes = config.widths[config.widths.length - 1];
      writer.floats('inputs', [batches, batch, inputs], () => numbers.next());
      writer.integers('targets', [batches, batch], () => numbers.integer(classes));
      break;
    }
    case 'transformer': {
      const { vocabulary, positions } = config;
      if (given.length === 0) writeTransformer(writer, numbers, config);
      for (const { name, shape, data } of given) writer.add(name, shape, data);
      if (config.pairs === undefined) {
        const shape = [config.batches!, config.batch!, positions];
        writer.integers('tokens', shape, () => numbers.integer(vocabulary));
        writer.integers('targets', shape, () => numbers.integer(vocabulary));
      } else if (!given.some(({ name }) => name === 'clean')) writePrompts(writer, numbers, config, config.pairs);
      break;
    }
    case 'dopamine':
      writeMlp(writer, numbers, config.widths);
      writer.integers('turned', [TRAINING_IMAGES], () => (numbers.next() < 0.5 ? 1 : 0));
      writer.integers('order', [AGREEMENT_STEPS * config.batch], () => numbers.integer(TRAINING_IMAGES));
      break;
    case 'units': {
      const { widths, images } = config;
      writeMlp(writer, numbers, widths);
      widths.slice(1, -1).forEach((width, layer) => {
        writer.floats(`threshold${layer}`, [width], () => numbers.between(-0.1, 0.3));
        writer.floats(`gain${layer}`, [width], () => numbers.between(0.5, 1.5));
      });
      for (const name of ['clean', 'donor']) writer.floats(name, [images, widths[0]], () => numbers.normal());
      writer.integers('labels', [images], () => numbers.integer(widths[widths.length - 1]));
      break;
    }
    default:
      config satisfies never;
  }
  const manifest: Manifest = { suite: suite.name, tensors: writer.tensors, config };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tensors.bin'), writer.bytes());
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
  return manifest;
}

/** Reads a folder back: every tensor a view of one buffer. */
export function readExchange(folder: string): { manifest: Manifest; tensors: Map<string, Data> } {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const bytes = new Uint8Array(readFileSync(join(folder, 'tensors.bin'))); // a copy, so that offset 0 of the buffer is offset 0 of the file
  const tensors = new Map<string, Data>();
  for (const { name, dtype, shape, offset } of manifest.tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, dtype === 'float32' ? new Float32Array(bytes.buffer, offset, count) : new Int32Array(bytes.buffer, offset, count));
  }
  return { manifest, tensors };
}

function writeLinear(writer: Writer, numbers: Random, weight: string, bias: string | undefined, inputs: number, outputs: number): void {
  const bound = 1 / Math.sqrt(inputs);
  writer.floats(weight, [inputs, outputs], () => numbers.between(-bound, bound));
  if (bias !== undefined) writer.floats(bias, [outputs], () => numbers.between(-bound, bound));
}

function writeMlp(writer: Writer, numbers: Random, widths: number[]): void {
  for (let layer = 0; layer + 1 < widths.length; layer++)
    writeLinear(writer, numbers, `w${layer}`, `b${layer}`, widths[layer], widths[layer + 1]);
}

function writePrompts(writer: Writer, numbers: Random, config: TransformerConfig, pairs: number): void {
  const { vocabulary, positions, length = positions, divergence } = config;
  const token = (): number => numbers.integer(vocabulary);
  const another = (than: number): number => (than + 1 + numbers.integer(vocabulary - 1)) % vocabulary;
  const clean = Int32Array.from({ length: pairs * length }, token);
  writer.add('clean', [pairs, length], clean);
  writer.integers('counterfactual', [pairs, length], (at) => {
    const position = at % length;
    if (position === divergence) return another(clean[at]);
    const other = token();
    return position < (divergence ?? 0) ? clean[at] : other;
  });
  const a = Int32Array.from({ length: pairs }, token);
  writer.add('a', [pairs], a);
  writer.integers('b', [pairs], (pair) => another(a[pair]));
}

function writeTransformer(writer: Writer, numbers: Random, config: TransformerConfig): void {
  const { vocabulary, positions, width, layers, mlp } = config;
  const norm = (name: string): void => {
    writer.floats(`${name}.w`, [width], () => 1);
    writer.floats(`${name}.b`, [width], () => 0);
  };
  writer.floats('embed.W_E', [vocabulary, width], () => 0.02 * numbers.normal());
  writer.floats('pos_embed.W_pos', [positions, width], () => 0.02 * numbers.normal());
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    norm(`${block}.ln1`);
    writeLinear(writer, numbers, `${block}.attn.W_QKV`, `${block}.attn.b_QKV`, width, 3 * width);
    writeLinear(writer, numbers, `${block}.attn.W_O`, `${block}.attn.b_O`, width, width);
    norm(`${block}.ln2`);
    writeLinear(writer, numbers, `${block}.mlp.W_in`, `${block}.mlp.b_in`, width, mlp);
    writeLinear(writer, numbers, `${block}.mlp.W_out`, `${block}.mlp.b_out`, mlp, width);
  }
  norm('ln_final');
  writeLinear(writer, numbers, 'unembed.W_U', undefined, width, vocabulary);
}
