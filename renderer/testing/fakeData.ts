/** What the fake host has from the start: sessions in every state, devices, forms, digits. Written down, not computed: nothing here is a result. */
import type {
  About,
  Answer,
  AnswerRequest,
  Description,
  Device,
  DrawnImages,
  DrawRequest,
  Job,
  SessionEntry,
  SessionPreview,
  Settings,
} from '../../main/host/hostApi.ts';

export const NOW = '2026-11-26T14:52:00';

export const about: About = {
  version: '0.1.0',
  platform: 'linux-x64',
  cores: 2,
  memory: 8_000_000_000,
  sessionsFolder: '/home/ada/Gatescope',
  served: true,
  root: '/home/ada',
  demonstration: '/opt/gatescope/demonstrations/Watch a network change its mode.gatescope',
  modifier: 'Ctrl',
};

export const settings: Settings = { theme: 'light', diverging: 'red-blue', flip: false, toured: false, window: {} };

const entry = (name: string, rest: Partial<SessionEntry> = {}): SessionEntry => ({
  path: `/home/ada/Gatescope/${name}.gatescope`,
  name,
  note: '',
  state: 'ready',
  size: 3_000_000,
  changed: '2026-11-26T12:04:00',
  inside: { models: 1, runs: 1, results: 0, notes: 0, actions: 2 },
  shipped: false,
  ...rest,
});

export const sessions: readonly SessionEntry[] = [
  entry('Dopamine on MNIST', {
    note: 'Full MNIST, five seeds; λ sweep still to do',
    size: 61_000_000,
    changed: '2026-11-26T14:31:00',
    inside: { models: 45, runs: 45, results: 214, notes: 3, actions: 61 },
    lastView: 'modes',
  }),
  entry('Rotation, 15° steps', {
    note: 'Where does the mode stop to help?',
    size: 22_000_000,
    changed: '2026-11-26T12:04:00',
    inside: { models: 12, runs: 12, results: 8, notes: 0, actions: 19 },
    lastView: 'train',
    state: 'locked',
    problem: 'Open in another window (process 4127): opens to be read',
  }),
  entry('Own photographs', {
    changed: '2026-11-25T03:10:00',
    inside: { models: 0, runs: 0, results: 0, notes: 1, actions: 1 },
    size: 220_000,
  }),
  entry('From the other computer', {
    changed: '2026-11-23T09:00:00',
    state: 'newer',
    problem: 'Made by Gatescope 0.4: opens to be read',
    inside: { models: 3, runs: 3, results: 2, notes: 0, actions: 4 },
  }),
  entry('Interrupted copy', {
    changed: '2026-11-20T09:00:00',
    state: 'damaged',
    problem: 'Not a whole file: 2 of 31 tensors cannot be read',
  }),
  entry('On a stick', { changed: '2026-10-02T09:00:00', state: 'missing', problem: 'Was at /media/stick' }),
  entry('Watch a network change its mode', {
    path: about.demonstration!,
    note: 'Demonstration: a foundation, six modes, nothing to train',
    shipped: true,
    size: 7_000_000,
    changed: '2026-11-01T09:00:00',
    inside: { models: 7, runs: 7, results: 11, notes: 2, actions: 0 },
    lastView: 'modes',
  }),
];

export const previewOf = (one: SessionEntry): SessionPreview => ({
  entry: one,
  highlights:
    one.inside.results > 0
      ? [
          { title: 'Dopamine τ + γ at 45°', figure: '91.8 % (+0.5)' },
          { title: 'Gain only at 45°', figure: '91.5 % (+0.2)' },
          { title: 'LoRA r = 4 at 45°', figure: '92.5 % (+1.3)' },
        ]
      : [],
  computedOn: 'CPU, 2 threads',
  problems: one.state === 'damaged' ? [one.problem ?? ''] : [],
});

export const devices: readonly Device[] = [
  { id: 'onnxruntime-cpu', title: 'CPU · 2 threads', state: 'reference', differences: {} },
  { id: 'tfjs-cpu', title: 'TensorFlow.js · CPU', state: 'agrees', differences: { forward: 3.1e-7, gradient: 8.4e-7, training: 2.2e-6 } },
  { id: 'webgpu', title: 'WebGPU', state: 'unavailable', differences: {}, reason: 'no adapter' },
];

