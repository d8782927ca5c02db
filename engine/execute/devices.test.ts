/** What devices.ts says of devices that are there, that are not, and that compute something else; and the two CPU executors over twenty steps. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { FromEngine, ToEngine } from '../contract.ts';
import { parityParts } from '../jobs/checkDevice.ts';
import { compareExecutors, probe, relativeError, tensorFlowReason, type Device, type DeviceReport, type Figure } from './devices.ts';
import type { Executable, Executor, Results } from './executor.ts';
import { OnnxRuntimeExecutor } from './onnxruntime.ts';
import { TensorFlowExecutor } from './tensorflow.ts';
import { distance, models, train } from './testing/steps.ts';

const results = (tensors: Record<string, readonly number[]>): Results =>
  Object.fromEntries(Object.entries(tensors).map(([name, data]) => [name, { data: Float32Array.from(data), shape: [data.length] }]));

describe('relativeError', () => {
  test('is of the norm of a tensor, the worst counting', () => {
    const expected = results({ a: [3, 4], b: [0, 2] });
    expect(relativeError(results({ a: [3, 4.5], b: [0, 2] }), expected)).toBe(0.1);
    expect(relativeError(results({ a: [3, 4.5], b: [0.5, 2] }), expected)).toBe(0.25);
    expect(relativeError(expected, expected)).toBe(0);
  });

  test('is of a hundredth of all tensors for one that is all but nothing', () => {
    expect(relativeError(results({ a: [3, 4], b: [1e-9] }), results({ a: [3, 4], b: [0] }))).toBeCloseTo(2e-8, 12);
  });

  test('is infinite where something is missing or not a number', () => {
    const expected = results({ a: [3, 4] });
    for (const actual of [results({}), results({ a: [3] }), results({ a: [3, NaN] }), results({ a: [Infinity, 4] })])
      expect(relativeError(actual, expected)).toBe(Infinity);
    expect(relativeError(results({ a: [1] }), results({ a: [NaN] }))).toBe(Infinity);
    expect(relativeError(results({ a: [0] }), results({ a: [0] }))).toBe(0);
  });
});

/** The CPU, but for what is done to every result that has a given output. */
class Faulty implements Executor {
  readonly name = 'faulty';
  readonly #cpu = new OnnxRuntimeExecutor();
  readonly #fault: (results: Results) => Results;

  constructor(fault: (results: Results) => Results) {
    this.#fault = fault;
  }

