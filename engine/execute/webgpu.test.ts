/**
 * ONNX Runtime's WebGPU provider against its CPU provider over twenty steps of Adam: on this machine's GPU, or in software on SwiftShader.
 *
 * Each training runs in a process of its own (testing/steps.ts), which a driver may crash without harm. Where there is neither a driver nor
 * the SwiftShader of a Chromium, it is skipped with the reason.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Distance } from './testing/steps.ts';

/** Milliseconds a training may take: SwiftShader needs 4 s for the MLP and 7 s for the transformer when the machine is idle. */
const PATIENCE = 80_000;

/** Where Chromium keeps its Vulkan in software, on Debian and elsewhere. */
const SWIFTSHADER = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser', '/opt/google/chrome']
  .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
  .find((file) => existsSync(file));

const folder = mkdtempSync(join(tmpdir(), 'gatescope-webgpu-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An environment in which Vulkan is SwiftShader. */
function softwareVulkan(icd: string): NodeJS.ProcessEnv {
  const environment = { ...process.env, VK_ICD_FILENAMES: icd, XDG_RUNTIME_DIR: folder };
  // Chromium brings the loader too, for machines that have none; only that file is offered, not all the libraries beside it.
  const loader = join(dirname(icd), 'libvulkan.so.1');
  if (!existsSync(loader)) return environment;
  const link = join(folder, 'libvulkan.so.1');
  if (!existsSync(link)) symlinkSync(loader, link);
  return { ...environment, LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(':') };
}

/** What steps.ts printed, or what it said when it failed. */
function trainApart(model: string, env: NodeJS.ProcessEnv): Promise<Distance | string> {
  const script = fileURLToPath(new URL('testing/steps.ts', import.meta.url));
  return new Promise((resolve) =>
    execFile(process.execPath, [script, 'webgpu', model], { env, timeout: PATIENCE, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve(error ? `${error.signal ?? `exit code ${error.code}`}: ${stderr.trim()}` : (JSON.parse(stdout) as Distance)),
    ),
  );
}

/** What ONNX Runtime says where there is no GPU, and where it was built without WebGPU. */
const UNAVAILABLE = /Failed to get a WebGPU adapter|executionProviders\[0\] is unsupported/;

/** Issue 2, §3. Measured on SwiftShader, MLP and transformer: losses 2.1e-7 and 4.1e-7, gradients 2.0e-7 and 4.2e-7. */
const LIMIT = 1e-5;

test.for(['mlp', 'transformer'])('twenty steps of Adam: WebGPU and CPU, %s', { timeout: PATIENCE + 5000 }, async (model, { skip }) => {
  const apart = await trainApart(model, SWIFTSHADER ? softwareVulkan(SWIFTSHADER) : process.env);
  if (typeof apart === 'string') {
    const [unavailable] = UNAVAILABLE.exec(apart) ?? [];
    if (unavailable) skip(`${SWIFTSHADER ?? 'neither a Chromium with SwiftShader nor a driver'}: ${unavailable}`);
    throw new Error(apart);
  }
  expect(apart.losses).toBeLessThanOrEqual(LIMIT);
  expect(apart.gradients).toBeLessThanOrEqual(LIMIT);
  expect(apart.learnt).toBeGreaterThan(0.2);
});
