/**
 * GIVEN host and engines as utility processes, as users have them. What needs no SQLite is all that the Electron of the tests can do this
 * way: its binding aborts on a Node-API that old.
 */
import { expect, test } from './fixtures/lab.ts';
import { utilitiesOf } from './probes/processes.ts';
import { RawHost } from './probes/rawHost.ts';

test.use({ host: 'utility' });

test('the host answers through a port of its own', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  expect(await host.call('about')).toMatchObject({ served: false });
  expect(await host.call('describe')).toMatchObject({ training: expect.any(Array) });
  expect(await utilitiesOf(desktop.application, 'Gatescope host')).toHaveLength(1);
});

test('an engine computes in a process of its own, and is gone when it is done', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  const devices = await host.call('checkDevices');
  expect(devices).toContainEqual(expect.objectContaining({ id: 'cpu', state: 'reference' }));
  await expect.poll(() => utilitiesOf(desktop.application, 'Gatescope engine')).toEqual([]);
});

test('a host that dies is started again', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  const [pid] = await utilitiesOf(desktop.application, 'Gatescope host');
  const known = (await host.states()).length;
  process.kill(pid, 'SIGKILL');
  // Electron may see the closed pipe before the end of the process, and then knows no signal.
  expect(await host.waitFor('ended', known)).toMatchObject({ how: expect.stringMatching(/^(signal SIGKILL|exit code \d+)$/) });
  await host.waitFor('running', known);
  await host.connect();
  expect(await host.call('about')).toMatchObject({ served: false });
});