export const description: Description = {
  training: [],
  adapters: [
    { id: 'dopamine', title: 'Dopamine τ + γ', help: 'A threshold and a gain for each unit', gated: true, learningRate: 0.01, open: false },
    { id: 'gain', title: 'Gain only', help: 'A gain for each unit', gated: true, learningRate: 0.01, open: false },
    { id: 'lora-r', title: 'LoRA', help: 'Low-rank changes of the weights', gated: false, learningRate: 0.01, open: true },
  ],
  analyses: [
    { id: 'angleCurve', title: 'Accuracy against angle', models: { least: 1, adapter: 'any' }, fields: [] },
    { id: 'firing', title: 'Class × unit firing', models: { least: 1, most: 1, adapter: 'gated' }, fields: [] },
  ],
  protocols: [{ id: 'dopamine', title: 'Dopamine protocol', fields: [] }],
  routing: { analyses: [], protocols: [] },
  data: [{ source: 'mnist', title: 'MNIST' }],
  presets: [],
};

export const job = (id: number, rest: Partial<Job> = {}): Job => ({
  id,
  title: 'Dopamine τ + γ, seed 3',
  work: { kind: 'train', parameters: {} },
  state: 'running',
  progress: { stage: 'epoch 2 of 8', done: 27, total: 40, remaining: 38 },
  checkpoint: '2026-11-26T14:51:57',
  began: '2026-11-26T14:51:00',
  restarts: 0,
  ...rest,
});

const SIDE = 28;

/** A stroke like a 7, turned: ink by the distance to two lines. */
export function digit(angle: number): Float32Array {
  const pixels = new Float32Array(SIDE * SIDE);
  const turn = (angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const strokes = [
    [-6, -8, 6, -8],
    [6, -8, -2, 9],
  ];
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const [dx, dy] = [x - 13.5, y - 13.5];
      const [u, v] = [cos * dx - sin * dy, sin * dx + cos * dy];
      const near = Math.min(
        ...strokes.map(([ax, ay, bx, by]) => {
          const along = Math.min(1, Math.max(0, ((u - ax) * (bx - ax) + (v - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
          return Math.hypot(u - ax - along * (bx - ax), v - ay - along * (by - ay));
        }),
      );
      pixels[y * SIDE + x] = Math.min(1, Math.max(0, 2.2 - near));
    }
  return pixels;
}

const classes = [...'0123456789'];

/** The base takes a turned 7 for a 1; modes do not. */
export function answer({ angle, contenders }: AnswerRequest): Answer {
  return {
    pixels: digit(angle),
    label: 7,
    height: SIDE,
    width: SIDE,
    classes,
    answers: contenders.map(({ form }) => {
      const lost = Math.max(0, angle - (form === 'base' ? 15 : 40)) / 8;
      const logits = Float32Array.from(classes, (_name, k) => (k === 7 ? 5 : k === 1 ? lost : -1 - (k % 3)));
      const powers = logits.map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, 0);
      const on = form === 'base' ? 0.58 : 0.44;
      return {
        logits,
        probabilities: powers.map((power) => power / sum),
        answer: logits[1] > logits[7] ? 1 : 7,
        outputs: Float32Array.from({ length: 96 }, (_unit, i) => Math.max(0, Math.sin(i * 1.7 + angle / 20))),
        active: Uint8Array.from({ length: 96 }, (_unit, i) => (Math.sin(i * 1.7 + angle / 20) > 1 - 2 * on ? 1 : 0)),
        on: 100 * on,
      };
    }),
  };
}

export function drawImages({ indices, angle }: DrawRequest): DrawnImages {
  const pixels = new Uint8Array(indices.length * SIDE * SIDE);
  indices.forEach((_index, i) =>
    pixels.set(
      digit(angle + (i % 5) * 4).map((ink) => 255 * ink),
      i * SIDE * SIDE,
    ),
  );
  return { height: SIDE, width: SIDE, pixels, labels: Int32Array.from(indices, () => 7), classes };
}
