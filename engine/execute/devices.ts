/**
 * The devices programs can run on: which of them can here, why the others cannot, and whether one computes what the CPU computes.
 *
 * A GPU is trusted only after a short parity check. What that check computes is handed in, since models lie above executors
 * (jobs/checkDevice.ts). A native probe can take its process down, so probe in an engine of its own (main/cli/devices.ts).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type { TensorFlow } from '../graph/operation.ts';
import type { Executor, Results } from './executor.ts';
import { bundledProviders, OnnxRuntimeExecutor } from './onnxruntime.ts';

/** `cpu` to `coreml` are ONNX Runtime's providers, `tensorflow` the native library of `@tensorflow/tfjs-node-gpu`. */
export const devices = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'tensorflow'] as const;
export type Device = (typeof devices)[number];

/** The three things a device has to get right. */
export const figures = ['forward', 'gradient', 'interchange'] as const;
export type Figure = (typeof figures)[number];

/** A part of the parity check: computes some tensors of some figures on whatever executor it is given. */
export type ParityPart = (executor: Executor) => Partial<Record<Figure, Results>>;

export interface Parity {
  /** The executor it is held against. */
  readonly reference: string;
  /** The largest relative error met, see {@link relativeError}. */
  readonly errors: Readonly<Record<Figure, number>>;
  /** What none of them may exceed. */
  readonly limit: number;
  readonly agrees: boolean;
}

export type DeviceReport =
  | { readonly device: Device; readonly runs: true; readonly parity: Parity }
  | { readonly device: Device; readonly runs: false; readonly reason: string };

/** A device is not to be had here; the message says why, in words for its user. */
export class DeviceUnavailable extends Error {
  override readonly name = 'DeviceUnavailable';
}

/** float32 sums in another order: the two executors are 2e-7 to 2e-6 apart on the check's graphs. */
const CPU_LIMIT = 1e-5;
/**
 * WGSL lets tanh be off by 1e-5 and exp by some ulp more than a CPU's, and a GPU adds up in an order of its own: several such errors in a row
 * stay below this. TF32 and float16 products, a thousandth off, do not: their small effects would not be the CPU's.
 */
const GPU_LIMIT = 1e-4;

/** Tries a device, and holds it against the CPU (the CPU against TensorFlow.js). Never throws for what is wrong with the device. */
export async function probe(
  device: Device,
  parts: readonly ParityPart[],
  open: (device: Device) => Promise<Executor> = openDevice,
): Promise<DeviceReport> {
  const opened: Executor[] = [];
  try {
    const executor = await open(device);
    opened.push(executor);
    const reference = device === 'cpu' ? await openReference() : new OnnxRuntimeExecutor();
    opened.push(reference);
    const parity = compareExecutors(executor, reference, parts, device === 'cpu' ? CPU_LIMIT : GPU_LIMIT);
    if (parity.agrees) return { device, runs: true, parity };
    return { device, runs: false, reason: `refused: it disagrees with ${parity.reference}: ${parityText(parity)}` };
  } catch (error) {
    return { device, runs: false, reason: error instanceof DeviceUnavailable ? error.message : reasonOf(device, error) };
  } finally {
    for (const executor of opened) executor.dispose();
  }
}

/** `largest relative error 2.1e-7 forward, 3.0e-7 gradient, 4.1e-6 interchange (limit 1e-4)` */
export function parityText({ errors, limit }: Parity): string {
  return `largest relative error ${figures.map((figure) => `${errors[figure].toExponential(1)} ${figure}`).join(', ')} (limit ${limit.toExponential()})`;
}

/** Runs all parts on both and compares what came out. */
export function compareExecutors(executor: Executor, reference: Executor, parts: readonly ParityPart[], limit: number): Parity {
  const errors: Record<Figure, number> = { forward: 0, gradient: 0, interchange: 0 };
  for (const part of parts) {
    const [got, wanted] = [part(executor), part(reference)];
    for (const figure of figures) {
      const expected = wanted[figure];
      if (expected) errors[figure] = Math.max(errors[figure], relativeError(got[figure] ?? {}, expected));
    }
  }
  return { reference: reference.name, errors, limit, agrees: figures.every((figure) => errors[figure] <= limit) };
}

/**
 * The largest ‖actual − expected‖ / ‖expected‖ over the tensors. Where a tensor is less than a hundredth of all of them together, that
 * hundredth takes the place of its own norm: the gradient of a key's bias is 0 but for rounding, because softmax ignores a shift.
 * Infinity where something is missing or not a number.
 */
export function relativeError(actual: Results, expected: Results): number {
  const norm = (squares: number) => Math.sqrt(squares);
  const squared = (data: ArrayLike<number>) =>
    Array.prototype.reduce.call(data, (total, entry) => (total as number) + (entry as number) ** 2, 0) as number;
  const whole = norm(Object.values(expected).reduce((total, { data }) => total + squared(data), 0));
  let largest = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const other = actual[name]?.data;
    if (other?.length !== data.length) return Infinity;
    const difference = norm(squared(Float64Array.from(data, (entry, i) => other[i] - entry)));
    const error = difference === 0 ? 0 : difference / Math.max(norm(squared(data)), whole / 100);
    if (!Number.isFinite(error)) return Infinity;
    largest = Math.max(largest, error);
  }
  return largest;
}

