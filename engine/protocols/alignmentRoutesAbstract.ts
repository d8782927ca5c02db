/** What the abstract of How Alignment Routes claims (arXiv:2604.04385v4), in its order, and what evidence for a claim is. Judging is left to others. */
export type ClaimStatus = 'reproduced' | 'in sign only' | 'not reproducible here';

/** In the order of the abstract. */
export const ALIGNMENT_ROUTES_CLAIMS = {
  motif: 'an attention gate reads detected content and triggers deeper amplifier heads that push towards refusal (knockout cascade)',
  bands: 'in small models gate and amplifier are single heads, in larger ones bands of heads in adjacent layers',
  share: 'the gate is under 1 % of the direct attribution at the output',
  necessity: 'interchange finds the gate causally necessary, p < 0.001',
  panel: 'interchange with at least 120 pairs finds the same motif in twelve models of six laboratories, in other heads',
  ablation: 'ablation of a head weakens up to 58 times with scale, and misses gates that interchange finds',
  dose: 'turning the detection signal goes continuously from refusal over evasion to the answer',
  guidance: 'on safety prompts the same intervention turns refusal into harmful guidance',
  thresholds: 'thresholds vary by topic and by language of the input',
  relocation: 'the circuit moves between generations of a family',
  commitment: 'the gate commits at its own layer, before deeper layers have finished with the input',
  cipher: 'under a cipher in the prompt the necessity of the gate collapses by 70 to 99 %',
  rescue: 'the gate’s activation of the plaintext, put into the run of the cipher, brings 48 % of refusals back',
  contrast: 'contrast with the cipher finds the circuit in three passes for each pair: known heads are in its top 5 %',
} as const;

export type ClaimId = keyof typeof ALIGNMENT_ROUTES_CLAIMS;

/** One road to a claim: figures, and the rule that made a status of them. */
export interface Evidence {
  readonly claim: ClaimId;
  readonly source: 'published tables' | 'tier A' | 'tier B' | 'tier C';
  readonly measured: Readonly<Record<string, number>>;
  readonly status: ClaimStatus;
  /** When it is reproduced, and when in sign only. */
  readonly rule: string;
}

export function statusOf(holds: boolean, inSign: boolean): ClaimStatus {
  return holds ? 'reproduced' : inSign ? 'in sign only' : 'not reproducible here';
}
