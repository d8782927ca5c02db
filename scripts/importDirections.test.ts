/** The import directions bite: through ESLint with the project's own configuration, as `npm run check` would. */
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, test } from 'vitest';

// The snippets are in no file, hence in no program: what needs types is switched off.
const eslint = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config });

async function complaints(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  const ours = ['gatescope/import-directions', 'no-restricted-globals', 'no-restricted-properties', null];
  return result.messages.filter(({ ruleId }) => ours.includes(ruleId)).map(({ message }) => message);
}

test.each([
  ['engine/base/a.ts', `import '../graph/value.ts';`, 'engine/base must not import engine/graph'],
  ['engine/graph/a.ts', `import { x } from '../ops/elementwise.ts'; x();`, 'engine/graph must not import engine/ops'],
  ['engine/ops/a.ts', `export * from '../gates/gate.ts';`, 'engine/ops must not import engine/gates'],
  ['engine/gates/a.ts', `export { x } from '../models/mlp.ts';`, 'engine/gates must not import engine/models'],
  ['engine/models/a.ts', `export type A = import('../training/loop.ts').Loop;`, 'engine/models must not import engine/training'],
  ['engine/models/a.ts', `import '../formats/idx.ts';`, 'engine/models must not import engine/formats'],
  ['engine/training/a.ts', `void import('../analyses/cascade.ts');`, 'engine/training must not import engine/analyses'],
  [
    'engine/training/a.ts',
    `import type { T } from '../tasks/imageData.ts'; export type A = T;`,
    'engine/training must not import engine/tasks',
  ],
  ['engine/analyses/a.ts', `import '../run.ts';`, 'engine/analyses must not import engine/run'],
  ['engine/execute/a.ts', `import { x } from '../ops/logic.ts'; x();`, 'engine/execute may import only types from engine/ops'],
  ['engine/run.ts', `import '../main/host/jobs.ts';`, 'engine/run must not import main'],
  ['engine/base/a.ts', `import '../../scripts/figures.ts';`, 'engine/base must not import scripts'],
  ['engine/base/a.test.ts', `import '../../main/host/jobs.ts';`, 'engine/base must not import main'],
  ['engine/base/a.ts', `import './a.test.ts';`, 'which is for tests'],
  ['engine/novelty/a.ts', `import '../base/errors.ts';`, 'is in no part of its layer'],
  ['engine/graph/a.ts', `import '../novelty/a.ts';`, 'is in no part of its layer'],
  ['engine/graph/a.ts', `import { join } from 'node:path'; join();`, 'must not import Node modules'],
  ['engine/models/a.ts', `import fs from 'fs'; fs.a();`, 'must not import Node modules'],
  ['engine/run.ts', `process.exit(1);`, 'Node only in execute/'],
  ['engine/training/a.ts', `Buffer.from('a');`, 'Node only in execute/'],
  ['engine/tasks/a.ts', `Math.random();`, 'Randomness is seeded'],
  ['main/host/a.ts', `import 'onnxruntime-node';`, 'main/host must not load onnxruntime-node'],
  ['main/store/a.ts', `import type { X } from '../host/jobStore.ts'; export type A = X;`, 'main/store must not import main/host'],
  ['main/store/a.ts', `import '../cli/output.ts';`, 'main/store must not import main/cli'],
  ['main/host/a.ts', `import '../cli/output.ts';`, 'main/host must not import main/cli'],
  ['main/novelty/a.ts', `import '../store/session.ts';`, 'is in no part of its layer'],
  ['main/cli/a.ts', `import '../novelty/a.ts';`, 'is in no part of its layer'],
  [
    'engine/jobs/a.ts',
    `import type { X } from '../../main/store/session.ts'; export type A = X;`,
    'engine/jobs must not import main/store',
  ],
  ['engine/models/a.ts', `import '@tensorflow/tfjs-core';`, 'engine/models must not load @tensorflow/tfjs-core'],
  ['renderer/a.ts', `import { x } from '../main/host/api.ts'; x();`, 'only types from main'],
  ['renderer/a.ts', `import { x } from '../main/store/session.ts'; x();`, 'only types from main/store'],
  ['renderer/a.ts', `import type { X } from '../main/cli/output.ts'; export type A = X;`, 'renderer must not import main/cli'],
  ['renderer/a.ts', `import 'node:fs';`, 'must not import Node modules'],
  ['scripts/a.ts', `import '../engine/run.ts';`, 'scripts must not import engine/run'],
])('%s: %s', async (file, code, expected) => {
  expect(await complaints(file, code)).toEqual([expect.stringContaining(expected)]);
});

test.each([
  ['engine/ops/a.ts', `import '../graph/value.ts'; import '../base/errors.ts'; import '@tensorflow/tfjs-core';`],
  ['engine/execute/a.ts', `import type { T } from '../ops/logic.ts'; import '../graph/value.ts'; import 'node:fs'; export type A = T;`],
  ['engine/training/a.ts', `import '../execute/executor.ts'; import '../models/mlp.ts';`],
  ['engine/tasks/a.ts', `import 'node:fs'; import '../formats/idx.ts'; process.cwd();`],
  ['engine/base/a.test.ts', `import 'node:fs'; import '../run.ts'; import '../../scripts/figures.ts'; process.cwd();`],
  ['engine/run.ts', `import './contract.ts'; import './analyses/index.ts'; import './base/errors.ts';`],
  ['main/store/a.ts', `import 'better-sqlite3'; import '../../engine/models/classifier.ts'; import './b.ts';`],
  ['main/cli/a.ts', `import '../host/jobs.ts'; import '../store/session.ts'; import '../../engine/run.ts'; import 'node:fs';`],
  ['renderer/a.ts', `import type { X } from '../main/host/api.ts'; import { type Y } from '../engine/contract.ts'; export type A = X | Y;`],
  ['bench/main.ts', `import '../engine/run.ts'; import '../scripts/figures.ts'; import 'node:fs';`],
])('%s may: %s', async (file, code) => {
  expect(await complaints(file, code)).toEqual([]);
});
