/** The program itself: what it is, what can be asked for, which devices there are, a person's settings. Needs no session, and no SQLite. */
import { availableParallelism, totalmem } from 'node:os';
import { devices, type DeviceReport } from '../../../engine/execute/devices.ts';
import { applicationVersion } from '../../store/application.ts';
import { description } from '../describe/description.ts';
import { checkInEngine } from '../devices.ts';
import { settingsChange } from '../files/settings.ts';
import type { Host } from '../host.ts';
import type { Device, HostApi } from '../hostApi.ts';
import { method, nothing } from './method.ts';

const titles: Readonly<Record<(typeof devices)[number], string>> = {
  cpu: 'CPU',
  webgpu: 'GPU (WebGPU)',
  cuda: 'GPU (CUDA)',
  dml: 'GPU (DirectML)',
  coreml: 'Core ML',
  tensorflow: 'GPU (TensorFlow)',
};

export function programMethods(host: Host): Pick<HostApi, 'about' | 'describe' | 'checkDevices' | 'settings' | 'changeSettings'> {
  const { options, paths, settings } = host;
  return {
    about: method('about', nothing, () => ({
      version: applicationVersion,
      platform: `${process.platform}-${process.arch}`,
      cores: availableParallelism(),
      memory: totalmem(),
      sessionsFolder: options.sessionsFolder,
      ...(paths.root !== undefined && { root: paths.root }),
      served: options.served,
      ...(options.demonstration !== undefined && { demonstration: options.demonstration }),
      modifier: process.platform === 'darwin' ? 'Cmd' : 'Ctrl',
    })),
    describe: method('describe', nothing, () => description()),
    checkDevices: method('checkDevices', nothing, async (_given, { signal, progress }) => {
      const checked: Device[] = [];
      for (const device of devices) {
        progress({ stage: `trying ${titles[device]}`, done: checked.length, total: devices.length });
        checked.push(asDevice(await checkInEngine(device, signal, options.spawn)));
      }
      return checked;
    }),
    settings: method('settings', nothing, () => settings.read()),
    changeSettings: method('changeSettings', settingsChange, (changes) =>
      settings.change(changes as Parameters<typeof settings.change>[0]),
    ),
  };
}

function asDevice(report: DeviceReport): Device {
  const { device: id } = report;
  const common = { id, title: titles[id] };
  if (!report.runs) {
    const state = report.reason.startsWith('refused: ') ? 'disagrees' : 'unavailable';
    return { ...common, state, differences: {}, reason: report.reason };
  }
  return { ...common, state: id === 'cpu' ? 'reference' : 'agrees', differences: report.parity.errors };
}
