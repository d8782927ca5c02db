/**
 * From the spawning of Electron, with nothing in its user-data folder, to a window that can be used: Home drawn with its list, which the host
 * has answered, and its buttons enabled. The rival in the same run is Electron itself: one window of the same kind, a page with one button.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BenchFailure } from '../failure.ts';
import { medianInterval } from '../statistics.ts';
import { ElectronProgram } from './electron.ts';
import { named, summary, type Figure } from './figure.ts';

interface Runtime {
  readonly dist: string;
  readonly executablePath: string;
  readonly version: string;
}

/** Milliseconds since the spawning. */
interface Start {
  /** The page's navigation began: Electron itself is up, and the program has made its window. */
  readonly page: number;
  readonly painted: number;
  readonly usable: number;
}

/** The least that Electron does: the same kind of window, nothing in it. */
const EMPTY = `
const { app, BrowserWindow } = require('electron');
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1440, height: 900, show: false, backgroundColor: '#f3f4f6',
    webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false, spellcheck: false } });
  window.once('ready-to-show', () => window.show());
  window.loadFile('page.html');
});
app.on('window-all-closed', () => app.quit());
`;
const EMPTY_PAGE = '<!doctype html><title>Empty</title><button>Ready</button>';

/** In the page: when a condition holds, after the frame that shows it. */
const whenever = (condition: string): string => `new Promise((resolve) => {
  const look = () => {
    if (!(${condition})) return requestAnimationFrame(look);
    const told = () => resolve({
      page: performance.timeOrigin,
      painted: performance.timeOrigin + (performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN),
      usable: performance.timeOrigin + performance.now(),
    });
    requestAnimationFrame(() => scheduler.postTask(told, { priority: 'user-blocking' }));
  };
  look();
})`;

const HOME_IS_THERE = `document.querySelector('[role=grid][aria-label=Sessions] [role=row][data-path]')
  && [...document.querySelectorAll('button')].some((one) => one.textContent.includes('New session') && !one.disabled)`;
const EMPTY_IS_THERE = `document.querySelector('button:not(:disabled)')`;

async function start(executable: string, program: string, condition: string): Promise<Start> {
  await using electron = new ElectronProgram(executable, program);
  const { page, painted, usable } = await electron.ask<Start>(whenever(condition));
  const since = (time: number): number => time - electron.spawned;
  return { page: since(page), painted: since(painted), usable: since(usable) };
}

/** Bytes: what the many smaller ones hold is not worth a process each to forget them. */
const SMALL = 30_000;

/** Nearly all that is read in a start: the runtime, the built program, the native packages. */
function filesOf(dist: string): string[] {
  const native = ['better-sqlite3/prebuilds', 'onnxruntime-node/bin'].map((name) => resolve('node_modules', name));
  const below = (path: string): string[] =>
    statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => below(join(path, name))) : [path];
  const built = ['main', 'preload', 'host', 'renderer', 'demonstration'].map((name) => resolve('out', name));
  return [dist, ...built, ...native]
    .filter((path) => existsSync(path))
    .flatMap((path) => below(path))
    .filter((path) => !path.endsWith('.map') && statSync(path).size >= SMALL);
}

/** Tells the system to forget what it has of files in memory (GNU dd). What a running process has mapped stays. */
function forget(files: readonly string[]): void {
  for (const file of files) if (statSync(file).size > 0) execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
}

/** Share of the files that is in memory (util-linux fincore). */
function residentShare(files: readonly string[]): number {
  const counted = execFileSync('fincore', ['--bytes', '--noheadings', '--raw', '--output', 'RES,SIZE', ...files], { encoding: 'utf8' });
  const rows = counted
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const total = (column: number): number => rows.reduce((sum, row) => sum + row[column], 0);
  return total(0) / total(1);
}

export async function coldStart(runtime: Runtime, rounds: number): Promise<Figure[]> {
  const empty = mkdtempSync(join(tmpdir(), 'gatescope-empty-'));
  try {
    writeFileSync(join(empty, 'package.json'), '{"name":"empty","main":"main.js"}');
    writeFileSync(join(empty, 'main.js'), EMPTY);
    writeFileSync(join(empty, 'page.html'), EMPTY_PAGE);
    const warm = await compare(runtime, empty, rounds, 'warm', () => undefined);
    const files = filesOf(runtime.dist);
    const resident: number[] = [];
    const cold = await compare(runtime, empty, Math.max(3, Math.ceil(rounds / 2)), 'cold', () => {
      forget(files);
      resident.push(residentShare(files));
    });
    return [warm, { ...cold, values: { ...cold.values, stillInMemory: Math.max(...resident) } }];
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

async function compare(
  { executablePath, version }: Runtime,
  empty: string,
  rounds: number,
  cache: 'warm' | 'cold',
  before: () => void,
): Promise<Figure> {
  const ours: Start[] = [];
  const rival: Start[] = [];
  for (let round = cache === 'warm' ? -1 : 0; round < rounds; round++) {
    const sides = round % 2 === 0 ? (['ours', 'rival'] as const) : (['rival', 'ours'] as const);
    for (const side of sides) {
      before();
      const found =
        side === 'ours' ? await start(executablePath, resolve('.'), HOME_IS_THERE) : await start(executablePath, empty, EMPTY_IS_THERE);
      if (round >= 0) (side === 'ours' ? ours : rival).push(found); // the first warms up
    }
  }
  if (ours.length !== rival.length) throw new BenchFailure('coldStart: both sides must have as many rounds');
  const usable = (starts: readonly Start[]): number[] => starts.map((one) => one.usable);
  const ratio = medianInterval(usable(ours).map((time, i) => rival[i].usable / time));
  const more = medianInterval(usable(ours).map((time, i) => time - rival[i].usable));
  return {
    name: `cold start, files ${cache}`,
    what: `Electron ${version} spawned on an empty user-data folder until Home is drawn, listed and enabled; rival: an empty Electron window`,
    unit: 'ms',
    values: {
      ...named('ours', summary(usable(ours))),
      ...named('rival', summary(usable(rival))),
      ratio: ratio.estimate,
      'ratio.lo': ratio.lo,
      'ratio.hi': ratio.hi,
      difference: more.estimate,
      'difference.lo': more.lo,
      'difference.hi': more.hi,
      'ours.page': summary(ours.map(({ page }) => page)).median,
      'ours.painted': summary(ours.map(({ painted }) => painted)).median,
      'rival.page': summary(rival.map(({ page }) => page)).median,
    },
    raw: { ours: usable(ours), rival: usable(rival) },
  };
}
