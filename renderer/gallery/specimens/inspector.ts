/** The inspector: a unit of the last layer and one of the first, forced and not, before anything has run; brushed units; the mode itself. */
import type { ComponentProps } from 'svelte';
import type { Findings } from '../../../engine/base/findings.ts';
import type { DrawRequest, Run, Snapshot, UnitVectors } from '../../../main/host/hostApi.ts';
import type { Wanted } from '../../state/results.svelte.ts';
import { drawImages, NOW } from '../../testing/fakeData.ts';
import { fixture } from '../../testing/fixtures.ts';
import { specimen, type Specimen } from '../../testing/picture.ts';
import BrushInspector from '../../views/modes/inspector/BrushInspector.svelte';
import ModeInspector from '../../views/modes/inspector/ModeInspector.svelte';
import { forced, receptiveFields, topImages } from '../../views/modes/inspector/testing/standIns.ts';
import UnitInspector from '../../views/modes/inspector/UnitInspector.svelte';

type Given<Props> = Pick<Props, keyof Props>;

const { models, runs } = fixture<Snapshot>('snapshot');
const ready = (findings: Findings): Wanted => ({ state: 'ready', key: 'stored', findings });
const absent: Wanted = { state: 'absent', key: 'absent' };
const stored = (name: string): Findings => fixture<Findings>(name);
const units = stored('categories').axes.unit.values.map(String);

/** As the host gives them. */
export const vectors = ((): UnitVectors => {
  const { parameters } = fixture<{ adapter: { parameters: Readonly<Record<string, Float32Array>> } }>('units').adapter;
  const of = (name: string): Float32Array => Float32Array.from([0, 1].flatMap((layer) => [...parameters[`layers.${layer}.gate.${name}`]]));
  const layers = [
    { label: 'L0', begin: 0, end: 64 },
    { label: 'L1', begin: 64, end: 96 },
  ];
  return { units, layers, threshold: of('threshold'), gain: of('gain'), contextual: false };
})();

export const unitProps: Given<ComponentProps<typeof UnitInspector>> = {
  unit: 'L1U5',
  data: { source: 'mnist' },
  classes: [...'0123456789'],
  angle: 45,
  vectors,
  categories: ready(stored('categories')),
  receptiveFields: ready(receptiveFields(units)),
  topImages: ready(topImages(units)),
  contributions: ready(stored('contributions')),
  interchange: ready(stored('interchange')),
  forced: ready(forced('L1U5 shut')),
  held: 'shut',
  heldCount: 1,
  canOpen: true,
  pinned: false,
  bookmarked: false,
  note: '',
  writable: true,
  draw: async (request: DrawRequest) => drawImages(request),
  onForce: () => undefined,
  onPin: () => undefined,
  onBookmark: () => undefined,
  onNote: () => undefined,
  onRun: () => undefined,
  onPick: () => undefined,
};

export const brushProps: Given<ComponentProps<typeof BrushInspector>> = {
  units: ['L0U0', 'L0U2', 'L0U3', 'L0U7', 'L0U9', 'L1U5'],
  data: { source: 'mnist' },
  classes: [...'0123456789'],
  angle: 45,
  vectors,
  categories: ready(stored('categories')),
  forced: ready(forced('six units')),
  held: 'shut',
  heldCount: 6,
  canOpen: true,
  draw: async (request: DrawRequest) => drawImages(request),
  onForce: () => undefined,
  onSelect: () => undefined,
  onRun: () => undefined,
};

/** At a time of the clock on the wall, wherever that is. */
const at = (time: string, run: Run): Run => ({ ...run, at: time });

export const modeProps: Given<ComponentProps<typeof ModeInspector>> = {
  model: models[3],
  foundation: models[0],
  run: at(
    '2026-11-26T09:22:06',
    runs.find(({ model }) => model === models[3].digest)!,
  ),
  hard: { 0: 89.94, 45: 91.65 },
  restored: true,
  bookmarked: true,
  note: 'Keeps 0° better than LoRA of rank 1 for a fifth of the parameters.',
  writable: true,
  dataTitle: 'MNIST',
  now: new Date(NOW),
  onBookmark: () => undefined,
  onNote: () => undefined,
  onExport: () => undefined,
  onCopy: () => undefined,
};

const pane = { width: 312, height: 960 };
const short = { width: 312, height: 560 };
const unit = (id: string, title: string, props: Partial<typeof unitProps>, size = pane): Specimen =>
  specimen(id, title, UnitInspector, { ...unitProps, ...props }, size);

export const specimens: Specimen[] = [
  unit('unit', 'A unit of the last layer, held shut', {}),
  unit('unit-first-layer', 'A unit of an earlier layer, free', {
    unit: 'L0U4',
    held: 'free',
    forced: undefined,
    pinned: true,
    bookmarked: true,
    note: 'Fires on strokes that lean left.',
  }),
  unit('unit-dead', 'A dead unit', { unit: 'L0U2', held: 'free', forced: undefined }),
  unit(
    'unit-not-run',
    'Nothing has run',
    {
      categories: absent,
      receptiveFields: absent,
      topImages: absent,
      contributions: absent,
      interchange: absent,
      forced: absent,
      seconds: { categories: 4, receptiveFields: 2, topImages: 3, contributions: 6, interchange: 0.2, forced: 0.4 },
    },
    short,
  ),
  unit(
    'unit-read-only',
    'Nothing has run, and only read; no gates',
    {
      categories: absent,
      receptiveFields: absent,
      topImages: absent,
      contributions: absent,
      interchange: absent,
      held: 'free',
      forced: undefined,
      canOpen: false,
      writable: false,
      onRun: undefined,
      vectors: undefined,
    },
    short,
  ),
  unit('unit-running', 'Running, and one refused', {
    interchange: { state: 'running', key: 'x' },
    contributions: { state: 'failed', reason: 'contributions: data must be MNIST, got Fashion-MNIST' },
  }),
  specimen('brush', 'Six brushed units, held shut', BrushInspector, brushProps, short),
  specimen('brush-free', 'Brushed, some held', BrushInspector, { ...brushProps, held: 'mixed', heldCount: 2 }, short),
  specimen('mode', 'The mode itself', ModeInspector, modeProps, { width: 312, height: 720 }),
  specimen(
    'mode-foundation',
    'A foundation, only read',
    ModeInspector,
    { ...modeProps, model: models[0], run: at('2026-11-26T09:21:51', runs[0]), hard: {}, restored: undefined, note: '', writable: false },
    { width: 312, height: 560 },
  ),
];
