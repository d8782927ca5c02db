/** Errands on policy circuits: the testbed with a known truth, a sweep on a checkpoint of one's own, published tables, and what a session then tells. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallFolder } from '../../engine/formats/publishedRouting/testing/smallFolder.ts';
import { small, weightsOf } from '../../engine/formats/huggingface/testing/checkpoints.ts';
import { settings, tokenizerJson } from '../../engine/formats/huggingface/testing/tokenizers.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import { here } from './testing/here.ts';

let folder: string;
let session: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-routing-'));
  session = at('study.gatescope');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const done = async (...words: string[]) => {
  const ended = await here(words);
  expect(ended).toMatchObject({ code: 0 });
  return ended;
};
const json = async (...words: string[]) => JSON.parse((await done(...words, '--json')).stdout) as Record<string, unknown>;

function write(name: string, content: string | Uint8Array | object): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
}

const quick = ['--permutations', '999', '--resamples', '100'];

describe('run tier-a', () => {
  test('prints exactly the fields that scripts read, with the constants of the circuit', async () => {
    const report = await json('run', 'tier-a', '--session', session);
    expect(Object.keys(report)).toEqual(['accepted', 'sites', 'gate', 'rescue', 'collapse', 'commitment']);
    const { sites, commitment } = report as { sites: Record<string, Record<string, number>>; commitment: Record<string, number[]> };
    expect(Object.keys(sites)).toHaveLength(16);
    for (const site of Object.values(sites))
      expect(Object.keys(site)).toEqual([
        'necessity',
        'sufficiency',
        'flip',
        'dlaShare',
        'dlaOverGap',
        'zeroAblation',
        'cipherNecessity',
        'p',
      ]);
    const close = (value: number) => expect.closeTo(value, 3) as number;
    expect(report).toMatchObject({ accepted: true, gate: 'L1H2', rescue: 1, collapse: close(1) });
    expect(sites.L1H2).toMatchObject({
      necessity: close(1),
      sufficiency: close(1),
      flip: 1,
      dlaShare: 0,
      dlaOverGap: 0,
      cipherNecessity: close(0),
      p: 1 / 10_001,
    });
    expect(sites.L2H0).toMatchObject({ necessity: close(2 / 3), sufficiency: close(2 / 3), dlaOverGap: close(2 / 3) });
    expect(sites.L2H3.necessity).toBeCloseTo(-1 / 3, 3);
    expect(Object.keys(commitment)).toEqual(['route', 'content']);
    expect(commitment.route.map((value) => Math.round(value * 1e3) / 1e3 + 0)).toEqual([0, 0, 1, 1, 1]);
  });

  test('answers again from its session, as a table too', async () => {
    const again = await done('run', 'tier-a', '--session', session);
    expect(again.engines).toBe(0);
    expect(again.stdout).toMatch(/^L1H2 \* +1\.000 +1\.000 +1\.000 /m);
    expect(again.stdout).toMatch(/^accepted +yes$/m);
    const other = await done('run', 'tier-a', '--seed', '1', '--session', session);
    expect(other.engines).toBeGreaterThan(0);
  });

  test('refuses by flag', async () => {
    const ended = await here(['run', 'tier-a', '--seed', '-5']);
    expect(ended).toMatchObject({
      code: 2,
      stderr: 'gatescope: run tier-a: --seed must be an integer in [0, 9007199254740991], got "-5"\n',
    });
  });
});

test('a session shows, checks and exports what is about language models', async () => {
  const shown = (await json('show', session)) as {
    languageModels: { digest: string; label: string }[];
    pairSets: { digest: string }[];
    models: [];
  };
  expect(shown).toMatchObject({
    models: [],
    languageModels: [{ label: 'planted circuit', origin: 'compiled', layers: 4, heads: 4, embedded: true }],
  });
  expect(shown.pairSets).toHaveLength(2);
  const [{ digest }] = shown.languageModels;
  const text = (await done('show', session)).stdout;
  expect(text).toMatch(/^Language models$/m);
  expect(text).toMatch(/^[0-9a-f]{12} +cipherInterchange +planted circuit /m);
  expect((await done('show', session, digest.slice(0, 8))).stdout).toMatch(/^blocks\.1\.attn\.W_Q +/m);
  expect((await done('show', session, shown.pairSets[0].digest.slice(0, 8))).stdout).toMatch(
    /^arms +sensitive, control, cipher, benignCipher$/m,
  );
  await done('note', session, 'planted circuit', 'the gate', '--unit', 'L1H2');
  expect((await done('show', session, digest.slice(0, 8))).stdout).toMatch(/ model [0-9a-f]{12} +L1H2 +the gate /);
  expect((await here(['note', session, 'planted circuit', 'none', '--unit', 'L1H9'])).stderr).toMatch(
    /--unit must be one of planted circuit/,
  );
  await done('doctor', session);

  await done('export', session, digest.slice(0, 8), '--format', 'onnx', '--output', at('planted.onnx'));
  await done('export', session, digest.slice(0, 8), '--format', 'safetensors', '--output', at('planted.safetensors'));
  const exported = (await done('export', session, 'planted circuit', '--format', 'json')).stdout;
  expect(JSON.parse(exported)).toMatchObject({
    digest,
    config: { layers: 4 },
    parameters: { 'unembed.W_U': { shape: [expect.any(Number), expect.any(Number)] } },
  });
  expect(await here(['export', session, 'planted circuit', '--format', 'model.py', '--output', at('planted.py')])).toMatchObject({
    code: 2,
    stderr: 'gatescope: export: --format must be safetensors, onnx or json for a language model, got "model.py"\n',
  });
  expect((await done('complete', 'show', session, digest.slice(0, 4))).stdout).toContain('language model planted circuit');
});

test('any analysis of circuits is asked of a model and pairs of the session', async () => {
  const { pairSets } = (await json('show', session)) as { pairSets: { digest: string; pairs: number }[] };
  const [{ digest }] = pairSets;
  const { findings } = (await json(
    'analyse',
    'headInterchange',
    '--session',
    session,
    '--pairs',
    digest.slice(0, 8),
    '--positions',
    'read',
  )) as {
    findings: { measures: { necessity: { data: number[] } } };
  };
  expect(findings.measures.necessity.data[6]).toBeCloseTo(1, 3);
  const text = (await done('analyse', 'commitment', '--session', session, '--pairs', digest.slice(0, 8), '--model', 'planted circuit'))
    .stdout;
  expect(text).toMatch(/^result [0-9a-f]{12}$/m);
  expect((await done('analyse', '--list')).stdout).toMatch(/^siteSweep +1 language model, pairs +the effect of every place/m);
  const refused = await here(['analyse', 'siteSweep', '--session', session, '--pairs', digest.slice(0, 8), '--sites', 'L9H9']);
  expect(refused).toMatchObject({
    code: 2,
    stderr: 'gatescope: analyse siteSweep: --sites must have each layer in [0, 3], ascending, got "L9H9"\n',
  });
  const nothing = await here(['analyse', 'siteSweep', '--session', session, '--model', 'nobody', '--pairs', digest.slice(0, 8)]);
  expect(nothing.stderr).toMatch(/^gatescope: analyse siteSweep: --model must be /);
});

describe('sweep', () => {
  let model: string;
  let pairs: string;
  beforeAll(() => {
    model = at('tiny');
    write('tiny/config.json', small);
    write('tiny/model.safetensors', writeSafetensors(weightsOf(small)));
    write('tiny/tokenizer.json', tokenizerJson);
    write('tiny/tokenizer_config.json', settings);
    pairs = at('pairs.json');
    const pair = (sensitive: string, control: string) => ({ sensitive, control, positive: 5, negative: [6, 7] });
    writeFileSync(pairs, JSON.stringify([pair('a b', 'b b'), pair('b a', 'a a'), pair('a a', 'b a')]));
  });
  const words = (...more: string[]) => ['sweep', '--model', model, '--pairs', pairs, ...quick, ...more];

  test('prints its plan first, then every cell with effect, interval, p and state', async () => {
    const ended = await done(...words('--sites', 'L*H*@each', '--session', session, '--json'));
    expect(ended.stderr).toMatch(
      /^plan: \d+ cells on 3 pairs of \d+ tokens; p counts a family of \d+; \d+ proved to be zero\n {6}\d+ forwards and \d+ partial runs for \d+ forwards, about .+ for .+; effects .+, memory .+\n$/,
    );
    const { cells, plan } = JSON.parse(ended.stdout) as { cells: Record<string, unknown>[]; plan: { cells: number } };
    expect(cells).toHaveLength(plan.cells);
    for (const cell of cells) {
      expect(Object.keys(cell)).toEqual(['cell', 'effect', 'interval', 'share', 'shareInterval', 'p', 'state', 'moved']);
      expect(['measured', 'proved-zero']).toContain(cell.state);
    }
    const again = await done(...words('--sites', 'L*H*@each', '--session', session));
    expect(again.stdout).toMatch(/^cell +effect +95 % interval/);
    const shown = (await json('show', session)) as {
      languageModels: { embedded: boolean; folder?: string }[];
      pairSets: { source: string }[];
    };
    expect(shown.languageModels[1]).toMatchObject({ embedded: false, folder: model });
    expect(shown.pairSets.at(-1)).toMatchObject({ source: pairs });
    // From where it lies; and embedded from then on.
    await done('export', session, 'tiny', '--format', 'safetensors', '--output', at('tiny.safetensors'));
    await done(...words('--sites', 'L*H*@each', '--session', session, '--embed'));
    expect(((await json('show', session)) as typeof shown).languageModels[1]).toMatchObject({ embedded: true });
  });

  test.each([
    [['--sites', 'L9H0'], /^gatescope: sweep: --sites must have each layer in \[0, \d+\], ascending, got "L9H0"\n$/],
    [['--sites', 'blocks.0.attn.hook_zz'], /sweep: --sites must be sites of the model \(nearest: "blocks\.0\.attn\.hook_z"\)/],
    [['--donor', 'friend'], /sweep: --donor must be "pair", "mean", "zero" or "resample", got "friend"/],
    [['--length', '9'], /sweep: --length must be of one length: choose with --length \(there are /],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await here(words(...flags));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('refuses what is not there', async () => {
    expect((await here(['sweep', '--pairs', pairs])).stderr).toBe('gatescope: sweep: --model must be given: a folder, got undefined\n');
    expect((await here(['sweep', '--model', model])).stderr).toBe('gatescope: sweep: --pairs must be given: a file, got undefined\n');
    expect((await here(['sweep', '--model', at('none'), '--pairs', pairs])).stderr).toMatch(/^gatescope: sweep: --model: /);
  });
});

describe('published tables', () => {
  test('are kept as results whose numbers were computed elsewhere', async () => {
    const published = at('published');
    for (const [path, content] of smallFolder().files) write(join('published', path), content);
    const told = (await json('import', published, '--session', session)) as {
      tables: { result: string; imported: number; notRun: number }[];
    };
    expect(told.tables.length).toBeGreaterThan(0);
    const shown = (await json('show', session)) as { results: { analysis: string }[] };
    expect(shown.results.filter(({ analysis }) => analysis.startsWith('imported '))).toHaveLength(told.tables.length);
    const again = (await json('import', published, '--session', session)) as typeof told;
    expect(again.tables.map(({ result }) => result)).toEqual(told.tables.map(({ result }) => result));
    expect(((await json('show', session)) as typeof shown).results).toHaveLength(shown.results.length);
  });

  test('claims are judged from them and from the planted circuit', async () => {
    const ended = await done('claims', '--session', session, '--json');
    const claims = JSON.parse(ended.stdout) as { id: string; status: string; evidence: { source: string }[] }[];
    expect(claims.find(({ id }) => id === 'necessity')).toMatchObject({ status: 'reproduced', evidence: [{ source: 'tier A' }] });
    expect(claims.find(({ id }) => id === 'guidance')).toMatchObject({ status: 'not reproducible here', evidence: [] });
    expect((await done('claims', '--session', session)).stdout).toMatch(/^reproduced: interchange finds the gate causally necessary/m);
  });
});
