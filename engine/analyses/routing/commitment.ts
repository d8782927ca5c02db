/**
 * When a model commits: from which layer on the residual where it is read holds the route (refuse or answer), and from which the content (which
 * answer). The residual at the read position is interchanged after 0 … L completed layers, noising and denoising; beside it what the logit lens reads
 * there (nostalgebraist 2020): the unembedding of the residual as if no layer followed.
 *
 *   commit = the least number of completed layers after which the interchange moves the metric by the threshold, 90 % of its gap
 *   early-commitment index = 1 − commit(route) / commit(content)                                                     methods.md §1.6
 *
 * The route is M between sensitive and control. The content is which answer: the control prompt against itself with another pair's topic, both
 * answered, logit(own answer) − logit(the other's).
 */
import { z } from 'zod';
import type { Findings, Measure } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import { between } from '../../base/schema.ts';
import { metricOf, observedOf, type Runner } from '../../interventions/effects.ts';
import type { Intervention } from '../../interventions/intervention.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { positionsOf, positionsOption, residualAfter, RunSteps } from './heads.ts';
import { identityPairs } from './identityPairs.ts';
import { groundFacts } from './screens.ts';
import { gapFacts, gapOf, pairAxis, shareMeasures, type Gap } from './shares.ts';

const options = z.strictObject({
  positions: positionsOption('read', 'where the residual is interchanged'),
  threshold: between(0.01, 1)
    .default(0.9)
    .meta({ description: 'share of the gap that an interchange must move for the model to be committed', unit: 'share' }),
});

export const commitment: RoutingAnalysis<typeof options> = {
  id: 'commitment',
  version: 1,
  title: 'after how many layers the residual holds the route, and after how many the answer',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { layers } = model.config;
    const runner = context.runner(model);
    const random = new Random(seed).fork('commitment');
    const steps = new RunSteps(`commitment: ${label}`, context, 8);
    const identity = identityPairs(pairs, random.fork('identity'));
    const curve = (set: PairSet) => curves(runner, set, asked.positions, layers, steps);
    const route = await curve(pairs);
    const content = identity.set && (await curve(identity.set));
    const lens = await logitLens(runner, pairs, layers, steps);

    const routeGap = gapOf(route.sensitive, route.control, random, 'route');
    const contentGap = content && gapOf(content.sensitive, content.control, random, 'content');
    const committed = (curve: Curves, gap: Gap) => ({
      noising: firstAt(meansOf(curve.noising, layers, -1), gap, asked.threshold),
      denoising: firstAt(meansOf(curve.denoising, layers, 1), gap, asked.threshold),
    });
    const at = {
      route: committed(route, routeGap),
      content: content && contentGap ? committed(content, contentGap) : { noising: NaN, denoising: NaN },
    };
    const axes = ['layersDone'] as const;
    const measures = (name: string, found: Curves, gap: Gap, base: string, donor: string): Findings['measures'] => ({
      ...shareMeasures(
        {
          name: `${name}Noising`,
          axes,
          definition: `M(${base}) − M(${base} with the residual of ${donor})`,
          effects: found.noising.map((value) => 0 - value),
          cells: layers + 1,
        },
        gap,
        random,
      ),
      ...shareMeasures(
        {
          name: `${name}Denoising`,
          axes,
          definition: `M(${donor} with the residual of ${base}) − M(${donor})`,
          effects: found.denoising,
          cells: layers + 1,
        },
        gap,
        random,
      ),
    });
    return {
      axes: {
        layersDone: { values: Array.from({ length: layers + 1 }, (_entry, done) => done), unit: 'layers' },
        pair: pairAxis(pairs.pairs),
        arm: { values: ['sensitive', 'control'] },
      },
      measures: {
        ...measures('route', route, routeGap, 'sensitive', 'control'),
        ...(content && contentGap && measures('content', content, contentGap, 'control', 'control with another topic')),
        ...lensMeasures(lens, layers, routeGap),
      },
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: pairs.pairs, seed, family: 'all layers of a curve' }),
        positions: asked.positions,
        ...gapFacts(routeGap),
        ...(contentGap &&
          Object.fromEntries(Object.entries(gapFacts(contentGap, 'identity gap')).map(([name, fact]) => [`content.${name}`, fact]))),
        'content.pairs':
          identity.reason ?? 'control prompts against themselves with the topic of another pair; logit(own answer) − logit(the other)',
        threshold: asked.threshold,
        'commit.route': at.route.noising,
        'commit.route.denoising': at.route.denoising,
        'commit.content': at.content.noising,
        'commit.content.denoising': at.content.denoising,
        earlyCommitment: 1 - at.route.noising / at.content.noising,
        'earlyCommitment.definition':
          '1 − commit(route)/commit(content), in completed layers, by noising; NaN where either never reaches the threshold',
      },
    };
  },
};

