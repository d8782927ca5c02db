import { expect, it } from 'vitest';
import { adapterName } from './adapters.ts';

it('adapters are called by what they train, with their numbers and options', () => {
  expect([undefined, 'dopamine', 'lora-r16', 'threshold+two-sided+context', 'other'].map((id) => adapterName(id))).toEqual([
    'Foundation',
    'Dopamine τ + γ',
    'LoRA r = 16',
    'Threshold only, two sided, context',
    'Other',
  ]);
  expect([0.3, 0.03, 1, 10, 1e-4].map((sparsity) => adapterName('dopamine', sparsity))).toEqual([
    'Dopamine τ + γ, λ .3',
    'Dopamine τ + γ, λ .03',
    'Dopamine τ + γ, λ 1',
    'Dopamine τ + γ, λ 10',
    'Dopamine τ + γ, λ .0001',
  ]);
});
