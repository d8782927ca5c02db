/** What the Modes workspace says of the network it shows: under its figures, and where one of them cannot be drawn. */
import { decimal, percent } from '../../words/numbers.ts';
import { adapterName } from '../../words/adapters.ts';
import { anglesText } from './modelWords.ts';
import type { ModesState } from './modesState.svelte.ts';

/** `Mode, soft`: what stands against the base. */
export function againstBase({ form, rival, subject, analysedForm }: ModesState): string {
  if (form === 'rival') return adapterName(rival?.adapter ?? '');
  return subject?.gated ? `Mode, ${analysedForm}` : 'Mode';
}

/** `soft gates, T = 0.20 · at 60 % of the path · 45° · seed 0` */
export function networkWords({ subject, form, analysedForm, share }: ModesState): string {
  if (!subject) return '';
  const temperatures = [...new Set(subject.temperature.map((value) => decimal(value, 2)))].join(', ');
  const gates =
    form === 'base' ? 'base' : subject.gated ? `${analysedForm} gates, T\u00a0=\u00a0${temperatures}` : adapterName(subject.adapter ?? '');
  const onPath = share < 1 && (form === 'soft' || form === 'hard');
  return [
    gates,
    ...(onPath ? [`at ${percent(100 * share, 0)} of the path`] : []),
    anglesText(subject.adapterAngles ?? subject.angles),
    `seed ${subject.seed}`,
  ].join(' · ');
}

/** Why units have no thresholds, where they have none. */
export function withoutGates({ form, subject }: ModesState): string {
  if (form === 'base') return 'The base has no gates: every gain is 1 and nothing is held back. Thresholds and gains belong to the mode.';
  const adapter = subject?.adapter ?? '';
  const changes = adapter === 'gain' ? 'gains' : adapter === 'bias' ? 'biases' : 'weights';
  return `${adapterName(adapter)} changes ${changes}, so its units have no thresholds. They can still be compared by what they do.`;
}
