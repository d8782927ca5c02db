/**
 * `npm run dev`: the page from Vite's server, changed in place as its files change; shell, host and engine built again, and the program
 * started anew, when theirs do. Arguments go to the program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { electronRuntime } from './electronRuntime.mjs';
import { guarded, root, setup } from './setup.mjs';

await guarded(async () => {
  const { environment } = setup();
  process.chdir(root); // vite.config.ts names its folders from here
  const { createBuilder, createServer } = await import('vite');
  const { executablePath } = electronRuntime({ log: console.error });
  const server = await (await createServer({ server: { host: '127.0.0.1' } })).listen();
  const builder = await createBuilder({ mode: 'development' });

  /** @type {import('node:child_process').ChildProcess | undefined} */
  let program;
  const start = async () => {
    // Two of them would not both get the single instance's lock.
    const before = program;
    before?.removeAllListeners('exit');
    if (before && before.exitCode === null && before.signalCode === null) {
      const ended = once(before, 'exit');
      before.kill();
      await ended;
    }
    if (program !== before) return; // built again meanwhile, and started
    // As root Chromium has no sandbox to offer.
    const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const env = { ...environment, HOST_NODE: process.execPath, VITE_DEV_SERVER_URL: server.resolvedUrls?.local[0] };
    program = spawn(executablePath, [...flags, root, ...process.argv.slice(2)], { stdio: 'inherit', env });
    program.on('exit', (code) => process.exit(code ?? 0));
  };

  const built = new Set();
  // Those of vite.config.ts; `ssr` is Vite's own.
  const programs = Object.values(builder.environments).filter(({ name, config }) => config.consumer === 'server' && name !== 'ssr');
  for (const one of programs) {
    one.config.build.watch = {};
    const watcher = /** @type {import('rolldown').RolldownWatcher} */ (await builder.build(one));
    watcher.on('event', (event) => {
      if (event.code === 'ERROR') console.error(event.error);
      if (event.code !== 'END') return;
      built.add(one.name);
      if (built.size === programs.length) void start();
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      program?.kill();
      process.exit();
    });
});
