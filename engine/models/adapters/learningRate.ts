/** Learning rates of the Dopamine specification, with Adam: what training takes unless told otherwise. */

/** Of a foundation, and of whatever trains as many parameters. */
export const FOUNDATION_RATE = 1e-3;
const GATE_RATE = 1e-2;
const LORA_RATE = 3e-3;

/** By what is trained: one number for each unit, low-rank additions, or everything. */
export function learningRateOf(adapter: string | undefined): number {
  if (adapter === undefined || adapter === 'full') return FOUNDATION_RATE;
  return adapter.startsWith('lora-') ? LORA_RATE : GATE_RATE;
}

export const learningRatesText = `${GATE_RATE}; ${LORA_RATE} for LoRA, ${FOUNDATION_RATE} for full`;
