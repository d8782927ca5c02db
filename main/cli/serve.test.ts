/** `gatescope serve`: what it prints, what it serves, and that it ends when it is interrupted. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { HostApi, HostEvent } from '../host/hostApi.ts';
import { engineHere } from '../host/testing/engineHere.ts';
import { connect } from '../rpc/client.ts';
import { socketWire } from '../rpc/socketWire.ts';
import { Folder } from '../store/testing/sessions.ts';
import { serveCommand } from './serve.ts';
import { until } from '../host/testing/until.ts';

function page(folder: Folder): string {
  mkdirSync(folder.at('page'));
  writeFileSync(folder.at('page/index.html'), 'the page');
  return folder.at('page');
}

/** Runs it until `look` is through with what it printed. */
async function serving(built: string, words: readonly string[], look: (printed: string) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk: string | Uint8Array, ...rest: unknown[]) => {
    printed += String(chunk);
    const done = rest.find((given) => typeof given === 'function') as (() => void) | undefined;
    if (done) setImmediate(done);
    return true;
  });
  try {
    const command = serveCommand({ signal: controller.signal, spawn: engineHere }, built);
    const running = command.parseAsync(['--port', '0', ...words], { from: 'user' });
    const failed = running.then(
      () => undefined,
      (error: unknown) => error,
    );
    await Promise.race([until(() => printed.endsWith('\n')), failed]);
    if (printed === '') throw (await failed) as Error;
    spy.mockRestore();
    await look(printed);
    controller.abort();
    await running;
  } finally {
    spy.mockRestore();
  }
}

test('prints an address with which the page reaches the host, below the root', async () => {
  using folder = new Folder();
  vi.stubEnv('XDG_STATE_HOME', folder.at('state'));
  mkdirSync(folder.at('root'));
  await serving(page(folder), ['--root', folder.at('root')], async (printed) => {
    const address = new URL(printed.trim());
    expect([address.hostname, address.hash.slice(0, 7)]).toEqual(['127.0.0.1', '#token=']);
    expect(await (await fetch(new URL('/', address))).text()).toBe('the page');
    const socket = new WebSocket(`ws://${address.host}/host?token=${address.hash.slice(7)}`);
    const api = connect<HostApi, HostEvent>(
      socketWire(socket, () => Promise.reject(new Error('none'))),
      () => undefined,
    );
    await new Promise((resolve) => socket.once('open', resolve));
    expect(await api.about({})).toMatchObject({ served: true, root: folder.at('root'), sessionsFolder: folder.at('root') });
    expect((await api.createSession({})).path).toBe(folder.at('root/Untitled.gatescope'));
  });
  expect(existsSync(folder.at('root/Untitled.gatescope-lock'))).toBe(false);
  vi.unstubAllEnvs();
});

test('on another address than loopback it says how to come by a tunnel', async () => {
  using folder = new Folder();
  await serving(page(folder), ['--host', '0.0.0.0'], async (printed) => {
    const port = new URL(printed.split('\n')[0]).port;
    expect(printed).toContain(`ssh -L ${port}:127.0.0.1:${port} `);
  });
});

test('mistakes are told before anything is served', async () => {
  using folder = new Folder();
  const nothing = async () => undefined;
  await expect(serving(folder.at('none'), [], nothing)).rejects.toThrow('serve: page must be built first: npm run build');
  const built = page(folder);
  await expect(serving(built, ['--port', '65536'], nothing)).rejects.toThrow('serve: --port must be an integer in [0, 65535], got "65536"');
  await expect(serving(built, ['--root', folder.at('nowhere')], nothing)).rejects.toThrow('serve: --root must be a folder that is there');
});

test('a token of one\u2019s own stays from start to start, and is none that could be guessed', async () => {
  using folder = new Folder();
  vi.stubEnv('XDG_STATE_HOME', folder.at('state'));
  const built = page(folder);
  mkdirSync(folder.at('root'));
  const words = ['--root', folder.at('root')];
  try {
    vi.stubEnv('GATESCOPE_TOKEN', 'a-token-of-my-own');
    for (let start = 0; start < 2; start++)
      await serving(built, words, (printed) => {
        expect(new URL(printed.trim()).hash).toBe('#token=a-token-of-my-own');
        return Promise.resolve();
      });
    vi.stubEnv('GATESCOPE_TOKEN', 'short');
    await expect(serving(built, words, () => Promise.resolve())).rejects.toThrow('serve: GATESCOPE_TOKEN must be at least 16');
  } finally {
    vi.unstubAllEnvs();
  }
});
