/** What `run tier-a` and `run tier-b` report, in the fields that scripts read (fixed), read off the findings of analyses. */
import type { Findings } from '../base/findings.ts';
import { headLabel } from '../models/sites.ts';

export interface PolicySite {
  /** Of the gap, as are all but flip, dlaShare and p. */
  readonly necessity: number;
  readonly sufficiency: number;
  /** Share of sensitive prompts whose answer leaves the positive token under noising. */
  readonly flip: number;
  readonly dlaShare: number;
  readonly dlaOverGap: number;
  readonly zeroAblation: { readonly sensitive: number; readonly control: number };
  readonly cipherNecessity: number;
  readonly p: number;
}

export interface PolicyReport {
  /** Whether the model does what the policy says in at least 98 % of prompts of every class. */
  readonly accepted: boolean;
  readonly sites: Readonly<Record<string, PolicySite>>;
  readonly gate: string;
  /** Share of cipher prompts refused with the gate as on the sensitive prompt in plain words. */
  readonly rescue: number;
  /** 1 − necessity under the cipher / necessity in plain words, of the gate. */
  readonly collapse: number;
  /** After 0, 1, … layers: how much of the gap goes with the residual at the read position. */
  readonly commitment: { readonly route: readonly number[]; readonly content: readonly number[] };
}

/** Findings of the analyses that a report is read off, by what they are. */
export interface CircuitFindings {
  readonly gate: string;
  readonly interchange: Findings;
  readonly attribution: Findings;
  readonly ablation: Findings;
  readonly cipher: Findings;
  readonly rescue: Findings;
  readonly commitment: Findings;
}

export function policyReport(accepted: boolean, found: CircuitFindings): PolicyReport {
  const { gate, interchange, attribution, ablation, cipher, rescue, commitment } = found;
  const heads = interchange.axes.head.values.length;
  const cells = interchange.axes.layer.values.length * heads;
  const cipherBegins = cipher.axes.arm.values.indexOf('cipher') * cells;
  // Of one position and one ablation: what follows on the axes are layers and heads.
  const at = ({ measures }: Findings, name: string, cell: number) => measures[name].data[cell];
  const site = (cell: number): PolicySite => ({
    necessity: at(interchange, 'necessity', cell),
    sufficiency: at(interchange, 'sufficiency', cell),
    flip: at(interchange, 'flip', cell),
    dlaShare: at(attribution, 'directShare', cell),
    dlaOverGap: at(attribution, 'direct', cell),
    zeroAblation: { sensitive: at(ablation, 'sensitive', cell), control: at(ablation, 'control', cell) },
    cipherNecessity: at(cipher, 'necessity', cipherBegins + cell),
    p: at(interchange, 'necessityP', cell),
  });
  return {
    accepted,
    sites: Object.fromEntries(Array.from({ length: cells }, (_, cell) => [headLabel(Math.floor(cell / heads), cell % heads), site(cell)])),
    gate,
    rescue: Number(rescue.facts.rescue),
    collapse: Number(cipher.facts['gate.collapse']),
    commitment: {
      route: Array.from(commitment.measures.routeNoising.data),
      content: Array.from(commitment.measures.contentNoising?.data ?? []),
    },
  };
}

/** The report as a session keeps it. */
export function policyReportFindings(report: PolicyReport): Findings {
  const { sites, commitment, accepted, gate, rescue, collapse } = report;
  const labels = Object.keys(sites);
  const column = (unit: string, definition: string, value: (site: PolicySite) => number) => ({
    axes: ['head'],
    unit,
    definition,
    data: Float64Array.from(labels, (label) => value(sites[label])),
  });
  const curve = (definition: string, data: readonly number[]) => ({
    axes: ['completed'],
    unit: 'of the gap',
    definition,
    data: Float64Array.from(data),
  });
  return {
    axes: { head: { values: labels }, completed: { values: commitment.route.map((_value, layer) => layer), unit: 'layers' } },
    measures: {
      necessity: column('of the gap', 'M(x⁺) − M(x⁺; head ← x⁻)', ({ necessity }) => necessity),
      sufficiency: column('of the gap', 'M(x⁻; head ← x⁺) − M(x⁻)', ({ sufficiency }) => sufficiency),
      flip: column('share', 'sensitive prompts whose answer leaves the positive token under noising', ({ flip }) => flip),
      dlaShare: column('share', '|Δ| of the head of Σ|Δ| over all heads and MLPs', ({ dlaShare }) => dlaShare),
      dlaOverGap: column('of the gap', 'what the head writes to M directly', ({ dlaOverGap }) => dlaOverGap),
      zeroSensitive: column('of the gap', 'M(x⁺) − M(x⁺; head ← 0)', ({ zeroAblation }) => zeroAblation.sensitive),
      zeroControl: column('of the gap', 'M(x⁻; head ← 0) − M(x⁻)', ({ zeroAblation }) => zeroAblation.control),
      cipherNecessity: column(
        'of the gap',
        'M(cipher) − M(cipher; head ← x⁻), over the gap in plain words',
        ({ cipherNecessity }) => cipherNecessity,
      ),
      p: column('', 'sign-flip max-T of necessity over all heads', ({ p }) => p),
      route: curve('of refusing against answering, with the residual at the read position after so many layers', commitment.route),
      content: curve(
        'of one answer against another, with the residual at the read position after so many layers; NaN where there are no such pairs',
        padded(commitment),
      ),
    },
    facts: { accepted, gate, rescue, collapse },
  };
}

/** As long as the other curve. */
const padded = ({ route, content }: PolicyReport['commitment']): readonly number[] => route.map((_value, i) => content[i] ?? NaN);
