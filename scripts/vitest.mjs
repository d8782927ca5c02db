/** Runs Vitest and reads back what its own output does not say: exact counts, and the reason of every skipped test. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

/**
 * @typedef {{ passed: number, failed: number, skipped: { test: string, reason: string }[] }} Summary
 * @typedef {{ name: string, value: number, unit: string }} Figure
 * @param {{ node: string, environment: NodeJS.ProcessEnv }} tools
 * @param {{ full?: boolean, filters?: string[] }} [options] full: the long tests instead of the small set; filters: as of `vitest run`
 * @returns {Summary & { figures: Figure[] }}
 */
export function runVitest({ node, environment }, { full = false, filters = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-test-'));
  try {
    const summaryFile = join(folder, 'summary.json');
    const figuresFile = join(folder, 'figures.jsonl');
    const command = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=./scripts/testSummary.ts', ...filters];
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...environment, GATESCOPE_TEST_SUMMARY: summaryFile };
    delete env.GATESCOPE_FULL;
    delete env.GATESCOPE_FIGURES;
    if (full) Object.assign(env, { GATESCOPE_FULL: '1', GATESCOPE_FIGURES: figuresFile });
    const { status } = spawnSync(node, command, { cwd: root, env, stdio: 'inherit' });
    /** @type {Summary} */
    const summary = JSON.parse(readIfThere(summaryFile) ?? '{"passed":0,"failed":0,"skipped":[]}');
    if (status !== 0 && summary.failed === 0) summary.failed = 1; // it died, or failed outside of any test
    const figures = (readIfThere(figuresFile) ?? '').split('\n').filter(Boolean);
    return { ...summary, figures: figures.map((line) => JSON.parse(line)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Summary['skipped']} skipped */
export function listSkipped(skipped) {
  if (skipped.length === 0) return;
  console.log('\nSkipped:');
  for (const { test, reason } of skipped) console.log(`  ${test}: ${reason}`);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
