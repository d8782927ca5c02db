/**
 * A language model from a Hugging Face folder: `config.json` and safetensors, whole or in shards.
 *
 * Opening reads the configuration and the headers, and finds everything that is wrong before a weight is read; loading reads the weights. The
 * tokenizer is apart (tokenizer.ts): a model can do without. Files that hold code (pickles) are never opened.
 */
import { readdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import type { ParameterSpec, Tensors } from '../../models/parameters.ts';
import { transformerParameters } from '../../models/transformer.ts';
import { jsonFile } from '../jsonFile.ts';
import { openShards, openTensorFile, PIECE, readFloats, requireFloats, type StoredTensor, type StoredTensors } from '../tensorFiles.ts';
import { readConfig, type FolderConfig } from './config.ts';
import { estimateMemory, type MemoryEstimate } from './memory.ts';
import { isBuffer, isQuantised, sourceOf, type Source } from './names.ts';

const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const CONFIG_LIMIT = 2 ** 22;

/** A checkpoint that can be loaded: every parameter has a tensor of its shape. */
export interface Checkpoint extends FolderConfig {
  readonly folder: string;
  /** Parameter by parameter: where its numbers are, or that they are zeros. */
  readonly sources: readonly { readonly spec: ParameterSpec; readonly from: 'zeros' | (Source & { readonly stored: StoredTensor }) }[];
  /** An unembedding that is stored though it is tied: must be the embedding. */
  readonly twin: StoredTensor | undefined;
  /** Bytes of the weights as they are stored, e.g. half of what bfloat16 takes once it is read. */
  readonly storedBytes: number;
}

/** @param place who reads, in errors @throws UserError naming file, key or tensor and what is wrong with it */
export async function openCheckpoint(folder: string, place = 'huggingface'): Promise<Checkpoint> {
  const files = filesOf(folder, place);
  const config = readConfig(jsonFile(join(folder, 'config.json'), `${place}: config.json`, CONFIG_LIMIT), `${place}: config.json`);
  const tensors = await openWeights(folder, files, place);
  return { folder, ...config, ...matchTensors(config, tensors, place) };
}

export interface LoadOptions {
  /** The most bytes of memory the model may take, with a forward of `rows` × `positions`; four fifths of the machine's. */
  readonly limit?: number;
  readonly rows?: number;
  readonly positions?: number;
  readonly signal?: AbortSignal;
  /** Told after each parameter how many bytes are read, of how many. */
  readonly progress?: (read: number, total: number) => void;
  readonly place?: string;
}

/** What a checkpoint would take in memory, its reading included. */
export function memoryOf(checkpoint: Checkpoint, size: { rows: number; positions: number }): MemoryEstimate & { readonly reading: number } {
  const estimate = estimateMemory(checkpoint.transformer, size);
  const largest = checkpoint.sources.reduce(
    (most, { from }) => (from === 'zeros' ? most : Math.max(most, from.stored.end - from.stored.begin)),
    0,
  );
  // A piece as it is stored, its copy, and its numbers; and the twin of a tied embedding.
  const reading =
    4 * Math.min(PIECE, largest) + (checkpoint.twin ? 4 * checkpoint.transformer.vocabulary * checkpoint.transformer.width : 0);
  return { ...estimate, reading, total: estimate.weights + Math.max(reading, estimate.activations) };
}

/** @throws UserError if it would take more memory than allowed, or a weight is no finite number */
export async function loadCheckpoint(checkpoint: Checkpoint, options: LoadOptions = {}): Promise<LanguageModel> {
  const { limit = Math.floor(0.8 * totalmem()), rows = 1, signal, progress, place = 'huggingface' } = options;
  const { transformer, family, folder, twin } = checkpoint;
  const positions = options.positions ?? Math.min(transformer.positions, 512);
  const { total, weights } = memoryOf(checkpoint, { rows, positions });
  if (total > limit)
    throw new UserError(
      `${place}: memory`,
      `must be at most ${limit} bytes for weights (${weights}) and a forward of ${rows} × ${positions} tokens`,
      total,
    );
  const parameters: Record<string, Float32Array> = {};
  let read = 0;
  for (const { spec, from } of checkpoint.sources) {
    if (from === 'zeros') parameters[spec.name] = new Float32Array(spec.shape.reduce((a, b) => a * b, 1));
    else {
      parameters[spec.name] = await readFloats(from.stored, `${place}: ${from.tensor}`, { transpose: from.transpose, signal });
      read += from.stored.end - from.stored.begin;
      progress?.(read, checkpoint.storedBytes);
    }
  }
  if (twin) await requireTwin(twin, parameters, place, signal);
  const details = { family, bytes: checkpoint.storedBytes };
  return { architecture: 'transformer', config: transformer, parameters, origin: { kind: 'loaded', name: folder, details } };
}

/** Opened and loaded. */
export async function loadHuggingFace(folder: string, options: LoadOptions = {}): Promise<LanguageModel> {
  return loadCheckpoint(await openCheckpoint(folder, options.place), options);
}

function filesOf(folder: string, place: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const rule = code === 'ENOENT' ? 'must exist' : code === 'ENOTDIR' ? 'must be a folder' : 'must be readable';
    throw new UserError(`${place}: folder`, rule, folder, { cause: error });
  }
}