  compile(program: Parameters<Executor['compile']>[0]): Executable {
    const executable = this.#cpu.compile(program);
    return { run: (feeds) => this.#fault(executable.run(feeds)), dispose: () => executable.dispose() };
  }

  dispose(): void {
    this.#cpu.dispose();
  }
}

/** One tensor of a result, 0.1 % too large. */
const enlarged = (results: Results, name: string): Results => {
  const tensor = results[name];
  return tensor ? { ...results, [name]: { ...tensor, data: Float32Array.from(tensor.data, (entry) => entry * 1.001) } } : results;
};

describe('a device that', () => {
  test.each<{ what: string; figure: Figure; fault: (results: Results) => Results }>([
    { what: 'is a thousandth off in its outputs', figure: 'forward', fault: (results) => enlarged(results, 'logits') },
    {
      what: 'is a thousandth off in one gradient',
      figure: 'gradient',
      fault: (results) => enlarged(results, 'gradient.blocks.1.attn.W_Q'),
    },
    { what: 'is a thousandth off in what is swapped', figure: 'interchange', fault: (results) => enlarged(results, 'z') },
  ])('$what is refused, with the numbers', async ({ figure, fault }) => {
    const report = await probe('webgpu', parityParts(), async () => new Faulty(fault));
    expect(report).toEqual({
      device: 'webgpu',
      runs: false,
      reason: expect.stringMatching(/^refused: it disagrees with onnxruntime-cpu: .*limit 1e-4/) as string,
    });
    const { errors, agrees } = compareExecutors(new Faulty(fault), new OnnxRuntimeExecutor(), parityParts(), 1e-4);
    expect(agrees).toBe(false);
    expect(errors[figure]).toBeGreaterThan(5e-4);
  });

  test('leaves a head where it was is refused', () => {
    // Every run gives the same logits: the swap moved nothing.
    let first: Results[string] | undefined;
    const still = new Faulty((results) => ({ ...results, logits: (first ??= results.logits) }));
    const interchange = parityParts().filter((part) => 'interchange' in part(new OnnxRuntimeExecutor()));
    expect(interchange).toHaveLength(1);
    expect(compareExecutors(still, new OnnxRuntimeExecutor(), interchange, 1e-4)).toMatchObject({
      errors: { interchange: 1 },
      agrees: false,
    });
  });

  test('fails in the middle is reported with what it said', async () => {
    const broken = new Faulty(() => {
      throw new Error('/onnxruntime_src/a/b.cc:136 ns::f(int)::<lambda()> status == Success was false. Device\n  lost');
    });
    expect(await probe('webgpu', parityParts(), async () => broken)).toEqual({
      device: 'webgpu',
      runs: false,
      reason: 'it failed. ONNX Runtime says: Device lost',
    });
  });

  test('computes what the CPU computes is accepted', async () => {
    const report = await probe('webgpu', parityParts(), async () => new Faulty((results) => results));
    expect(report).toEqual({
      device: 'webgpu',
      runs: true,
      parity: { reference: 'onnxruntime-cpu', errors: { forward: 0, gradient: 0, interchange: 0 }, limit: 1e-4, agrees: true },
    });
  });
});

/** What an engine of its own says of a device: a native library may crash it. @param entry what it runs: all kinds of jobs, or this one */
function probeInEngine(device: Device, env: NodeJS.ProcessEnv = {}, entry = 'testing/deviceEngine.ts'): Promise<unknown> {
  const engine = fork(fileURLToPath(new URL(entry, import.meta.url)), {
    serialization: 'advanced',
    silent: true,
    execArgv: [],
    env: { ...process.env, ...env },
  });
  const answer = new Promise((resolve, reject) => {
    engine.on('message', (message: FromEngine) =>
      message.type === 'done' ? resolve(message.result) : reject(new Error(JSON.stringify(message))),
    );
    engine.on('exit', (code, signal) => reject(new Error(`the engine ended: ${signal ?? code}`)));
  });
  engine.send({
    type: 'run',
    job: 1,
    request: { kind: 'checkDevice', parameters: { device } },
    threads: 1,
    resume: undefined,
  } satisfies ToEngine);
  return answer.finally(() => engine.kill('SIGKILL'));
}

const reason = (pattern: RegExp | string) => ({
  runs: false,
  reason: typeof pattern === 'string' ? pattern : (expect.stringMatching(pattern) as string),
});

describe('in an engine of its own', () => {
  test('the CPU runs', async () =>
    expect(await probeInEngine('cpu', {}, '../engine.ts')).toMatchObject({
      device: 'cpu',
      runs: true,
      parity: { reference: 'tensorflow-cpu', limit: 1e-5, agrees: true },
    }));

  test.skipIf(process.platform === 'win32')('DirectML belongs to Windows', async () =>
    expect(await probeInEngine('dml')).toEqual({ device: 'dml', ...reason(`DirectML is a part of Windows; this is ${process.platform}`) }),
  );

  test.skipIf(process.platform === 'darwin')('Core ML belongs to macOS', async () =>
    expect(await probeInEngine('coreml')).toEqual({
      device: 'coreml',
      ...reason(`Core ML is a part of macOS; this is ${process.platform}`),
    }),
  );

  test.skipIf(process.platform !== 'linux')('WebGPU without a driver says so', async () =>
    // The loader finds no driver where it is told to look for one that is not there.
    expect(await probeInEngine('webgpu', { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' })).toEqual({
      device: 'webgpu',
      ...reason(
        /^no (Vulkan loader is installed|driver of a GPU was found).* ONNX Runtime says: Failed to get a WebGPU adapter|is built without it/,
      ),
    }),
  );

  test.each(['cuda', 'tensorflow'] as const)('%s runs and agrees, or says why not', async (device) => {
    const report = (await probeInEngine(device)) as DeviceReport;
    expect(report).toMatchObject(
      report.runs
        ? { device, parity: { agrees: true } }
        : { device, ...reason(/not there: `.+` downloads|not installed|does not (load|start)|built without it|finds no CUDA GPU/) },
    );
  });
});

test('the package of TensorFlow.js says what is missing', () => {
  const absent = Object.assign(new Error("Cannot find module '@tensorflow/tfjs-node-gpu'\nRequire stack:\n- /x"), {
    code: 'MODULE_NOT_FOUND',
  });
  expect(tensorFlowReason(absent)).toBe('the optional package @tensorflow/tfjs-node-gpu is not installed');
  const bare = new Error(
    'The Node.js native addon module (tfjs_binding.node) can not be found at path: /x/lib/napi-v8/tfjs_binding.node. \nPlease run …',
  );
  expect(tensorFlowReason(bare)).toMatch(/native library .* is not there: `npm rebuild .*@tensorflow\/tfjs-node-gpu` downloads it/);
  expect(tensorFlowReason(new Error('libcudart.so.11.0: cannot open shared object file'))).toBe(
    '@tensorflow/tfjs-node-gpu does not load: libcudart.so.11.0: cannot open shared object file',
  );
});

/** What the rounding of float32 sums in two orders may come to (issue 2, §3). Measured: losses 1.1e-7 and 1.1e-6, gradients 1.9e-7 and 3.4e-7. */
describe('twenty steps of Adam: ONNX Runtime and TensorFlow.js', () => {
  test.each(['mlp', 'transformer'] as const)('%s', (name) => {
    const apart = distance(train(models[name](), new TensorFlowExecutor()), train(models[name](), new OnnxRuntimeExecutor()));
    expect(apart.losses).toBeLessThanOrEqual(1e-5);
    expect(apart.gradients).toBeLessThanOrEqual(1e-5);
    expect(apart.learnt).toBeGreaterThan(0.2);
  });
});
