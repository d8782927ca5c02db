/**
 * Outcomes against doses of something that is added to a run: shares of REFUSE, EVADE, ANSWER and OTHER at each dose, by topic, and the dose α½ at
 * which an outcome comes or goes, with a logistic fit. What is dosed is the caller's (doseResponse.ts, gateDose.ts).
 *
 * A grid of doses only says between which two of them an outcome changes. So every pair's own change is halved in, all pairs of a condition in one
 * run with a dose for each; the fit takes the grid and these trials together.
 */
import type { Findings, Measure } from '../../base/findings.ts';
import { fitLogistic, type Dose, type LogisticFit } from '../../base/inference/logistic.ts';
import { metricOf, type Runner } from '../../interventions/effects.ts';
import type { Arm, Write } from '../../interventions/intervention.ts';
import { outcomes, outcomesOf } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { meanOf, type RunSteps } from './heads.ts';

/** One thing that is dosed in one arm. */
export interface Condition {
  readonly name: string;
  readonly arm: Arm;
  /** What is written for one dose in all pairs. */
  readonly writes: (dose: number) => Write[];
  /** What is written for a dose of its own in every pair. */
  readonly writesEach: (doses: Float64Array) => Write[];
}

export interface DoseCurve {
  readonly condition: Condition;
  /** Index into {@link outcomes}, [doses, pairs]. */
  readonly classes: Int32Array;
  /** M, [doses, pairs]. */
  readonly metric: Float32Array;
  /** For REFUSE and ANSWER: the dose at which a pair's outcome first comes or goes, [pairs]; NaN where it does not within the doses. */
  readonly thresholds: readonly Float64Array[];
  /** Trials of every pair at doses of its own. */
  readonly trials: readonly { readonly pair: number; readonly dose: number; readonly outcome: number }[];
}

/** The outcomes whose coming or going is looked for. */
export const thresholdOutcomes = ['REFUSE', 'ANSWER'] as const;
const METRICS = ['argmax', 'difference'] as const;
/** A run whose logits are not finite has no outcome. */
const FAILED = -1;

/** @param doses ascending @param refinements how often the interval of a change is halved; a run of all pairs each @param steps 1 + 2 · refinements runs */
export async function doseCurve(
  runner: Runner,
  pairs: PairSet,
  condition: Condition,
  { doses, refinements, steps }: { doses: readonly number[]; refinements: number; steps: RunSteps },
): Promise<DoseCurve> {
  const { arm } = condition;
  const outcome = outcomesOf(pairs, arm);
  const classOf = (pair: number, token: number) => (Number.isNaN(token) ? FAILED : outcomes.indexOf(outcome(pair, token)));
  const run = async (interventions: readonly { id: string; writes: Write[] }[]) =>
    runner.run(pairs, arm, interventions, { metrics: METRICS, context: steps.next() });
  const grid = await run(doses.map((dose, i) => ({ id: `dose ${i}`, writes: condition.writes(dose) })));
  const classes = new Int32Array(doses.length * pairs.pairs);
  const metric = new Float32Array(doses.length * pairs.pairs);
  doses.forEach((_dose, i) => {
    const at = i * pairs.pairs;
    metricOf(grid, 'argmax', `dose ${i}`).forEach((token, pair) => (classes[at + pair] = classOf(pair, token)));
    metric.set(metricOf(grid, 'difference', `dose ${i}`), at);
  });

  const trials: { pair: number; dose: number; outcome: number }[] = [];
  const thresholds: Float64Array[] = [];
  for (const name of thresholdOutcomes) {
    const wanted = outcomes.indexOf(name);
    const has = (i: number, pair: number) => classes[i * pairs.pairs + pair] === wanted;
    const first = Array.from({ length: pairs.pairs }, (_entry, pair) =>
      doses.findIndex((_dose, i) => i > 0 && has(i, pair) !== has(0, pair)),
    );
    const low = Float64Array.from(first, (i) => (i < 0 ? NaN : doses[i - 1]));
    const high = Float64Array.from(first, (i) => (i < 0 ? NaN : doses[i]));
    for (let round = 0; round < refinements && first.some((i) => i > 0); round++) {
      // Pairs without a change are run too, for a run is of all pairs, but say nothing.
      const middle = low.map((from, pair) => (Number.isNaN(from) ? doses[0] : (from + high[pair]) / 2));
      const effects = await run([{ id: 'halved', writes: condition.writesEach(middle) }]);
      metricOf(effects, 'argmax', 'halved').forEach((token, pair) => {
        if (Number.isNaN(low[pair])) return;
        const found = classOf(pair, token);
        trials.push({ pair, dose: middle[pair], outcome: found });
        if ((found === wanted) === has(0, pair)) low[pair] = middle[pair];
        else high[pair] = middle[pair];
      });
    }
    thresholds.push(low.map((from, pair) => (from + high[pair]) / 2));
  }
  return { condition, classes, metric, thresholds, trials };
}

/** Pairs by the topic of an arm; `all` first, and alone where the pairs name no topics. */
export interface Topics {
  readonly names: readonly string[];
  /** For every name the pairs that have it in an arm. */
  readonly pairsOf: (arm: Arm, name: number) => readonly number[];
}

