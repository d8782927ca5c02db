/** Sessions that earlier versions made: each opens, is whole, and says what it said. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { languageModelDigest } from '../../engine/formats/languageModelDigest.ts';
import { canonicalDigest } from './canonical.ts';
import { Folder } from './testing/sessions.ts';

const released = (schema: number) => fileURLToPath(new URL(`../../fixtures/sessions/schema-${schema}.gatescope`, import.meta.url));

// What is expected is written out, not computed: what a digest is made of must not change under files that are out there.
const DIGESTS = {
  foundation: '5ede72f26d50ec7116277d5d8cd89a0879df8da5fc9a14cf9c713e38b22f2805',
  dopamine: '3fb10ada919e39d789544b366f91e386e96f6306db0cb502c336d3e3ef759004',
  training: '95096dcd8317395d7b26676becaad5ccc6a1b6910b2a006da070ee8cce46c191',
  firing: '6c80d56881deff17a35d639eb44d2176f0107d10b3a2712c750e5817fd391da5',
};

test.each(['read', 'write'] as const)('schema 1, opened to %s', (mode) => {
  using folder = new Folder();
  copyFileSync(released(1), folder.at('study.gatescope'));
  const session = folder.session(mode);
  expect(session.check()).toEqual([]);
  expect(session.info).toMatchObject({ name: 'of schema 1', created: '2026-03-01T12:00:00.000Z', weights: true });

  const { foundation, dopamine, training, firing } = DIGESTS;
  expect(session.models()).toMatchObject([
    { digest: foundation, kind: 'foundation', widths: [4, 3, 2], angles: [0], seed: 5 },
    { digest: dopamine, kind: 'adapted', base: foundation, adapter: 'dopamine', adapterAngles: [90] },
  ]);
  for (const digest of [foundation, dopamine]) expect(canonicalDigest(session.model(digest))).toBe(digest);
  expect(session.model(dopamine).adapter).toMatchObject({ seed: 5, rows: 'all', sparsity: 0.01, temperature: [0.5] });

  const [run] = session.runs();
  expect(run).toMatchObject({ kind: 'train', version: 1, state: 'done', model: dopamine, parameters: 12, digest: training });
  expect(run.provenance).toMatchObject({ onnxruntime: '1.30.0', threads: 2 });
  expect(session.series(run.key)).toEqual([{ name: 'loss', unit: 'nats', values: new Float32Array([2.5, NaN, -0]) }]);
  expect(session.request(run.key)).toMatchObject({ kind: 'train', parameters: { stage: 'dopamine', angles: [90] } });

  const [result] = session.results();
  expect(result).toMatchObject({ analysis: 'firing', version: 1, digest: firing, seed: 5 });
  expect(result.models.map(({ digest }) => digest)).toEqual([foundation, dopamine]);
  expect(session.result(result.key).findings.measures.active.data).toEqual(new Float64Array([12.5, NaN, 1e-300]));
  expect(session.notes()).toMatchObject([{ subject: { kind: 'result', key: result.key, unit: 'L0U2' }, text: 'silent' }]);
  expect(session.loadCheckpoint(canonicalDigest('unfinished'))).toEqual({ value: { step: 3, values: new Float32Array([1, -0]) } });
  expect(session.corpusByFingerprint('fingerprint')).toMatchObject({ source: 'mnist', details: { height: 28 } });
  expect(session.actions()).toMatchObject([{ verb: 'train', arguments: { stage: 'dopamine' } }]);
  expect(session.layout('panes')).toEqual({ left: 0.25 });

  // What came later is not there, and is none the less looked for; to be read, nothing is written.
  expect([session.languageModels(), session.pairSets(), run.languageModel, result.languageModels]).toEqual([[], [], undefined, []]);
  expect(session.info.schema).toBe(mode === 'read' ? 1 : 2);
  expect(folder.files().filter((name) => name.endsWith('.gatescope'))).toEqual(
    mode === 'read' ? ['study.gatescope'] : ['study.gatescope', 'study.schema-1.gatescope'],
  );
});

const LANGUAGE_DIGESTS = {
  trained: 'f4ec5826b266d93e9970372f34124aee3a922e65a4ee6e0f156c620c040ad12c',
  loaded: '388dd0f4957fd80e95da05bfa02d8d185a9bf3918cfc4c7bacf9648f7f0c74d5',
  pairs: 'ee47339dd735f45b96ab21169183e71ba279e96b05479cfc9238df60688b7187',
  training: '9369c47642c39782ef88783fffb3a59c21cb866105691728b3c8766aa89a0b03',
  sweep: 'ccaed4c770e6a984b01df824626c06063d5374f6fdcd39c31ed4d67b37a85437',
};

test.each(['read', 'write'] as const)('schema 2, opened to %s', (mode) => {
  using folder = new Folder();
  copyFileSync(released(2), folder.at('study.gatescope'));
  const session = folder.session(mode);
  expect(session.check()).toEqual([]);
  expect(session.info).toMatchObject({ name: 'of schema 2', schema: 2 });
  expect(session.models().map(({ digest }) => digest)).toEqual([DIGESTS.foundation, DIGESTS.dopamine]);

  const { trained, loaded, pairs, training, sweep } = LANGUAGE_DIGESTS;
  expect(session.languageModels()).toMatchObject([
    { digest: trained, label: 'policy', origin: 'trained', seed: 5, parameters: 132, embedded: true },
    { digest: loaded, label: 'tiny', origin: 'loaded', folder: '/models/tiny', embedded: false },
  ]);
  const model = session.languageModel(trained);
  expect(model).toMatchObject({ config: { layers: 1, heads: 2, normalisation: 'rms', tied: true }, tokens: ['a', 'b', 'c', 'd', 'e'] });
  expect(languageModelDigest(model)).toBe(trained);
  expect(session.pairSets()).toMatchObject([
    { digest: pairs, source: '/models/pairs.json', pairs: 2, length: 3, arms: ['sensitive', 'control'] },
  ]);
  expect(canonicalDigest(session.pairSet(pairs))).toBe(pairs);

  const run = session.runs().find(({ kind }) => kind === 'trainPolicy')!;
  expect(run).toMatchObject({ state: 'done', languageModel: trained, digest: training });
  expect(session.loadResult(run.key)?.value).toMatchObject({
    model: { origin: { kind: 'trained', name: 'recipe', seed: 5 } },
    accepted: true,
  });
  const result = session.results().find(({ analysis }) => analysis === 'siteSweep')!;
  expect(result).toMatchObject({ digest: sweep, pairSets: [pairs, pairs], models: [] });
  expect(result.languageModels).toEqual([
    { label: 'tiny', digest: loaded },
    { label: 'policy', digest: trained },
  ]);
  expect(session.result(result.key).findings.measures.byPair.data).toEqual(new Float32Array([1, 2, NaN, -0]));
  expect(session.request(result.key).parameters).toMatchObject({ model: { folder: '/models/tiny', digest: loaded }, pairs: { pairs: 2 } });
});