async function openWeights(folder: string, files: readonly string[], place: string): Promise<StoredTensors> {
  if (files.includes(WHOLE)) return openTensorFile(join(folder, WHOLE), `${place}: ${WHOLE}`);
  if (files.includes(INDEX)) return openShards(folder, INDEX, place);
  const other = files.find((name) => /\.(bin|pt|pth|ckpt|pkl|gguf|ggml|h5|msgpack|safetensors)$/.test(name));
  const pickle = other !== undefined && /\.(bin|pt|pth|ckpt|pkl)$/.test(other);
  throw new UserError(
    `${place}: folder`,
    `must hold ${WHOLE} or ${INDEX}${pickle ? '; pickles are not opened, as they can run code: save the model as safetensors' : ''}`,
    other ?? 'no file of weights',
  );
}

function matchTensors(
  { transformer, biases }: FolderConfig,
  tensors: StoredTensors,
  place: string,
): Pick<Checkpoint, 'sources' | 'twin' | 'storedBytes'> {
  const quantised = [...tensors.keys()].find(isQuantised);
  if (quantised !== undefined)
    throw new UserError(`${place}: tensors`, 'must not be quantised: load the weights they were made of', quantised);
  const left = new Map([...tensors].filter(([name]) => !isBuffer(name)));
  const sources = transformerParameters(transformer).map((spec) => {
    const source = sourceOf(spec.name, biases);
    if (source === 'zeros') return { spec, from: source };
    const stored = tensors.get(source.tensor);
    if (!stored) throw new UserError(`${place}: ${source.tensor}`, `must be there for ${spec.name}`, 'no such tensor');
    requireFloats(stored, `${place}: ${source.tensor}`);
    const shape = source.transpose ? spec.shape.toReversed() : spec.shape;
    if (stored.shape.length !== shape.length || stored.shape.some((extent, i) => extent !== shape[i]))
      throw new UserError(`${place}: ${source.tensor}: shape`, `must be [${shape.join(', ')}], as config.json says`, stored.shape);
    left.delete(source.tensor);
    return { spec, from: { ...source, stored } };
  });
  const twin = transformer.tied ? left.get('lm_head.weight') : undefined;
  left.delete(twin ? 'lm_head.weight' : '');
  const unknown = [...left.keys()][0];
  if (unknown !== undefined) throw new UserError(`${place}: tensors`, 'must be parameters of the model config.json describes', unknown);
  const storedBytes = sources.reduce((sum, { from }) => sum + (from === 'zeros' ? 0 : from.stored.end - from.stored.begin), 0);
  return { sources, twin, storedBytes };
}

async function requireTwin(twin: StoredTensor, parameters: Tensors, place: string, signal: AbortSignal | undefined): Promise<void> {
  const at = `${place}: lm_head.weight`;
  const embedding = parameters['embed.W_E'];
  const values = await readFloats(twin, at, { signal });
  const other = values.length === embedding.length ? values.findIndex((value, i) => value !== embedding[i]) : 0;
  if (other >= 0) throw new UserError(`${at}: entry ${other}`, 'must be the embedding, as tie_word_embeddings is true', values[other]);
}