/** An executor on the device. ONNX Runtime looks for a driver only when it first compiles. @throws DeviceUnavailable if it cannot be had here */
export async function openDevice(device: Device): Promise<Executor> {
  // The libraries of CUDA round the factors of float32 products to 10 bits (TF32) unless told not to before they are loaded.
  if (device === 'cuda' || device === 'tensorflow') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  // Waited for here: a refusal that nobody waits for yet may be taken for one that nobody handles.
  if (device === 'tensorflow') return await openTensorFlow();
  requireSystem(device);
  requireProvider(device);
  return new OnnxRuntimeExecutor({ provider: device });
}

function requireSystem(device: Device): void {
  const [system, name, whole] =
    device === 'dml' ? ['win32', 'DirectML', 'Windows'] : device === 'coreml' ? ['darwin', 'Core ML', 'macOS'] : [process.platform];
  if (system !== process.platform) throw new DeviceUnavailable(`${name} is a part of ${whole}; this is ${process.platform}`);
}

function requireProvider(device: Device): void {
  let known: readonly string[];
  try {
    known = bundledProviders().map(({ name }) => name);
  } catch (error) {
    throw new DeviceUnavailable(`onnxruntime-node does not load on ${process.platform}-${process.arch}: ${trimmed(error)}`, {
      cause: error,
    });
  }
  if (!known.includes(device))
    throw new DeviceUnavailable(
      `onnxruntime-node for ${process.platform}-${process.arch} is built without it (it knows ${known.join(', ')})`,
    );
}

/** TensorFlow.js's own CPU backend. Loaded here, and not by every engine when it starts. */
async function openReference(): Promise<Executor> {
  const { TensorFlowExecutor } = await import('./tensorflow.ts');
  return new TensorFlowExecutor();
}

/** This project's .npmrc keeps packages from running scripts when they are installed. */
const REBUILD = 'npm rebuild --ignore-scripts=false';

async function openTensorFlow(): Promise<Executor> {
  // Removed in Node 23; the package still calls it when it runs an operation.
  (util as { isNullOrUndefined?: (value: unknown) => boolean }).isNullOrUndefined ??= (value) => value == null;
  let module: TensorFlow;
  try {
    module = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as TensorFlow;
  } catch (error) {
    throw new DeviceUnavailable(tensorFlowReason(error), { cause: error });
  }
  const { TensorFlowExecutor } = await import('./tensorflow.ts');
  const executor = new TensorFlowExecutor(module, 'tensorflow');
  // Without a GPU the library computes on the CPU without a word.
  if (!(module.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice)
    throw new DeviceUnavailable('the native library of @tensorflow/tfjs-node-gpu finds no CUDA GPU, and on the CPU ONNX Runtime is faster');
  return executor;
}

/** Why `require('@tensorflow/tfjs-node-gpu')` failed. */
export function tensorFlowReason(error: unknown): string {
  const message = trimmed(error);
  if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' && message.includes("'@tensorflow/tfjs-node-gpu'"))
    return 'the optional package @tensorflow/tfjs-node-gpu is not installed';
  if (message.includes('tfjs_binding.node) can not be found'))
    return `the native library of @tensorflow/tfjs-node-gpu is not there: \`${REBUILD} @tensorflow/tfjs-node-gpu\` downloads it`;
  return `@tensorflow/tfjs-node-gpu does not load: ${message}`;
}

/** Why a program could not be compiled or run on a device that this build knows. */
function reasonOf(device: Device, error: unknown): string {
  const said = `ONNX Runtime says: ${trimmed((error as Error).cause ?? error)}`;
  if (device === 'webgpu' && /adapter/i.test(said)) {
    const absent = process.platform === 'linux' && missingLibrary('libvulkan.so.1');
    return absent
      ? `no Vulkan loader is installed (${absent}; Debian: apt install libvulkan1 and your GPU's driver). ${said}`
      : `no driver of a GPU was found. ${said}`;
  }
  if (device === 'cuda') {
    const needs = 'needs CUDA 12, cuDNN 9 and an NVIDIA driver';
    if (!hasProviderLibrary('cuda'))
      return `ONNX Runtime's files for it are not there: \`ONNXRUNTIME_NODE_INSTALL=cuda12 ${REBUILD} onnxruntime-node\` downloads them; it also ${needs}`;
    return `it does not start, and ${needs}. ${said}`;
  }
  return device === 'tensorflow' ? `it failed: ${trimmed(error)}` : `it failed. ${said}`;
}

/** Whether the file of a provider that is too large for npm lies beside ONNX Runtime's own library. */
function hasProviderLibrary(provider: string): boolean {
  const binding = createRequire(import.meta.url).resolve('onnxruntime-node/dist/binding.js');
  return existsSync(
    join(dirname(binding), '..', 'bin', 'napi-v6', process.platform, process.arch, `libonnxruntime_providers_${provider}.so`),
  );
}

/** What the system's loader says about a shared library it cannot load; undefined if it can. */
function missingLibrary(name: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, name);
  } catch (error) {
    // A library that did load is refused for not being an addon.
    if ((error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED' && !/self-register/.test((error as Error).message))
      return trimmed(error);
  }
  return undefined;
}

const LONGEST = 200;

/** An error's message in one line, without the places in ONNX Runtime's source that native ones begin with. */
function trimmed(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
  const bare = text.replace(/^.*\.(cc|cpp|h):\d+ .*?(?: was false\. |\[ONNXRuntimeError\] : \d+ : \w+ : )/, '');
  return bare.length > LONGEST ? `${bare.slice(0, LONGEST)}…` : bare;
}
