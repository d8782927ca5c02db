/** What is claimed of Dopamine, each with the figures it speaks of. Nothing here is tuned: a claim that does not hold says so. */
import type { Claim } from '../base/findings.ts';
import type { SeedReport } from './dopamineReport.ts';
import { bySeed } from './protocol.ts';

/** The mode adapted to and the one to be kept, in degrees. */
const MODE = '45';
const OLD = '0';

/** Everything one seed gave that a claim is judged by. */
export interface SeedOutcome extends SeedReport {
  /** Whether the base, as it lay in memory after each adapter's training, was the foundation's bit for bit. */
  readonly restored: boolean;
  /** Of the λ chosen on held-out images: points lost against λ = 0, percent of units active, on the test images. */
  readonly frontier?: { readonly loss: number; readonly active: number; readonly lambda: number } | undefined;
  /** Dopamine beside LoRA r8 at 45°, on a foundation that saw both angles and on one that saw 0° only. */
  readonly expressivity?: { readonly mixed: Expressed; readonly single: Expressed } | undefined;
}

/** What dopamine gains as a share of what LoRA r8 does, and how many points it is behind it. */
interface Expressed {
  readonly share: number;
  readonly behind: number;
}

/** Differences of percentages are percentages: 0.3, not 0.30000000000001137, which would break a bound of 0.3. */
const rounded = (value: number): number => Number(value.toFixed(4));
const mean = (values: readonly number[]) => rounded(values.reduce((a, b) => a + b, 0) / values.length);

export function judge(outcomes: readonly SeedOutcome[]): Claim[] {
  const claims: Claim[] = [];
  const seeds = outcomes.map(({ seed }) => seed);
  const claim = (text: string, values: readonly number[], holds: boolean, inSign: boolean, more: Record<string, number> = {}) =>
    claims.push({
      claim: text,
      measured: { ...bySeed(seeds, values), mean: mean(values), ...more },
      status: holds ? 'holds' : inSign ? 'in sign only' : 'does not hold',
    });
  const each = (value: (outcome: SeedOutcome) => number) => outcomes.map((outcome) => rounded(value(outcome)));
  const has = (...ids: string[]) => outcomes.every(({ adapters }) => ids.every((id) => adapters[id] !== undefined));
  const soft = (id: string) => (outcome: SeedOutcome) => outcome.adapters[id].soft[MODE];
  const gain = (id: string) => each((outcome) => soft(id)(outcome) - outcome.frozen[MODE]);

  const frozen = each((outcome) => outcome.frozen[MODE]);
  claim('frozen accuracy at 45° lies between 93 and 95 (mean over seeds)', frozen, mean(frozen) >= 93 && mean(frozen) <= 95, false);
  if (has('dopamine')) {
    const gains = gain('dopamine');
    claim(
      'dopamine gains at least 1.0 point at 45° over the frozen base, in each seed',
      gains,
      gains.every((value) => value >= 1),
      gains.every((value) => value > 0),
    );
    const gap = each((outcome) => Math.abs(outcome.adapters.dopamine.hard![MODE] - soft('dopamine')(outcome)));
    claim(
      'hardening moves accuracy at 45° by at most 0.3 points',
      gap,
      gap.every((value) => value <= 0.3),
      false,
    );
  }
  if (has('dopamine', 'lora-r4')) {
    const lead = each((outcome) => soft('lora-r4')(outcome) - soft('dopamine')(outcome));
    claim(
      'LoRA r4 is above dopamine at 45°',
      lead,
      lead.every((value) => value > 0),
      mean(lead) > 0,
    );
  }
  if (has('dopamine', 'gain', 'threshold')) {
    const [both, gains, thresholds] = ['dopamine', 'gain', 'threshold'].map((id) => mean(gain(id)));
    claim(
      'gains do most of the work: alone they reach at least half of what dopamine gains at 45°, and more than thresholds alone (points)',
      gain('gain'),
      both > 0 && gains >= both / 2 && gains > thresholds,
      gains > thresholds,
      { 'dopamine (mean)': both, 'threshold alone (mean)': thresholds },
    );
  }
  if (has('dopamine', 'lora-r8')) {
    const lostWith = (id: string) => each(({ frozen: before, adapters }) => before[OLD] - adapters[id].soft[OLD]);
    const [lost, rival] = [lostWith('dopamine'), lostWith('lora-r8')];
    claim(
      'dopamine keeps the 0° mode (mean loss at most 1.5 points), where LoRA r8 loses at least three times as much',
      lost,
      mean(lost) <= 1.5 && mean(rival) >= 3 * mean(lost),
      mean(rival) > mean(lost),
      { 'LoRA r8 (mean)': mean(rival) },
    );
  }
  if (outcomes.every(({ frontier }) => frontier)) {
    const loss = each(({ frontier }) => frontier!.loss);
    const active = each(({ frontier }) => frontier!.active);
    claim(
      'a λ chosen on held-out images leaves fewer than 30 % of units active and costs less than a point (mean over seeds)',
      loss,
      mean(loss) < 1 && active.every((value) => value < 30),
      active.every((value) => value < 30),
      {
        'active (mean, %)': mean(active),
        ...Object.fromEntries(outcomes.map(({ seed, frontier }) => [`λ, seed ${seed}`, frontier!.lambda])),
      },
    );
  }
  if (outcomes.every(({ expressivity }) => expressivity)) {
    // "Expressivity falls" can be read in two ways, which do not agree.
    for (const [text, value] of [
      ['dopamine is further behind LoRA r8 at 45° (points more)', ({ mixed, single }) => single.behind - mixed.behind],
      ['dopamine reaches a smaller share of what LoRA r8 gains at 45° (share less)', ({ mixed, single }) => mixed.share - single.share],
    ] as [string, (found: NonNullable<SeedOutcome['expressivity']>) => number][]) {
      const fall = each(({ expressivity }) => value(expressivity!));
      claim(
        `on a foundation that saw 0° only, ${text}`,
        fall,
        fall.every((one) => one > 0),
        mean(fall) > 0,
      );
    }
  }
  const restored = each((outcome) => Number(outcome.restored));
  claim(
    'removing the adapter gives the base back bit for bit (1 = yes)',
    restored,
    restored.every((value) => value === 1),
    false,
  );
  return claims;
}
