/** `gatescope devices`: what programs can run on here, how closely it agrees with the CPU, and why the rest cannot. */
import { Command } from 'commander';
import { devices, parityText, type DeviceReport } from '../../engine/execute/devices.ts';
import { checkInEngine } from '../host/devices.ts';
import { print } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { aligned } from './table.ts';
import type { Surroundings } from './work.ts';

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
