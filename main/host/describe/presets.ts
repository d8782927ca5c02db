/** Where a person would start from: values of the training form by the paths of its fields. */
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
};

export const presets: Description['presets'] = [
  { name: 'Quick look', help: 'a small network and one epoch: seconds', values: { ...paper, hidden: [64, 32], epochs: 1 } },
  {
    name: 'Paper protocol (Dopamine)',
    help: 'arXiv:2602.11726: 784–256–128–10, images at 0° and 45°, two epochs',
    values: paper,
  },
  {
    name: 'Careful',
    help: 'ten epochs at a lower rate, and 5 000 training images held out for choosing',
    values: { ...paper, rows: 'remaining', epochs: 10, 'optimiser.learningRate': FOUNDATION_RATE / 2 },
  },
];
