/** Processes of the program under test, found without its help. */
import type { ElectronApplication } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the processes that a program has started, and those that these have, whose command line holds a text. */
export function descendantsOf(pid: number, text: string): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
        return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
      } catch {
        return []; // it has ended meanwhile
      }
    });
  const below = (parent: number): typeof all => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid)
    .filter(({ command }) => command.includes(text))
    .map((one) => one.pid);
}

/** Ids of its utility processes by the start of their name. */
export function utilitiesOf(application: ElectronApplication, name: string): Promise<number[]> {
  return application.evaluate(
    ({ app }, wanted) =>
      app
        .getAppMetrics()
        .filter((one) => one.type === 'Utility' && (one.name ?? one.serviceName ?? '').startsWith(wanted))
        .map(({ pid }) => pid),
    name,
  );
}
