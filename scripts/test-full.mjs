/** `npm run test:full`: the long tests (`*.full.test.ts`), whose figures are kept in fixtures/full-results.json. Arguments go to Vitest. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { guarded, root, setup, SetupError } from './setup.mjs';
import { listSkipped, runVitest } from './vitest.mjs';

const file = join(root, 'fixtures', 'full-results.json');

await guarded(() => {
  const tools = setup({ debian: { chromium: 'its SwiftShader driver lets the WebGPU tests run without a GPU' } });
  const filters = process.argv.slice(2);
  const history = readHistory();
  const { passed, failed, skipped, figures } = runVitest(tools, { full: true, filters });
  listSkipped(skipped);
  if (passed + failed > 0) {
    const run = { date: new Date().toISOString(), commit: commit(), machine: machine(), filters, passed, failed, skipped, figures };
    append(history, run);
    console.log(`\nRecorded ${figures.length} figures in fixtures/full-results.json`);
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  if (failed > 0) process.exitCode = 1;
});

/** Read before the tests run: hours of work must not end in finding that the file cannot be added to. @returns {object[]} */
function readHistory() {
  try {
    const history = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(history)) return history;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  }
  throw new SetupError('fixtures/full-results.json must be a JSON array of runs: mend it or move it away');
}

/** One run per line, so that a diff shows exactly what was added. @param {object[]} history @param {object} run */
function append(history, run) {
  mkdirSync(dirname(file), { recursive: true });
  const lines = [...history, run].map((entry) => JSON.stringify(entry));
  writeFileSync(`${file}.new`, `[\n${lines.join(',\n')}\n]\n`);
  renameSync(`${file}.new`, file);
}

/** `+` after the commit: the files differ from it. */
function commit() {
  const git = (/** @type {string[]} */ ...command) => spawnSync('git', command, { cwd: root, encoding: 'utf8' });
  const head = git('rev-parse', '--short=12', 'HEAD');
  if (head.status !== 0) return 'none';
  return head.stdout.trim() + (git('status', '--porcelain').stdout.trim() ? '+' : '');
}

function machine() {
  const cores = cpus();
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown processor'}, ${process.platform}-${process.arch}`;
}
