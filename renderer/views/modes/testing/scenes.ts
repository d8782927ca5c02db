/** Sessions as the Modes workspace meets them, from a fake host. */
import type { Findings } from '../../../../engine/base/findings.ts';
import type { Snapshot } from '../../../../main/host/hostApi.ts';
import type { App } from '../../../state/app.svelte.ts';
import { fakeApp, type Fake, type FakeOptions } from '../../../testing/fakeHost.ts';
import { fixture } from '../../../testing/fixtures.ts';
import { manyUnits } from './manyUnits.ts';

export interface Scene extends Fake {
  readonly ready: Promise<unknown>;
}

/** The stored session, opened, with changes to it. */
export function sceneOf(changes: Partial<Snapshot> = {}, options: FakeOptions = {}): Scene {
  const fake = fakeApp({ ...options, snapshot: { ...fixture<Snapshot>('snapshot'), ...changes } });
  return { ...fake, ready: opened(fake.app) };
}

async function opened(app: App): Promise<void> {
  await Promise.resolve();
  await app.open('/home/ada/Gatescope/Dopamine on MNIST.gatescope');
  app.go('modes');
}

export const withoutModels = (): Scene => sceneOf({ models: [], runs: [], results: [] });

export function withoutModes(): Scene {
  const { models } = fixture<Snapshot>('snapshot');
  return sceneOf({ models: models.filter(({ kind }) => kind === 'foundation'), results: [] });
}

export const notMeasured = (): Scene => sceneOf({ results: [] });

/** Only how often units fire is known. */
export function partly(): Scene {
  const { results } = fixture<Snapshot>('snapshot');
  return sceneOf({ results: results.filter(({ analysis }) => analysis === 'firing') });
}

/** Looking at an adapter that has no gates. */
export function ungated(): Scene {
  const snapshot = fixture<Snapshot>('snapshot');
  const lora = snapshot.models.find(({ adapter, seed }) => adapter === 'lora-r4' && seed === 0)!;
  const { vectors } = manyUnits([64, 32]);
  const none = { ...vectors, threshold: new Float32Array(96), gain: new Float32Array(96).fill(1) };
  return sceneOf(
    { views: { 'modes.foundation': lora.base, 'modes.mode': lora.digest } },
    { answers: { units: () => Promise.resolve(none) } },
  );
}

/** Layers of as many units as wanted. */
export function wide(widths: readonly number[], views: Readonly<Record<string, unknown>> = {}): Scene {
  const many = manyUnits(widths);
  const snapshot = fixture<Snapshot>('snapshot');
  const models = snapshot.models.map((model) => ({ ...model, widths: [784, ...widths, 10] }));
  const kinds: Readonly<Record<string, Findings>> = { firing: many.firing, categories: many.categories };
  return sceneOf(
    { models, views, results: snapshot.results.filter(({ analysis }) => analysis in kinds) },
    {
      answers: {
        units: () => Promise.resolve(many.vectors),
        findings: ({ key }) => Promise.resolve(kinds[snapshot.results.find((result) => result.key === key)!.analysis]),
      },
    },
  );
}
