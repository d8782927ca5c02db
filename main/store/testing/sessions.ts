/** Sessions for tests: a small model, what a training and an analysis give, and a folder that goes away. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Findings } from '../../../engine/base/findings.ts';
import { Random } from '../../../engine/base/random.ts';
import type { Request } from '../../../engine/contract.ts';
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import { mlpParameters } from '../../../engine/models/mlp.ts';
import { initialise } from '../../../engine/models/parameters.ts';
import { canonicalDigest } from '../canonical.ts';
import type { OpenMode, OpenOptions } from '../opening.ts';
import { Session } from '../session.ts';

/** A temporary folder and the sessions opened in it; all of it goes when it is disposed. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'gatescope-session-'));
  readonly #open: Session[] = [];

  at(name: string): string {
    return join(this.path, name);
  }

  session(mode: OpenMode = 'create', name = 'study.gatescope', options: OpenOptions = {}): Session {
    const session = Session.open(this.at(name), mode, options);
    this.#open.push(session);
    return session;
  }

  /** A closed session with something in it. @returns its path */
  filled(name?: string): string {
    const session = this.session('create', name);
    fill(session);
    session.close();
    return session.path;
  }

  files(): string[] {
    return readdirSync(this.path).sort();
  }

  [Symbol.dispose](): void {
    for (const session of this.#open) session.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}

const widths = [4, 3, 2];

export function foundation(seed = 0): ClassifierModel {
  return { architecture: 'mlp', widths, angles: [0, 45], seed, rows: 'all', base: initialise(mlpParameters({ widths }), new Random(seed)) };
}

export function adapted(seed = 0, id = 'gain'): ClassifierModel {
  const parameters = initialise(adapterOf(id).parameters({ widths }), new Random(seed).fork(id));
  return { ...foundation(seed), adapter: { id, angles: [45], seed, rows: 'all', sparsity: 0, temperature: [], parameters } };
}

export const corpusDigest = 'c'.repeat(64);

/** A training that adapts a foundation. */
export function training(
  seed = 0,
  stage = 'dopamine',
): { key: string; request: Request; version: number; result: Record<string, unknown> } {
  const parameters = {
    stage,
    seed,
    data: { source: '/home/somebody/secret place/digits', digest: corpusDigest },
    angles: [45],
    adapter: 'gain',
    base: foundation(seed),
    sparsity: undefined,
  };
  const result = {
    model: adapted(seed),
    digest: 'd'.repeat(64),
    count: 3,
    series: {
      loss: { unit: 'nats', values: new Float32Array([2.3, NaN, -0, 0.1 + seed]) },
      temperature: { unit: '', values: new Float32Array(4).fill(0.2) },
    },
    frozenDigest: 'f'.repeat(64),
    optimiser: { kind: 'adam', moments: new Float64Array([1e-300, 2]), step: undefined },
  };
  return { key: canonicalDigest(['training', stage, seed]), request: { kind: 'train', parameters }, version: 2, result };
}

/** An analysis of a foundation and a mode on it. */
export function analysis(seed = 0, id = 'firing') {
  const findings: Findings = {
    axes: { class: { values: ['a', 'b'] }, unit: { values: [0, 1, 2] }, angle: { values: [0, 45], unit: '°' } },
    measures: {
      active: { axes: ['class', 'unit'], unit: '%', definition: 'of all', data: new Float32Array([1, 2, 3, NaN, -0, seed]) },
      loss: { axes: [], unit: '', definition: 'mean', data: new Float64Array([Math.PI]) },
      counted: { axes: ['angle'], unit: '', definition: 'images', data: new Int32Array([5, -5]) },
    },
    facts: { n: 10, part: 'test', hard: true },
  };
  const parameters = {
    models: [
      { label: 'base', model: foundation(seed) },
      { label: 'mode', model: adapted(seed) },
    ],
    data: { source: 'mnist', digest: corpusDigest },
    seed,
    options: { angles: [0, 45] },
  };
  return { key: canonicalDigest([id, seed]), analysis: id, version: 1, parameters, findings, seconds: 0.5, provenance: { threads: 2 } };
}

/** A session with a training, an analysis, an unfinished training and notes. */
export function fill(session: Session, seed = 0): void {
  session.saveTraining({ ...training(seed), seconds: 1.5, provenance: { threads: 1 } });
  session.saveAnalysis(analysis(seed));
  const unfinished = training(seed, 'unfinished');
  session.saveCheckpoint(unfinished.key, { step: 3, values: new Float32Array([1, -0, NaN, Infinity]), big: 12n }, unfinished);
  session.addNote({ subject: { kind: 'result', key: analysis(seed).key, unit: 'L0U2' }, text: 'silent' });
  session.act('train', { stage: 'dopamine', folder: '/home/somebody/elsewhere' });
  session.setLayout('panes', { left: 0.3 });
}
