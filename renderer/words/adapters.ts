/** What adapters are called where there is little room: in tables, beside curves. Their titles in full are the host's. */
import { effect } from './numbers.ts';

const names: Readonly<Record<string, string>> = {
  dopamine: 'Dopamine τ + γ',
  threshold: 'Threshold only',
  gain: 'Gain only',
  bias: 'Bias only',
  full: 'Full fine-tune',
};

/** `LoRA r = 4`, `Dopamine τ + γ, two-sided, λ .3`; one that is not known here goes by its id. @param adapter undefined: a foundation */
export function adapterName(adapter: string | undefined, sparsity = 0): string {
  if (adapter === undefined) return 'Foundation';
  const [id, ...options] = adapter.split('+');
  const rank = /^lora-r(\d+)$/.exec(id)?.[1];
  const name = rank === undefined ? (names[id] ?? id.charAt(0).toUpperCase() + id.slice(1)) : `LoRA r = ${rank}`;
  return [
    name,
    ...options.map((option) => option.replaceAll('-', ' ')),
    ...(sparsity > 0 ? [`λ ${effect(sparsity, digitsOf(sparsity))}`] : []),
  ].join(', ');
}

/** After the point, for one that counts. */
const digitsOf = (value: number): number => Math.max(0, Math.ceil(-Math.log10(value) - 1e-9));
