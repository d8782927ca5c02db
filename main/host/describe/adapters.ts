/** Adapters there are to choose from, in a person's words. */
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import { learningRateOf } from '../../../engine/models/adapters/learningRate.ts';
import { gateFamilies } from '../../../engine/gates/index.ts';
import type { AdapterChoice } from '../hostApi.ts';

const words: Readonly<Record<string, readonly [title: string, help: string]>> = {
  dopamine: ['Dopamine τ + γ', 'a gate on every hidden unit: open above its threshold τ, times its gain γ'],
  'dopamine+pre-activation': ['Dopamine before the ReLU', 'gates what comes before the ReLU: can wake dead units'],
  'dopamine+two-sided': ['Dopamine two-sided', 'open for large values of either sign'],
  threshold: ['Threshold τ', 'gates without gains: which units fire, not how much'],
  'threshold+pre-activation': ['Threshold before the ReLU', 'gates without gains on what comes before the ReLU'],
  'threshold+two-sided': ['Threshold two-sided', 'gates without gains, open for large values of either sign'],
  gain: ['Gain γ only', 'a factor for every hidden unit (IA³); decides nothing'],
  bias: ['Bias only', 'an offset to every bias (BitFit)'],
  full: ['Full fine-tune', 'every parameter of the base is trained; the base itself stays beside it'],
};

/** A number takes the place of `<n>`. */
const LORA: AdapterChoice = {
  id: 'lora-r<n>',
  title: 'LoRA',
  help: 'low-rank additions to the weights; takes a rank',
  gated: false,
  learningRate: learningRateOf('lora-r1'),
  open: true,
};

export function adapterChoices(): AdapterChoice[] {
  const closed = [...gateFamilies.map(({ id }) => id), 'gain', 'bias', 'full'].map((id) => {
    const [title, help] = words[id] ?? [id, ''];
    return { id, title, help, gated: adapterOf(id).gated, learningRate: learningRateOf(id), open: false };
  });
  return [...closed.slice(0, -1), LORA, ...closed.slice(-1)];
}

/** Ids to choose from where a field takes one: of LoRA with the ranks of the paper. */
export const adapterSuggestions = (): string[] =>
  adapterChoices().flatMap(({ id, open }) => (open ? [1, 4, 8].map((rank) => id.replace('<n>', String(rank))) : [id]));
