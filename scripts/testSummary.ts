/** A Vitest reporter that writes counts and the reason of every skipped test to the file named by GATESCOPE_TEST_SUMMARY. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class TestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env.GATESCOPE_TEST_SUMMARY;
    if (!file) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    // A file that cannot be loaded and a hook that throws fail outside of any test; so does a test that never came to its end.
    const broken = modules.flatMap((module) => [module, ...module.children.allSuites()]).filter((part) => part.errors().length > 0);
    const failed = inState('failed').length + inState('pending').length + broken.length + unhandledErrors.length;
    const skipped = inState('skipped').map((test) => ({ test: nameOf(test), reason: reasonOf(test) }));
    writeFileSync(file, JSON.stringify({ passed: inState('passed').length, failed, skipped }));
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note) return result.note;
  return test.options.mode === 'todo' ? 'to be written' : 'no reason given';
}
