/** The Train workspace: in the middle of a batch, before the first run, with a wrong field. */
import { UserError } from '../../../engine/base/errors.ts';
import { specimen } from '../../testing/picture.ts';
import { jobs, longSeries, runs } from '../../views/train/testing/sampleSession.ts';
import TrainSample from '../../views/train/testing/TrainSample.svelte';

const size = { width: 1356, height: 826 };
const nothing = { runs: [], models: [], notes: [], views: {} };

export const specimens = [
  specimen('train', 'Train, in the middle of a batch', TrainSample, {}, size),
  specimen(
    'train-still',
    'Train, nothing runs; grouped by adapter',
    TrainSample,
    { jobs: [], snapshot: { views: { 'train.table': { group: 'adapter' } } } },
    size,
  ),
  specimen('train-empty', 'Train, before the first run', TrainSample, { jobs: [], snapshot: nothing }, size),
  specimen(
    'train-refused',
    'Train, a field is refused',
    TrainSample,
    {
      jobs: jobs.slice(0, 0),
      snapshot: { views: { 'train.form': { values: { sparsity: -1 } } } },
      answers: {
        plan: async () => {
          throw new UserError('trainClassifier: sparsity', 'must be a number in [0, 1000000]', -1);
        },
      },
    },
    size,
  ),
  specimen(
    'train-huge',
    'Train, 12 runs of 100 000 steps',
    TrainSample,
    {
      jobs: [],
      snapshot: { runs: runs.slice(18, 30), views: {} },
      answers: {
        series: async ({ run }) =>
          longSeries(
            runs.find(({ key }) => key === run)!,
            100_000,
          ),
      },
    },
    size,
  ),
];