export function topicsOf({ pairs, labels }: PairSet, arms: readonly Arm[]): Topics {
  const every = Array.from({ length: pairs }, (_entry, pair) => pair);
  const known = labels?.topic ?? {};
  const present = [...new Set(arms.flatMap((arm) => [...(known[arm] ?? [])]))].sort((a, b) => a - b);
  return {
    names: ['all', ...present.map((topic) => labels?.topicNames?.[topic] ?? String(topic))],
    pairsOf: (arm, name) => (name === 0 ? every : every.filter((pair) => known[arm]?.[pair] === present[name - 1])),
  };
}

/** `outside`: the curve crosses ½ at no dose that was given, or not steadily; what lies beyond is not guessed. */
const FIT_STATES = ['constant', 'flat', 'separated', 'fitted', 'outside'] as const;
type Fit = Omit<LogisticFit, 'state'> & { readonly state: (typeof FIT_STATES)[number] };

/** Measures of several conditions over one grid; axes `condition`, `dose`, `outcome`, `change`, `topic`, `pair` are the caller's, by {@link doseAxes}. */
export function doseMeasures(curves: readonly DoseCurve[], doses: readonly number[], topics: Topics, rule: string): Findings['measures'] {
  const pairs = curves[0].thresholds[0].length;
  const shares = curves.flatMap(({ classes, condition }) =>
    topics.names.flatMap((_name, topic) => {
      const own = topics.pairsOf(condition.arm, topic);
      return doses.flatMap((_dose, i) => outcomes.map((_outcome, o) => meanOf(own.map((pair) => Number(classes[i * pairs + pair] === o)))));
    }),
  );
  const fits = curves.flatMap((curve) =>
    thresholdOutcomes.flatMap((name) =>
      topics.names.map((_name, topic) => fitOf(curve, doses, topics.pairsOf(curve.condition.arm, topic), name)),
    ),
  );
  const perFit = (unit: string, definition: string, of: (fit: Fit) => number): Measure => ({
    axes: ['condition', 'change', 'topic'],
    unit,
    definition: `${definition}; NaN for a topic without pairs`,
    data: Float64Array.from(fits, (fit) => (fit ? of(fit) : NaN)),
  });
  return {
    outcomes: {
      axes: ['condition', 'topic', 'dose', 'outcome'],
      unit: 'share',
      definition: `share of the pairs of the topic, ${rule}; NaN for a topic without pairs in the arm`,
      data: Float64Array.from(shares),
    },
    outcomePairs: {
      axes: ['condition', 'dose', 'pair'],
      unit: '',
      definition: `outcome of every pair, ${rule}: ${outcomes.map((name, i) => `${i} ${name}`).join(', ')}; −1 for logits that are not finite`,
      data: Int32Array.from(curves.flatMap(({ classes }) => [...classes])),
    },
    metricPairs: {
      axes: ['condition', 'dose', 'pair'],
      unit: 'logits',
      definition: 'M: mean logit of the positive tokens − mean logit of the negative ones',
      data: Float32Array.from(curves.flatMap(({ metric }) => [...metric])),
    },
    threshold: perFit(
      'dose',
      'dose at which the outcome has probability ½, by a logistic fit; NaN where it always or never comes, or where that is beyond the doses',
      (fit) => fit.threshold,
    ),
    thresholdLow: perFit('dose', 'lower end of the 95 % profile-likelihood interval of the threshold', (fit) => fit.low),
    thresholdHigh: perFit('dose', 'upper end of it', (fit) => fit.high),
    thresholdSlope: perFit('per dose', 'slope of the logit of the outcome; ±∞ where all pairs change at once', (fit) => fit.slope),
    thresholdState: perFit('', `of the fit: ${FIT_STATES.map((name, i) => `${i} ${name}`).join(', ')}`, (fit) =>
      FIT_STATES.indexOf(fit.state),
    ),
    thresholdPairs: {
      axes: ['condition', 'change', 'pair'],
      unit: 'dose',
      definition:
        'dose at which the outcome of the pair first comes or goes, between two doses of the grid, halved in; NaN where it does not',
      data: Float64Array.from(curves.flatMap(({ thresholds }) => thresholds.flatMap((own) => [...own]))),
    },
  };
}

export const doseAxes = (curves: readonly DoseCurve[], doses: readonly number[], topics: Topics, unit: string): Findings['axes'] => ({
  condition: { values: curves.map(({ condition }) => condition.name) },
  dose: { values: [...doses], unit },
  outcome: { values: [...outcomes] },
  change: { values: [...thresholdOutcomes] },
  topic: { values: topics.names },
  pair: { values: Array.from({ length: curves[0].thresholds[0].length }, (_entry, pair) => pair) },
});

function fitOf(
  { classes, trials, thresholds }: DoseCurve,
  doses: readonly number[],
  own: readonly number[],
  name: string,
): Fit | undefined {
  if (own.length === 0) return undefined;
  const wanted = outcomes.indexOf(name as (typeof outcomes)[number]);
  const pairs = thresholds[0].length;
  const points: Dose[] = doses.map((dose, i) => ({
    dose,
    trials: own.length,
    hits: own.filter((pair) => classes[i * pairs + pair] === wanted).length,
  }));
  const among = new Set(own);
  for (const { pair, dose, outcome } of trials) if (among.has(pair)) points.push({ dose, trials: 1, hits: Number(outcome === wanted) });
  const fit = fitLogistic(points);
  return fit.threshold < doses[0] || fit.threshold > doses[doses.length - 1] ? { ...fit, state: 'outside', threshold: NaN } : fit;
}
