/**
 * A process that works on a session, for tests that kill it: `writer.ts FILE ROUNDS` trains and analyses as work does, from where it was, and
 * says what is stored as soon as it is. It goes on when it is answered with a line, so that it is never further than somebody knows. Every state depends on the one before, so that one lost or taken twice shows in the digests.
 */
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { canonicalDigest } from '../canonical.ts';
import { Session } from '../session.ts';
import { analysis, training } from './sessions.ts';

const STEPS = 6;

interface State {
  readonly step: number;
  readonly values: Float32Array;
}

const [, , path, rounds] = process.argv;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function say(line: object): Promise<void> {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  await answers.next();
}

using session = Session.open(path, existsSync(path) ? 'write' : 'create');
await say({ open: true });
for (let round = 0; round < Number(rounds); round++) {
  const { key, request, version, result } = training(round);
  if (!session.loadResult(key)) {
    let { step, values } = (session.loadCheckpoint(key)?.value as State | undefined) ?? { step: 0, values: new Float32Array(20_000) };
    while (step < STEPS) {
      values = values.map((value, i) => Math.fround(Math.sin(3.7 * value + i + step + round)));
      session.saveCheckpoint(key, { step: ++step, values }, { request, version });
      await say({ checkpoint: key, step });
    }
    const finished = { ...result, series: { loss: { unit: '', values } } };
    session.saveTraining({ key, request, version, result: finished, seconds: 1, provenance: {} });
    await say({ key, digest: canonicalDigest(finished) });
  }
  for (const id of ['firing', 'overlap']) {
    const asked = analysis(round, id);
    if (session.loadResult(asked.key)) continue;
    session.saveAnalysis({ ...asked, findings: { ...asked.findings, more: new Float64Array(10_000).fill(round) } });
    await say({ key: asked.key, digest: session.result(asked.key).row.digest });
  }
}
await say({ end: true });
process.stdin.destroy();
