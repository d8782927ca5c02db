/** Everything a window may ask, for one window. */
import type { Host, HostWindow } from '../host.ts';
import type { HostApi } from '../hostApi.ts';
import { fileMethods } from './files.ts';
import { historyMethods } from './history.ts';
import { liveMethods } from './live.ts';
import { programMethods } from './program.ts';
import { sessionMethods } from './session.ts';
import { sessionsMethods } from './sessions.ts';
import { workMethods } from './work.ts';

export function methodsFor(host: Host, window: HostWindow): HostApi & Readonly<Record<string, never>> {
  const methods: HostApi = {
    ...programMethods(host),
    ...sessionsMethods(host, window),
    ...sessionMethods(window),
    ...historyMethods(window),
    ...workMethods(window),
    ...liveMethods(host, window),
    ...fileMethods(window),
  };
  return methods as HostApi & Readonly<Record<string, never>>;
}
