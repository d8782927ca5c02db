/** Whether a device can be used, asked of an engine of its own; what the check computes is engine/jobs/checkDevice.ts's. */
import { throwIfCancelled } from '../../engine/base/errors.ts';
import type { Device, DeviceReport } from '../../engine/execute/devices.ts';
import { EngineClient, EngineDied } from './engineClient.ts';
import type { SpawnEngine } from './spawn.ts';

/** Milliseconds a device has: SwiftShader, which is no GPU at all, takes eight seconds. */
const PATIENCE = 60_000;

/**
 * Probes a device in an engine of its own, which may crash or never come back. Not through the pool, which would start a crashed probe
 * again and use an engine that loaded one driver for the next.
 */
export async function checkInEngine(device: Device, signal: AbortSignal, spawn: SpawnEngine, patience = PATIENCE): Promise<DeviceReport> {
  throwIfCancelled(signal);
  const tooLate = AbortSignal.timeout(patience);
  const engine = new EngineClient(spawn);
  try {
    const report = await engine.run({
      request: { kind: 'checkDevice', parameters: { device } },
      threads: 1,
      resume: undefined,
      signal: AbortSignal.any([signal, tooLate]),
      onProgress: () => undefined,
      onCheckpoint: async () => undefined,
    });
    return report as DeviceReport;
  } catch (error) {
    throwIfCancelled(signal);
    if (tooLate.aborted) return { device, runs: false, reason: `it gave no answer within ${patience / 1000} s` };
    if (error instanceof EngineDied) return { device, runs: false, reason: crashText(error) };
    throw error;
  } finally {
    await engine.kill();
  }
}

function crashText({ how, said }: EngineDied): string {
  const last = said
    .split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1);
  return `its driver crashed the process (${how})${last === undefined ? '' : `, whose last words were: ${last.trim().slice(0, 200)}`}`;
}
