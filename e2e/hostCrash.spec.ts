/** GIVEN a host that is killed WHEN a window is open THEN it hears of it, and can go on with a new host. */
import { expect, test } from './fixtures/lab.ts';
import { descendantsOf } from './probes/processes.ts';
import { RawHost } from './probes/rawHost.ts';

test('a host that dies is started again, and the window gets a port to it', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  expect(await host.call('about')).toMatchObject({ served: false });
  const [first] = hostsOf(desktop.application.process().pid!);
  const known = (await host.states()).length;

  process.kill(first, 'SIGKILL');
  expect(await host.waitFor('ended', known)).toMatchObject({ how: 'signal SIGKILL' });
  await host.waitFor('running', known);
  expect((await host.states()).slice(known).map(({ state }) => state)).toEqual(['ended', 'starting', 'running']);

  await host.connect();
  expect(await host.call('about')).toMatchObject({ served: false });
  expect(hostsOf(desktop.application.process().pid!)).not.toContain(first);
});

test('a host that keeps dying is left alone until somebody asks for it', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  const pid = desktop.application.process().pid!;
  await host.waitFor('running');
  for (let death = 1; death <= 3; death++) {
    const known = (await host.states()).length;
    process.kill(hostsOf(pid)[0], 'SIGKILL');
    await host.waitFor('ended', known);
    if (death < 3) await host.waitFor('running', known);
  }
  const known = (await host.states()).length;
  expect(hostsOf(pid)).toEqual([]);

  await desktop.page.evaluate(() => (window as unknown as { desktop: { restartHost(): void } }).desktop.restartHost());
  await host.waitFor('running', known);
  await host.connect();
  expect(await host.call('about')).toMatchObject({ served: false });
});

test('the program takes its host and engines along when it ends', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.waitFor('running');
  const [pid] = hostsOf(desktop.application.process().pid!);
  await desktop.close();
  expect(isAlive(pid)).toBe(false);
  await desktop.open();
});

function hostsOf(pid: number): number[] {
  return descendantsOf(pid, 'host.cjs');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
