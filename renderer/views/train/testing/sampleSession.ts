/**
 * A session as Train would have it in the middle of a batch: seeded, in every state, with curves. Nothing in it is a result; the shapes follow
 * methods.md §2 so that charts and table can be judged by eye.
 */
import type { Description, FormField, Job, Run, Snapshot } from '../../../../main/host/hostApi.ts';
import type { Series } from '../../../../main/store/runs.ts';

/** mulberry32: the same numbers everywhere. */
export function randomOf(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const gauss = (random: () => number, deviation: number): number =>
  deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Gain at 45°, pace, accuracy that is lost at 0°, numbers trained, % of units on, seconds. */
const kinds: Readonly<Record<string, { gain: number; pace: number; lost: number; parameters: number; on: number; seconds: number }>> = {
  dopamine: { gain: 1.63, pace: 0.28, lost: -0.58, parameters: 768, on: 44, seconds: 5.1 },
  'lora-r4': { gain: 2.5, pace: 0.24, lost: -5.19, parameters: 5696, on: 61, seconds: 6 },
  gain: { gain: 1.36, pace: 0.3, lost: -0.75, parameters: 384, on: 57, seconds: 4.6 },
  bias: { gain: 0.66, pace: 0.3, lost: -0.82, parameters: 394, on: 55, seconds: 4.4 },
  threshold: { gain: 0.53, pace: 0.36, lost: 0.09, parameters: 384, on: 50, seconds: 4.9 },
  'lora-r1': { gain: 1.2, pace: 0.34, lost: -2.1, parameters: 1424, on: 60, seconds: 5.4 },
  'lora-r8': { gain: 2.86, pace: 0.2, lost: -7.4, parameters: 11392, on: 62, seconds: 6.6 },
  full: { gain: 3.42, pace: 0.16, lost: -3.1, parameters: 235146, on: 59, seconds: 8.2 },
};
const GATED = ['dopamine', 'threshold'];
export const EPOCHS = 8;
const PER_EPOCH = 469;
export const STEPS = EPOCHS * PER_EPOCH;
const BASE = { 0: 94.62, 45: 94.02 };
const data = { source: 'mnist', digest: 'd'.repeat(64) };
const annealing = { kind: 'geometric', start: 0.3, end: 0.02 };

const digest = (text: string): string =>
  [...text]
    .map((letter) => letter.charCodeAt(0).toString(16))
    .join('')
    .padEnd(64, '0')
    .slice(0, 64);

function run(adapter: string | undefined, seed: number, state: Run['state'] = 'done'): Run {
  const random = randomOf(seed * 97 + (adapter?.length ?? 3) * 13);
  const kind = kinds[adapter ?? ''];
  const shift = gauss(random, 0.05);
  const key = digest(`run ${adapter} ${seed}`);
  const gated = adapter !== undefined && GATED.includes(adapter);
  const round = (value: number): number => Math.round(value * 100) / 100;
  const base = { 0: round(BASE[0] + shift), 45: round(BASE[45] + shift) };
  const soft = kind ? { 0: round(base[0] + kind.lost + gauss(random, 0.05)), 45: round(base[45] + kind.gain + gauss(random, 0.07)) } : base;
  return {
    key,
    kind: 'trainClassifier',
    version: 1,
    label: adapter ?? 'foundation',
    seed,
    state,
    at: `2026-11-26T14:${String(10 + seed).padStart(2, '0')}:00.000Z`,
    model: state === 'done' ? digest(`model ${adapter} ${seed}`) : undefined,
    languageModel: undefined,
    corpus: data.digest,
    parameters: state === 'done' ? (kind?.parameters ?? 235146) : undefined,
    seconds: state === 'done' ? (kind?.seconds ?? 9.4) + round(random()) : undefined,
    digest: undefined,
    provenance: { threads: 2 },
    outdated: false,
    hidden: false,
    request: {
      kind: 'train',
      parameters: {
        stage: adapter ?? 'foundation',
        data,
        angles: adapter ? [45] : [0, 45],
        epochs: EPOCHS,
        batch: 128,
        seed,
        ...(adapter && { adapter }),
        ...(gated && { temperature: annealing }),
        measure: { every: 50, images: 2000, angles: [0, 45] },
      },
      ...(adapter && { base: digest(`model undefined ${seed}`) }),
    },
    summary:
      state === 'done'
        ? { images: 10000, soft, hard: gated ? { 0: soft[0], 45: round(soft[45] - 0.1) } : {}, base, on: kind?.on ?? 58 }
        : { soft: {}, hard: {}, base },
  };
}

/** Curves of a run, as far as it has come. */
export function seriesOf(
  { request, state, label, seed = 0 }: Run,
  share = state === 'done' ? 1 : label === 'dopamine' ? 0.63 : 0.41,
): Series[] {
  const random = randomOf(seed * 31 + label.length * 7);
  const kind = kinds[label];
  const gated = GATED.includes(label);
  const steps = Math.round(STEPS * share);
  const loss = Float32Array.from({ length: steps }, (_entry, i) => {
    const t = i / STEPS;
    const [from, to] = kind ? [0.212, 0.19 - 0.018 * kind.gain] : [2.3, 0.19];
    return Math.max(0.01, to + (from - to) * Math.exp(-t / (kind?.pace ?? 0.04)) + gauss(random, 0.016));
  });
  const every = (value: (t: number) => number, noise: number): Float32Array<ArrayBuffer> => {
    let drift = 0;
    return Float32Array.from({ length: steps + 1 }, (_entry, i) => {
      if (i % 50 !== 0 && i !== steps) return NaN;
      drift = drift * 0.8 + gauss(random, noise);
      return value(i / STEPS) + (i === 0 ? 0 : drift);
    });
  };
  const rise = (target: number) => (t: number) => (kind ? target * (1 - Math.exp(-t / kind.pace)) : 0);
  const all: Series[] = [{ name: 'loss', unit: 'nats', values: loss }];
  if (gated) all.push({ name: 'temperature', unit: '', values: loss.map((_value, i) => 0.3 * (0.02 / 0.3) ** (i / STEPS)) });
  const accuracy45 = kind ? (t: number) => BASE[45] + rise(kind.gain)(t) : (t: number) => 10 + 84 * (1 - Math.exp(-t / 0.03));
  all.push({ name: 'accuracy 45°', unit: '%', values: every(accuracy45, 0.05) });
  all.push({ name: 'accuracy 0°', unit: '%', values: every((t) => BASE[0] + rise(kind?.lost ?? 0)(t), 0.05) });
  if (gated) {
    all.push({ name: 'soft − hard', unit: 'points', values: every((t) => 0.82 * Math.exp(-t / 0.24) + 0.02, 0.03) });
    all.push({ name: 'gates open', unit: '%', values: every((t) => kind.on + (58 - kind.on) * Math.exp(-t / 0.3), 0.2) });
  }
  void request;
  return all;
}

const stored = new WeakMap<Run, Series[]>();

/** The same curves, drawn once however often a host is asked for them. */
export function storedSeriesOf(run: Run): Series[] {
  const series = stored.get(run) ?? seriesOf(run);
  stored.set(run, series);
  return series;
}

/** As many steps as anybody trains: every one has a loss, every fiftieth is measured. */
export function longSeries(run: Run, steps: number): Series[] {
  return seriesOf(run, 1).map(({ name, unit, values }) => {
    const random = randomOf(name.length + (run.seed ?? 0));
    const measured = name !== 'loss' && name !== 'temperature';
    const known = Float32Array.from(values as Float32Array).filter((value) => !Number.isNaN(value));
    const long = Float32Array.from({ length: steps + (measured ? 1 : 0) }, (_entry, i) =>
      measured && i % 50 !== 0
        ? NaN
        : known[Math.min(known.length - 1, Math.floor((i / steps) * known.length))] + (name === 'loss' ? gauss(random, 0.01) : 0),
    );
    return { name, unit, values: long };
  });
}

const done = [0, 1, 2].flatMap((seed) => [run(undefined, seed), ...Object.keys(kinds).map((adapter) => run(adapter, seed))]);
const now = [
  run(undefined, 3),
  run('gain', 3),
  run('bias', 3),
  run('threshold', 3),
  run('dopamine', 3, 'unfinished'),
  run('lora-r4', 3, 'unfinished'),
];
export const runs: readonly Run[] = [...done, ...now];

const job = (id: number, state: Job['state'], adapter: string, share = 0, rest: Partial<Job> = {}): Job => {
  const of = now.find(({ label }) => label === adapter) ?? run(adapter, 3);
  return {
    id,
    title: `${adapter}, seed 3`,
    work: of.request,
    ...((state === 'running' || state === 'paused') && { key: of.key }),
    state,
    ...(share > 0 && { progress: { stage: 'epoch', done: share * STEPS, total: STEPS, remaining: (1 - share) * 12 } }),
    began: '2026-11-26T14:51:00.000Z',
    restarts: 0,
    ...rest,
  };
};

export const jobs: readonly Job[] = [
  job(1, 'running', 'dopamine', 0.63),
  job(2, 'running', 'lora-r4', 0.41),
  job(3, 'waiting', 'lora-r1'),
  job(4, 'waiting', 'lora-r8'),
  job(5, 'failed', 'full', 0.06, {
    failure: { kind: 'mistake', message: 'loss is NaN at step 212', field: 'loss', rule: 'must be finite', value: 'NaN' },
    ended: '2026-11-26T14:51:30.000Z',
  }),
];

const field = (path: string, label: string, section: string, rest: Partial<FormField> = {}): FormField => ({
  path,
  label,
  kind: 'number',
  help: '',
  choices: [],
  section,
  ...rest,
});

const choice = (id: string, title: string, gated: boolean, learningRate: number) => ({
  id,
  title,
  help: '',
  gated,
  learningRate,
  open: false,
});

/** As the host's, but for what no picture needs. */
export const description: Description = {
  training: [
    field('stage', 'Name', 'More', { kind: 'text', fallback: 'foundation' }),
    field('data.source', 'Images', 'Foundation', {
      kind: 'text',
      fallback: 'mnist',
      help: 'images: mnist, fashion-mnist, a folder, or an npz file',
    }),
    field('angles', 'Angles', 'Foundation', { kind: 'list', unit: '°', fallback: [0], help: 'angles the images are turned by' }),
    field('rows', 'Training images', 'Foundation', {
      kind: 'choice',
      choices: ['all', 'remaining'],
      fallback: 'all',
      help: 'training images to use',
    }),
    field('epochs', 'Epochs', 'Run', { kind: 'integer', least: 1, most: 1000, fallback: 2, help: 'how often every image is seen' }),
    field('batch', 'Batch size', 'Run', { kind: 'integer', least: 1, most: 65536, fallback: 128, help: 'images in a step' }),
    field('optimiser.kind', 'Optimiser', 'Run', { kind: 'choice', choices: ['adam', 'adamw', 'sgd'], fallback: 'adam' }),
    field('optimiser.learningRate', 'Learning rate', 'Run', { least: 0, most: 1000, fallback: 0.001, help: 'size of a step' }),
    field('optimiser.momentum', 'Momentum', 'More', { least: 0, most: 1, fallback: 0, when: { path: 'optimiser.kind', values: ['sgd'] } }),
    field('optimiser.nesterov', 'Nesterov momentum', 'More', {
      kind: 'flag',
      fallback: false,
      when: { path: 'optimiser.kind', values: ['sgd'] },
    }),
    field('seed', 'Seed', 'Run', { kind: 'integer', fallback: 0 }),
    field('hidden', 'Hidden widths', 'Foundation', { kind: 'list', fallback: [256, 128], help: 'widths of the hidden layers' }),
    field('adapter', 'Adapter', 'Gate', { kind: 'text' }),
    field('temperature.kind', 'Annealing', 'Gate', { kind: 'choice', choices: ['constant', 'geometric', 'linear'], fallback: 'constant' }),
    field('temperature.start', 'Temperature T', 'Gate', {
      least: 1e-6,
      most: 1e6,
      fallback: 0.2,
      help: 'T of the gates at the first step',
    }),
    field('temperature.end', 'T at the end', 'Gate', {
      least: 1e-6,
      most: 1e6,
      when: { path: 'temperature.kind', values: ['geometric', 'linear'] },
    }),
    field('sparsity', 'Sparsity λ', 'Gate', { fallback: 0, least: 0, most: 1e6, help: 'weight of the mean openness of the gates' }),
    field('measure.every', 'Measure every', 'More', { kind: 'integer', unit: 'steps', fallback: 50 }),
    field('measure.images', 'Test images to measure', 'More', { kind: 'integer', unit: 'images', fallback: 2000 }),
    field('measure.angles', 'Angles to measure', 'More', { kind: 'list', unit: '°', fallback: [0, 45] }),
  ],
  adapters: [
    choice('dopamine', 'Dopamine: thresholds and gains', true, 0.01),
    choice('dopamine+two-sided', 'Dopamine, two-sided', true, 0.01),
    choice('threshold', 'Thresholds alone', true, 0.01),
    choice('gain', 'Gains alone (IA³)', false, 0.01),
    choice('bias', 'Biases alone (BitFit)', false, 0.01),
    { ...choice('lora-r<n>', 'LoRA', false, 0.003), open: true },
    choice('full', 'Full fine-tuning', false, 0.001),
  ],
  analyses: [],
  protocols: [],
  routing: { analyses: [], protocols: [] },
  data: [
    { source: 'mnist', title: 'MNIST' },
    { source: 'fashion-mnist', title: 'Fashion-MNIST' },
  ],
  presets: [
    {
      name: 'Dopamine protocol',
      help: 'a foundation, eight modes',
      values: {
        adapters: ['dopamine', 'threshold', 'gain', 'bias', 'lora-r1', 'lora-r4', 'lora-r8', 'full'],
        angles: [0, 45],
        modeAngles: [45],
        epochs: 2,
        seeds: [0],
      },
    },
    {
      name: 'Annealed gates',
      help: 'soft to hard',
      values: { adapters: ['dopamine'], 'temperature.kind': 'geometric', 'temperature.start': 0.3, 'temperature.end': 0.02 },
    },
  ],
};

export const changedForm = {
  values: { 'temperature.kind': 'geometric', 'temperature.start': 0.3, 'temperature.end': 0.02, sparsity: 1e-4, epochs: 8 },
  seeds: '0-4',
};

export function sampleSnapshot(before: Snapshot, rest: Partial<Snapshot> = {}): Snapshot {
  return {
    ...before,
    models: before.models.map((model, i) => (model.kind === 'foundation' && i < 4 ? { ...model, widths: [784, 256, 128, 10] } : model)),
    runs,
    notes: [
      {
        id: 1,
        subject: { kind: 'run', key: runs[1].key },
        text: 'The one of the talk',
        bookmark: true,
        at: '2026-11-26T14:00:00Z',
        edited: undefined,
      },
    ],
    views: { 'train.form': changedForm, 'train.table': { pinned: [runs[1].key, runs[2].key] } },
    ...rest,
  };
}
