/** `gatescope devices`: what programs can run on here, how closely it agrees with the CPU, and why the rest cannot. */
import { Command } from 'commander';
import { throwIfCancelled } from '../../engine/base/errors.ts';
import { devices, parityText, type Device, type DeviceReport } from '../../engine/execute/devices.ts';
import { EngineClient, EngineDied } from '../host/engineClient.ts';
import type { SpawnEngine } from '../host/spawn.ts';
import { print } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { aligned } from './table.ts';
import type { Surroundings } from './work.ts';

/** Milliseconds a device has: SwiftShader, which is no GPU at all, takes eight seconds. */
const PATIENCE = 60_000;

export function devicesCommand({ signal, spawn }: Surroundings): Command {
  return new Command('devices')
    .description('list the devices that programs can run on, and why others cannot')
    .option('--json', 'print an array of JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const line = new ProgressLine();
      const reports: DeviceReport[] = [];
      try {
        for (const device of devices) {
          line.show({ stage: `trying ${device}`, done: reports.length, total: devices.length });
          reports.push(await checkInEngine(device, signal, spawn));
        }
      } finally {
        line.clear();
      }
      await print(json ? `${JSON.stringify(reports)}\n` : devicesTable(reports));
    });
}

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

export function devicesTable(reports: readonly DeviceReport[]): string {
  const rows = [
    ['device', 'state', 'why'],
    ...reports.map((report) =>
      report.runs
        ? [report.device, 'runs', `as ${report.parity.reference} does: ${parityText(report.parity)}`]
        : [report.device, 'unavailable', report.reason],
    ),
  ];
  return `${aligned(rows)}\n`;
}
