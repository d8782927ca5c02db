/** Marks by themselves, and a figure in each of its states. */
import { specimen } from '../../testing/picture.ts';
import BrushSample from '../../marks/testing/BrushSample.svelte';
import CurvesSample from '../../marks/testing/CurvesSample.svelte';
import DigitsSample from '../../marks/testing/DigitsSample.svelte';
import EstimatesSample from '../../marks/testing/EstimatesSample.svelte';
import FigureSample from '../../marks/testing/FigureSample.svelte';
import HeatMapSample from '../../marks/testing/HeatMapSample.svelte';
import PointsSample from '../../marks/testing/PointsSample.svelte';

const size = { width: 480, height: 340 };
const action = { action: 'Run again, 4 s', onAction: () => undefined };

export const specimens = [
  specimen('mark-estimates', 'Axes, estimates, seeds, legend', EstimatesSample, {}, size),
  specimen('mark-curves', 'Curves, few points: SVG', CurvesSample, { points: 60, runs: 4 }, size),
  specimen('mark-curves-many', 'Curves, 100 000 points × 4: canvas', CurvesSample, { points: 100_000, runs: 4 }, size),
  specimen('mark-heat-map', 'Heat map; not run is hatched', HeatMapSample, { rows: 10, columns: 24 }, size),
  specimen('mark-heat-map-many', 'Heat map, 100 000 cells', HeatMapSample, { rows: 250, columns: 400 }, size),
  specimen('mark-points', 'Dots, crosses, rings; one selected, some faded', PointsSample, { count: 240 }, size),
  specimen('mark-points-many', 'Points, 100 000: canvas', PointsSample, { count: 100_000 }, size),
  specimen('mark-digits', 'Digit and receptive field', DigitsSample, {}, { width: 300, height: 150 }),
  specimen('mark-brush', 'Brush with handles, typed range', BrushSample, {}, size),
  specimen('figure-ready', 'Figure', FigureSample, { shown: { state: 'ready' } }, size),
  specimen('figure-loading', 'Figure, loading after 300 ms', FigureSample, { shown: { state: 'loading' } }, size),
  specimen(
    'figure-absent',
    'Figure, not run',
    FigureSample,
    { shown: { state: 'absent', text: 'Not run: five angles of one model.', ...action } },
    size,
  ),
  specimen(
    'figure-outdated',
    'Figure, out of date',
    FigureSample,
    { shown: { state: 'outdated', text: 'Seed 3 was trained again. These numbers are from before.', ...action } },
    size,
  ),
  specimen(
    'figure-refused',
    'Figure, refused',
    FigureSample,
    {
      shown: {
        state: 'refused',
        text: 'The gap is 0.02 logits [−.11, .15]: too small to divide by. Show raw logits, or choose other pairs.',
        action: 'Show raw logits',
        onAction: () => undefined,
      },
    },
    size,
  ),
  specimen(
    'figure-small',
    'Figure, one of several small ones',
    FigureSample,
    { shown: { state: 'ready' }, small: true },
    { width: 244, height: 198 },
  ),
];