interface Curves {
  readonly sensitive: Float32Array;
  readonly control: Float32Array;
  /** What the interchange changes of M, [layersDone, pairs]. */
  readonly noising: Float64Array;
  readonly denoising: Float64Array;
}

async function curves(runner: Runner, set: PairSet, word: string, layers: number, steps: RunSteps): Promise<Curves> {
  const positions = positionsOf('commitment: positions', word, set);
  const swapped = (donor: 'sensitive' | 'control') =>
    Array.from({ length: layers + 1 }, (_entry, done): Intervention => ({
      id: `after ${done}`,
      writes: [{ site: residualAfter(done), positions, op: 'swap', donor: { arm: donor } }],
    }));
  const change = async (base: 'sensitive' | 'control', donor: 'sensitive' | 'control') => {
    const effects = await runner.run(set, base, swapped(donor), { context: steps.next() });
    const clean = metricOf(effects, 'difference');
    const changes = new Float64Array((layers + 1) * set.pairs);
    for (let done = 0; done <= layers; done++)
      metricOf(effects, 'difference', `after ${done}`).forEach((metric, pair) => (changes[done * set.pairs + pair] = metric - clean[pair]));
    return { clean: clean.slice(), changes };
  };
  const noised = await change('sensitive', 'control');
  const denoised = await change('control', 'sensitive');
  return { sensitive: noised.clean, control: denoised.clean, noising: noised.changes, denoising: denoised.changes };
}

/** Mean over pairs of every layer, with a sign. */
function meansOf(changes: Float64Array, layers: number, sign: 1 | -1): number[] {
  const pairs = changes.length / (layers + 1);
  return Array.from({ length: layers + 1 }, (_entry, done) => {
    let sum = 0;
    for (let pair = 0; pair < pairs; pair++) sum += changes[done * pairs + pair];
    return (sign * sum) / pairs;
  });
}

/** The least number of completed layers after which the share of the gap is at least the threshold; NaN for never, or a gap that is refused. */
function firstAt(means: readonly number[], gap: Gap, threshold: number): number {
  const found = gap.divides ? means.findIndex((mean) => mean / gap.estimate >= threshold) : -1;
  return found < 0 ? NaN : found;
}

/** M of the unembedded residual, [layersDone, pairs], of either arm. */
type Lens = Readonly<Record<'sensitive' | 'control', Float64Array>>;

/**
 * The residual after each layer put in place of the last one, where it is read: the model's own final norm and unembedding say what it holds, whatever
 * kind they are.
 */
async function logitLens(runner: Runner, pairs: PairSet, layers: number, steps: RunSteps): Promise<Lens> {
  const of = async (arm: 'sensitive' | 'control') => {
    const observe = Array.from({ length: layers }, (_entry, done) => ({ site: residualAfter(done) }));
    const seen = await runner.run(pairs, arm, [], { observe, context: steps.next() });
    const interventions = observe.map((_site, done): Intervention => ({
      id: `after ${done}`,
      writes: [{ site: residualAfter(layers), positions: 'read', op: 'swap', donor: { stored: observedOf(seen, done) } }],
    }));
    const effects = await runner.run(pairs, arm, interventions, { context: steps.next() });
    const read = new Float64Array((layers + 1) * pairs.pairs);
    for (let done = 0; done < layers; done++) read.set(metricOf(effects, 'difference', `after ${done}`), done * pairs.pairs);
    read.set(metricOf(effects, 'difference'), layers * pairs.pairs);
    return read;
  };
  return { sensitive: await of('sensitive'), control: await of('control') };
}

function lensMeasures({ sensitive, control }: Lens, layers: number, gap: Gap): Findings['measures'] {
  const [plus, minus] = [meansOf(sensitive, layers, 1), meansOf(control, layers, 1)];
  const measure = (unit: string, definition: string, axes: Measure['axes'], data: Measure['data']): Measure => ({
    axes,
    unit,
    definition,
    data,
  });
  return {
    lens: measure(
      'logits',
      'M of the residual after so many layers, by the final norm and unembedding of the model; mean over pairs',
      ['arm', 'layersDone'],
      Float64Array.from([...plus, ...minus]),
    ),
    lensShare: measure(
      'share',
      'lens of sensitive − lens of control, divided by the mean gap; NaN where the gap is refused',
      ['layersDone'],
      Float64Array.from(plus, (value, done) => (gap.divides ? (value - minus[done]) / gap.estimate : NaN)),
    ),
    lensPairs: measure(
      'logits',
      'M of the residual after so many layers, pair by pair',
      ['arm', 'layersDone', 'pair'],
      Float32Array.from([...sensitive, ...control]),
    ),
  };
}
