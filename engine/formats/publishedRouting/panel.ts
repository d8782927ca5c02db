/**
 * The paper's panel: which head of each model it calls the gate, and what it prints of it, to hold the recomputed numbers against.
 *
 * Necessity and sufficiency in percent of the gap, one decimal (methods.md §1.4, where each was recomputed from the same tables).
 */
import { UserError } from '../../base/errors.ts';
import type { PublishedResults } from './importPublished.ts';

interface Printed {
  readonly layer: number;
  readonly head: number;
  readonly necessity: number;
  readonly sufficiency: number;
  /** Which of several interchange runs it is from. */
  readonly variant?: string;
}

const gate = (layer: number, head: number, necessity: number, sufficiency: number, variant = ''): Printed => ({
  layer,
  head,
  necessity,
  sufficiency,
  variant,
});

export const PAPER_PANEL: Readonly<Record<string, Printed>> = {
  gemma2_2b: gate(13, 2, 8.4, 1.3),
  gemma2_9b: gate(38, 14, 1.9, 0),
  glmz1_9b: gate(19, 23, 4.7, 0.1),
  llama32_3b: gate(27, 1, 3, 0.1),
  llama33_70b: gate(26, 40, 2, 0, 'cc'),
  mistral_7b: gate(31, 22, 1, 0.1),
  phi4_14b: gate(38, 25, 2.6, 0),
  phi4_mini: gate(13, 7, 3.4, 3.3),
  qwen25_72b: gate(79, 11, 1.3, 0),
  qwen25_7b: gate(25, 1, 2.4, 0),
  qwen3_32b: gate(56, 3, 3.2, 0),
  qwen3_8b: gate(17, 17, 1.1, 0.3, 'v2'),
};

export interface PanelRow {
  readonly model: string;
  readonly layers: number;
  readonly layer: number;
  readonly head: number;
  /** % of the mean gap, from the imported table. */
  readonly necessity: number;
  readonly sufficiency: number;
  /** In nats; a share of next to nothing says little. */
  readonly gap: number;
  /** The head of the same table with the largest necessity, and with the largest necessity + sufficiency among those with deeper layers. */
  readonly mostNecessary: string;
  readonly chosen: string;
  /** |Δ| of the gate over that of all heads and MLPs, that times their number, and its place among the heads. */
  readonly share: number;
  readonly lift: number;
  readonly rank: number;
  readonly heads: number;
  readonly printed: Printed;
}

/** One row for each model of the panel that has its tables. @throws UserError where the gate of the paper is not in its table */
export function publishedPanel({ models, findings }: PublishedResults): PanelRow[] {
  return models.flatMap(({ key, id, layers, heads }): PanelRow[] => {
    if (!Object.hasOwn(PAPER_PANEL, key)) return [];
    const printed = PAPER_PANEL[key];
    const find = (experiment: string, variant: string) =>
      findings.find((one) => one.model === key && one.experiment === experiment && one.variant === variant)?.findings;
    const swapped = find('interchange', printed.variant ?? '');
    const direct = find('attribution', '');
    if (!swapped || !direct) return [];
    const cell = printed.layer * heads + printed.head;
    const [necessity, sufficiency] = [swapped.measures.necessity.data, swapped.measures.sufficiency.data];
    if (!(cell < necessity.length) || Number.isNaN(necessity[cell]))
      throw new UserError(
        `published results: ${key}: interchange`,
        `must list L${printed.layer}H${printed.head}, the gate of the paper`,
        'others',
      );
    const best = (score: (at: number) => number) => {
      let found = -1;
      for (let at = 0; at < necessity.length; at++) if (!Number.isNaN(score(at)) && (found < 0 || score(at) > score(found))) found = at;
      return found < 0 ? 'none' : `L${Math.floor(found / heads)}H${found % heads}`;
    };
    return [
      {
        model: id,
        layers,
        layer: printed.layer,
        head: printed.head,
        necessity: necessity[cell],
        sufficiency: sufficiency[cell],
        gap: Number(swapped.facts.gap),
        mostNecessary: best((at) => necessity[at]),
        // A head of the last layer has nothing to trigger (methods.md T9).
        chosen: best((at) => (at < (layers - 1) * heads ? necessity[at] + sufficiency[at] : NaN)),
        share: direct.measures.share.data[cell],
        lift: direct.measures.lift.data[cell],
        rank: direct.measures.rank.data[cell],
        heads: layers * heads,
        printed,
      },
    ];
  });
}
