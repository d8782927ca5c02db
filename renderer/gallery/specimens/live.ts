/** The live digit: while it answers, wrong and right, beside itself, drawn on, and in every other state. */
import type { AnswerRequest } from '../../../main/host/hostApi.ts';
import { answer, drawImages } from '../../testing/fakeData.ts';
import { specimen, type Specimen } from '../../testing/picture.ts';
import type { Contender } from '../../views/modes/live/contenders.ts';
import Turning from '../../views/modes/live/testing/Turning.svelte';

const contenders: readonly Contender[] = [
  { id: 'base', label: 'Base', model: 'foundation', form: 'base' },
  { id: 'soft', label: 'Mode, soft', model: 'mode', form: 'soft' },
  { id: 'hard', label: 'Mode, hard', model: 'mode', form: 'hard' },
  { id: 'rival', label: 'LoRA r = 4', model: 'rival', form: 'soft' },
];

export const liveProps = {
  data: { source: 'mnist' },
  count: 10_000,
  index: 4017,
  angle: 45,
  contenders,
  current: 'soft',
  ask: async (request: AnswerRequest) => answer(request),
  draw: async (request: Parameters<typeof drawImages>[0]) => drawImages(request),
};

const pane = { width: 296, height: 420 };

export const specimens: Specimen[] = [
  specimen('live-digit', 'One digit, four networks', Turning, liveProps, pane),
  specimen('live-digit-upside-down', 'Beyond the quarter turn', Turning, { ...liveProps, angle: 200 }, pane),
  specimen(
    'live-digit-forced',
    'Units forced, half-way to the mode',
    Turning,
    { ...liveProps, share: 0.5, forced: [{ unit: 'L1U4', state: 'shut' as const }] },
    pane,
  ),
  specimen('live-digit-loading', 'No answer yet', Turning, { ...liveProps, ask: () => new Promise<never>(() => undefined) }, pane),
  specimen(
    'live-digit-error',
    'The host cannot answer',
    Turning,
    { ...liveProps, ask: () => Promise.reject(new Error('answer: the engine ended; it is being started again')) },
    pane,
  ),
  specimen('live-digit-empty', 'No network yet', Turning, { ...liveProps, contenders: [] }, pane),
];
