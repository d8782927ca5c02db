/** Adapters there are to choose from, in a person's words. */
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import { learningRateOf } from '../../../engine/models/adapters/learningRate.ts';
import { gateFamilies } from '../../../engine/gates/index.ts';
import type { AdapterChoice } from '../hostApi.ts';

/** Rank of LoRA unless another is named. */
const RANK = 4;

const words: Readonly<Record<string, readonly [title: string, help: string]>> = {
  dopamine: ['Dopamine: thresholds and gains', 'a gate on every hidden unit: open above its threshold τ, times its gain γ'],
  'dopamine+pre-activation': ['Dopamine in the place of the ReLU', 'gates what comes before the ReLU: can wake dead units'],
  'dopamine+two-sided': ['Dopamine, two-sided', 'open for large values of either sign'],
  threshold: ['Thresholds alone', 'gates without gains: which units fire, not how much'],
  'threshold+pre-activation': ['Thresholds in the place of the ReLU', 'gates without gains on what comes before the ReLU'],
  'threshold+two-sided': ['Thresholds, two-sided', 'gates without gains, open for large values of either sign'],
  gain: ['Gains alone (IA³)', 'a factor for every hidden unit; decides nothing'],
  bias: ['Biases alone (BitFit)', 'an offset to every bias'],
  full: ['Full fine-tuning', 'every parameter of the base is trained; the base itself stays beside it'],
};

export function adapterChoices(): AdapterChoice[] {
  const ids = [...gateFamilies.map(({ id }) => id), 'gain', 'bias', `lora-r${RANK}`, 'full'];
  return ids.map((id) => {
    const open = id.startsWith('lora-r');
    const [title, help] = open ? (['LoRA', 'low-rank additions to the weights; takes a rank'] as const) : (words[id] ?? [id, '']);
    return { id, title, help, gated: adapterOf(id).gated, learningRate: learningRateOf(id), open };
  });
}
