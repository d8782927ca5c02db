/**
 * Where a person would start from: values of the training form by the paths of its fields. Besides, what a form asks for that is none of one
 * training: which `adapters` are trained on the foundation, on images turned by which `modeAngles`, and for which `seeds`.
 */
import { FOUNDATION_RATE } from '../../../engine/models/adapters/learningRate.ts';
import type { Description } from '../hostApi.ts';

const paper = {
  'data.source': 'mnist',
  angles: [0, 45],
  rows: 'all',
  hidden: [256, 128],
  epochs: 2,
  batch: 128,
  'optimiser.kind': 'adam',
  'optimiser.learningRate': FOUNDATION_RATE,
  seed: 0,
  'measure.every': 50,
  'measure.images': 2000,
  'measure.angles': [0, 45],
  modeAngles: [45],
  adapters: ['dopamine'],
  seeds: [0],
};

export const presets: Description['presets'] = [
  { name: 'Quick look', help: 'a small network and one epoch: seconds', values: { ...paper, hidden: [64, 32], epochs: 1 } },
  {
    name: 'Paper protocol (Dopamine)',
    help: 'arXiv:2602.11726: 784–256–128–10, images at 0° and 45°, two epochs',
    values: { ...paper, adapters: ['dopamine', 'threshold', 'gain', 'bias', 'lora-r1', 'lora-r4', 'lora-r8'] },
  },
  {
    name: 'Careful',
    help: 'ten epochs at a lower rate for five seeds, and 5 000 training images held out for choosing',
    values: {
      ...paper,
      rows: 'remaining',
      epochs: 10,
      'optimiser.learningRate': FOUNDATION_RATE / 2,
      adapters: ['dopamine', 'gain', 'lora-r4'],
      seeds: [0, 1, 2, 3, 4],
    },
  },
];
