/** The adapters' pane in each of its five looks, with one foundation only, and before anything has been measured. */
import type { ComponentProps } from 'svelte';
import type { Findings } from '../../../engine/base/findings.ts';
import type { Snapshot } from '../../../main/host/hostApi.ts';
import type { Wanted } from '../../state/results.svelte.ts';
import { fixture } from '../../testing/fixtures.ts';
import { specimen, type Specimen } from '../../testing/picture.ts';
import Adapters from '../../views/modes/adapters/Adapters.svelte';
import { namingBy } from '../../views/modes/adapters/naming.ts';
import { hardenedOf, oneFoundation } from '../../views/modes/adapters/testing/standIns.ts';

/** As a type of its own, not an interface: specimens take records. */
type Given = Pick<ComponentProps<typeof Adapters>, keyof ComponentProps<typeof Adapters>>;

const { models, results } = fixture<Snapshot>('snapshot');
const ready = (findings: Findings, key = 'stored'): Wanted => ({ state: 'ready', key, findings });
const stored = (name: string): Wanted => ready(fixture<Findings>(name), results.find(({ analysis }) => analysis === name)?.key);
const absent: Wanted = { state: 'absent', key: 'absent' };

export const adaptersProps: Given = {
  view: 'paired',
  foundation: models[0],
  mode: models[3],
  models: models.filter(({ base }) => base !== undefined),
  named: namingBy(results),
  newAngle: 45,
  oldAngle: 0,
  share: 1,
  paired: stored('paired'),
  hardened: ready(hardenedOf(fixture<Findings>('paired'))),
  angleCurve: stored('angleCurve'),
  frontier: stored('frontier'),
  interpolation: stored('interpolation'),
  onView: () => undefined,
  onRun: () => undefined,
  onChoose: () => undefined,
  onShare: () => undefined,
};

const pane = { width: 356, height: 420 };

const one = (id: string, title: string, props: Given): Specimen => specimen(id, title, Adapters, props, pane);

export const specimens: Specimen[] = [
  one('adapters-paired', 'Gain and loss over three seeds', adaptersProps),
  one('adapters-parameters', 'Parameters against gain', { ...adaptersProps, view: 'parameters' }),
  one('adapters-angles', 'Accuracy by angle', { ...adaptersProps, view: 'angles' }),
  one('adapters-frontier', 'Sparsity', { ...adaptersProps, view: 'frontier' }),
  one('adapters-path', 'From base to mode, at 60 %', { ...adaptersProps, view: 'path', share: 0.6 }),
  one('adapters-one-foundation', 'One foundation: no interval', {
    ...adaptersProps,
    paired: ready(oneFoundation(fixture<Findings>('paired'))),
    hardened: undefined,
  }),
  one('adapters-not-run', 'Not run, with its cost', { ...adaptersProps, paired: absent, seconds: 41 }),
  one('adapters-no-sparse', 'No modes of different λ', { ...adaptersProps, view: 'frontier', frontier: undefined }),
  one('adapters-read-only', 'Not run, and only read', { ...adaptersProps, view: 'path', interpolation: absent, onRun: undefined }),
  one('adapters-refused', 'Refused', {
    ...adaptersProps,
    view: 'angles',
    angleCurve: { state: 'failed', reason: 'angleCurve: models must all have been trained on data of one size, got 28 × 28 and 8 × 8' },
  }),
];
