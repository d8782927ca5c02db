/**
 * `node bench/window.ts [coldStart|firstPicture|brush|dial|memory …] [--json] [--rounds N] [--gigabytes N] [--actions N]`: what waits for a
 * person in the window, and what it keeps. Each figure is a file in bench/window/; here they are put on a screen, run and printed.
 *
 * Where there is no screen, one is made (Xvfb): nothing here says anything about a GPU. Pages are painted in software then.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../scripts/build.mjs';
import { electronRuntime } from '../scripts/electronRuntime.mjs';
import { onScreen, windowPackages } from '../scripts/playwright.mjs';
import { guarded, setup, SetupError } from '../scripts/setup.mjs';
import { brush } from './window/brush.ts';
import { coldStart } from './window/coldStart.ts';
import { dial } from './window/dial.ts';
import { textOf, type Figure } from './window/figure.ts';
import { firstPicture } from './window/firstPicture.ts';
import { memory } from './window/memory.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    gigabytes: { type: 'string', default: '1' },
    actions: { type: 'string', default: '500' },
  },
});

type Runtime = ReturnType<typeof electronRuntime>;
const rounds = (otherwise: number): number => atLeast('--rounds', values.rounds ?? String(otherwise), 1);

function atLeast(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least)) throw new SetupError(`${option} must be at least ${least}, got ${JSON.stringify(text)}`);
  return value;
}

const figures: Readonly<Record<string, (runtime: Runtime) => Promise<Figure[]>>> = {
  coldStart: (runtime) => coldStart(runtime, rounds(11)),
  firstPicture: () => firstPicture(rounds(7), atLeast('--gigabytes', values.gigabytes, 0)),
  brush: () => brush(rounds(5)),
  dial: () => dial(),
  memory: () => memory(atLeast('--actions', values.actions, 150)),
};

const loads = (): string =>
  loadavg()
    .map((load) => load.toFixed(1))
    .join(' ');

function machine({ version, source }: Runtime): string {
  const model = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  return `${availableParallelism()} cores of ${cpus()[0].model}, ${model}, Electron ${version} (${source}), host on Node ${process.versions.node}`;
}

await guarded(async () => {
  const wanted = positionals.length > 0 ? positionals : Object.keys(figures);
  for (const name of wanted)
    if (!Object.hasOwn(figures, name)) throw new SetupError(`figure must be one of ${Object.keys(figures).join(', ')}, got ${name}`);
  if (process.platform === 'linux' && !process.env.DISPLAY) {
    const { status } = onScreen([process.execPath, import.meta.filename, ...process.argv.slice(2)], process.env);
    process.exitCode = status ?? 1;
    return;
  }
  const tools = setup({ debian: windowPackages });
  buildIfNeeded(tools);
  const runtime = electronRuntime({ node: tools.node });
  Object.assign(process.env, { ELECTRON_OVERRIDE_DIST_PATH: runtime.dist, HOST_NODE: tools.node });
  if (!values.json) console.log(machine(runtime));
  for (const name of wanted) {
    const before = loads();
    for (const figure of await figures[name](runtime)) {
      const load = `${before} before, ${loads()} after`;
      console.log(values.json ? JSON.stringify({ ...figure, load, machine: machine(runtime) }) : `\n${textOf(figure)}\n  load: ${load}`);
    }
  }
});
