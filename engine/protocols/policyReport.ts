/** What `run tier-a` and `run tier-b` report, in the fields that scripts read (fixed), read off the findings of two analyses. */
import type { Findings } from '../base/findings.ts';

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

/** @param found of policyCircuit @param curves of commitment */
export function policyReport(accepted: boolean, { axes, measures, facts }: Findings, { measures: curves }: Findings): PolicyReport {
  const of = (measure: string, i: number) => measures[measure].data[i];
  const site = (i: number): PolicySite => ({
    necessity: of('necessity', i),
    sufficiency: of('sufficiency', i),
    flip: of('flip', i),
    dlaShare: of('dlaShare', i),
    dlaOverGap: of('dlaOverGap', i),
    zeroAblation: { sensitive: of('zeroSensitive', i), control: of('zeroControl', i) },
    cipherNecessity: of('cipherNecessity', i),
    p: of('p', i),
  });
  return {
    accepted,
    sites: Object.fromEntries(axes.head.values.map((label, i) => [label, site(i)])),
    gate: String(facts.gate),
    rescue: Number(facts.rescue),
    collapse: Number(facts.collapse),
    commitment: { route: Array.from(curves.routeNoising.data), content: Array.from(curves.contentNoising.data) },
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
      content: curve('of one answer against another, with the residual at the read position after so many layers', commitment.content),
    },
    facts: { accepted, gate, rescue, collapse },
  };
}
