/** The claims of How Alignment Routes, judged by models whose truth is known: Tier A compiled, Tier B trained (methods.md §1.7). */
import { statusOf, type ClaimId, type Evidence } from './alignmentRoutesAbstract.ts';
import type { PolicyReport } from './policyReport.ts';

/** What a testbed reports, and figures of analyses that may not have been made. */
export interface TestbedReport extends PolicyReport {
  /** Change of each amplifier's contribution when the gate is noised, in %, signed. */
  readonly amplifiers?: Readonly<Record<string, number>>;
  /** Dose thresholds by topic: from REFUSE to EVADE, and to ANSWER; NaN where there is none. */
  readonly thresholds?: Readonly<Record<string, { readonly refuse: number; readonly evade: number }>>;
}

/** From here on the metric counts as moved. */
const COMMITTED = 0.9;

export function judgeTestbed(source: 'tier A' | 'tier B', reports: readonly TestbedReport[]): Evidence[] {
  const found: Evidence[] = [];
  const say = (claim: ClaimId, measured: Record<string, number>, holds: boolean, inSign: boolean, rule: string) =>
    found.push({ claim, source, measured, status: statusOf(holds, inSign), rule });
  const gates = reports.map(({ sites, gate }) => sites[gate]);
  const each = (name: string, values: readonly number[]) =>
    Object.fromEntries(values.map((value, i) => [values.length === 1 ? name : `${name}, model ${i + 1}`, value]));
  const all = <Value>(values: readonly Value[], test: (value: Value) => boolean) => values.every(test);

  const falls = reports.flatMap(({ amplifiers }) => (amplifiers ? [Object.values(amplifiers)] : []));
  if (falls.length === reports.length && falls.every(({ length }) => length > 0))
    say(
      'motif',
      each(
        'smallest fall of an amplifier, %',
        falls.map((changes) => -Math.max(...changes)),
      ),
      all(falls, (changes) => all(changes, (change) => change <= -70)),
      all(falls, (changes) => all(changes, (change) => change < 0)),
      'reproduced: every amplifier falls by at least 70 % when the gate is noised; in sign: every one falls',
    );
  const shares = gates.map(({ dlaShare }) => dlaShare);
  say(
    'share',
    each('share', shares),
    all(shares, (share) => share < 0.01),
    all(shares, (share) => share < 0.1),
    'reproduced: under 0.01 in every model; in sign: under 0.1',
  );
  say(
    'necessity',
    {
      ...each(
        'necessity',
        gates.map(({ necessity }) => necessity),
      ),
      ...each(
        'sufficiency',
        gates.map(({ sufficiency }) => sufficiency),
      ),
      ...each(
        'p',
        gates.map(({ p }) => p),
      ),
    },
    all(gates, ({ necessity, sufficiency, p }) => necessity >= 0.85 && sufficiency >= 0.9 && p < 0.001),
    all(gates, ({ necessity, sufficiency, p }) => necessity > 0 && sufficiency > 0 && p < 0.05),
    'reproduced: necessity ≥ 0.85, sufficiency ≥ 0.9, corrected p < 0.001 in every model; in sign: both above 0 with p < 0.05',
  );
  const missed = gates.map(({ zeroAblation, necessity }) => zeroAblation.sensitive / necessity);
  say(
    'ablation',
    each('zero ablation over interchange, sensitive member', missed),
    all(missed, (share) => share < 0.5),
    missed.some((share) => share < 0.5),
    'of the second half of the claim only. Reproduced: zeroing the gate shows less than half of what interchange shows, in every model; in sign: in some',
  );
  const thresholds = reports.flatMap(({ thresholds: one }) => (one ? [Object.values(one)] : []));
  if (thresholds.length === reports.length) {
    const ordered = thresholds.map((topics) => topics.filter(({ refuse, evade }) => refuse < evade).length / topics.length);
    say(
      'dose',
      each('share of topics that go from refusal over evasion to the answer', ordered),
      all(ordered, (share) => share === 1),
      all(ordered, (share) => share > 0),
      'reproduced: every topic has both thresholds, refusal’s first; in sign: some topics have',
    );
    const spreads = thresholds.map((topics) => {
      const known = topics.map(({ evade }) => evade).filter((value) => !Number.isNaN(value));
      return known.length > 1 ? Math.max(...known) - Math.min(...known) : 0;
    });
    say(
      'thresholds',
      each('largest less smallest threshold of the answer', spreads),
      false,
      all(spreads, (spread) => spread > 0),
      'in sign: they differ between topics; languages are not tried, so never reproduced',
    );
  }
  const commits = reports.map(({ commitment: { route, content } }) =>
    [route, content].map((curve) => curve.findIndex((value) => value >= COMMITTED)),
  );
  say(
    'commitment',
    {
      ...each(
        'layers until the route is committed',
        commits.map(([route]) => route),
      ),
      ...each(
        'layers until the content is',
        commits.map(([, content]) => content),
      ),
    },
    all(commits, ([route, content]) => route >= 0 && content >= 0 && route < content),
    commits.some(([route, content]) => route >= 0 && content >= 0 && route < content),
    'reproduced: the route reaches 90 % of the gap in fewer layers than the content in every model; in sign: in some. −1: never reached',
  );
  const collapses = reports.map(({ collapse }) => collapse);
  say(
    'cipher',
    each('collapse of the signed mean', collapses),
    all(collapses, (share) => share >= 0.7),
    all(collapses, (share) => share > 0),
    'reproduced: at least 0.7 in every model; in sign: above 0',
  );
  const rescues = reports.map(({ rescue }) => rescue);
  const mean = rescues.reduce((sum, value) => sum + value, 0) / rescues.length;
  say(
    'rescue',
    { ...each('rescued', rescues), mean },
    Math.abs(mean - 0.48) <= 0.1,
    all(rescues, (share) => share > 0),
    'reproduced: 0.48 ± 0.1 on the mean of the models; in sign: above 0 in every one',
  );
  return found;
}
