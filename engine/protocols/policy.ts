/**
 * *How Alignment Routes* (arXiv:2604.04385) on models whose truth is known (methods.md §1.7): `tier-a`, a circuit written by hand; `tier-b`, a
 * transformer trained by the recipe in an architecture that says where a policy can be routed. Every figure is that of an analysis.
 */
import { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { TrainPolicyResult } from '../jobs/trainPolicy.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { plantedCircuit } from '../models/plantedCircuit.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { policyPairs } from '../tasks/policyPairs.ts';
import { policyTask } from '../tasks/policyRouting.ts';
import { policyReport, policyReportFindings, type CircuitFindings, type PolicyReport } from './policyReport.ts';
import { ProgressBoard } from './progressBoard.ts';
import type { Protocol, Submit } from './protocol.ts';

/** Every class of prompts must be answered as the policy says in this share. */
const ACCEPTED = 0.98;

/** What analyses of circuits are asked about. */
interface Subject {
  readonly model: LanguageModel;
  readonly label: string;
  readonly pairs: PairSet;
  readonly seed: number;
}

const analyse = (submit: Submit, kind: string, subject: Subject, options: object = {}): Promise<Findings> =>
  submit<Findings>({ kind, parameters: { ...subject, options } });

/** What training takes of the time of it all. */
const TRAINING = 0.8;

/** Jobs of {@link circuit}. */
const ANALYSES = 7;

async function circuit(submit: Submit, subject: Subject): Promise<CircuitFindings> {
  const identified = await analyse(submit, 'gateIdentification', subject);
  const gate = String(identified.facts.gate);
  // One after the other, on the engine that has the model at hand.
  return {
    gate,
    interchange: await analyse(submit, 'headInterchange', subject, { positions: ['read'] }),
    attribution: await analyse(submit, 'directLogitAttribution', subject),
    ablation: await analyse(submit, 'headAblation', subject, { ablations: ['zero'], positions: 'read' }),
    cipher: await analyse(submit, 'cipherInterchange', subject, { gate }),
    rescue: await analyse(submit, 'rescue', subject, { gate }),
    commitment: await analyse(submit, 'commitment', subject),
  };
}

/** Change of what each amplifier writes when the gate is noised, in %, signed: of heads that write 5 % of Σ|Δ| or more towards refusal. */
export async function amplifiersOf(submit: Submit, subject: Subject, gate: string): Promise<Record<string, number>> {
  const { axes, measures } = await analyse(submit, 'knockoutCascade', subject, { gate, positions: 'read' });
  const at = (axis: string, value: string) => axes[axis].values.indexOf(value);
  const targets = axes.target.values;
  const begin = (at('knockout', 'noised') * axes.source.values.length + at('source', gate)) * targets.length;
  const direct = measures.delta?.data;
  return Object.fromEntries(
    targets.flatMap((target, i) => {
      const change = measures.change.data[begin + i];
      return Number.isNaN(change) || (direct && direct[i] <= 0) ? [] : [[String(target), 100 * change]];
    }),
  );
}

/** Doses at which a topic stops being refused and begins to be answered, when what is detected is taken out of the sensitive prompt; NaN where it never does. */
export async function thresholdsOf(
  submit: Submit,
  subject: Subject,
  gate: string,
): Promise<Record<string, { refuse: number; evade: number }>> {
  const { axes, measures } = await analyse(submit, 'doseResponse', subject, { gate });
  const topics = axes.topic.values;
  const attenuated = axes.condition.values.indexOf('attenuate');
  // No share of outcomes: a topic that no sensitive prompt has.
  const shares = axes.dose.values.length * axes.outcome.values.length;
  const isThere = (topic: number) => !Number.isNaN(measures.outcomes.data[(attenuated * topics.length + topic) * shares]);
  const of = (change: string, topic: number) => {
    const row = attenuated * axes.change.values.length + axes.change.values.indexOf(change);
    return measures.threshold.data[row * topics.length + topic];
  };
  return Object.fromEntries(
    topics.flatMap((topic, i) =>
      topic === 'all' || !isThere(i) ? [] : [[String(topic), { refuse: of('REFUSE', i), evade: of('ANSWER', i) }]],
    ),
  );
}

const tierASchema = z.strictObject({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .meta({ description: 'of relabellings and bootstrap samples: the circuit has none' }),
});
export type TierAOptions = z.output<typeof tierASchema>;

/** All severe topics against all benign ones, worded so that the circuit can read them; and the less severe ones, which are evaded. */
export function tierASubjects({ seed }: TierAOptions): { readonly high: Subject; readonly middle: Subject } {
  const task = policyTask({ keys: 1 });
  const { config, parameters } = plantedCircuit(task);
  const model = {
    architecture: 'transformer',
    config,
    parameters: { ...parameters },
    origin: { kind: 'compiled', name: 'planted circuit' },
    tokens: [...task.names],
  } as LanguageModel;
  const of = (severity: 'high' | 'middle') => ({
    model,
    label: 'planted circuit',
    pairs: policyPairs(task, { pairs: 'all', dialect: 'ordered', severity }),
    seed,
  });
  return { high: of('high'), middle: of('middle') };
}

export const tierA: Protocol<TierAOptions, PolicyReport> = {
  id: 'tier-a',
  version: 1,
  title: 'How Alignment Routes on a circuit written by hand, all severe topics against all benign ones',
  options: tierASchema,
  parse: (options) => parseWith(tierASchema, 'run tier-a', options),
  jobs: () => ANALYSES + 2,
  async run(options, submit, onProgress) {
    const watched = new ProgressBoard(tierA.jobs(options), onProgress).watched(submit);
    const { high, middle } = tierASubjects(options);
    const right = [await analyse(watched, 'behaviour', high), await analyse(watched, 'behaviour', middle)].flatMap(({ measures }) => [
      ...measures.right.data,
    ]);
    return policyReport(
      right.every((share) => share >= ACCEPTED),
      await circuit(watched, high),
    );
  },
  findings: policyReportFindings,
};

/** Of a stage of training. */
export const stepsOption = (what: string) =>
  wholeBetween(1, 1_000_000)
    .optional()
    .meta({ description: `batches ${what}; as in the recipe unless given`, unit: 'steps' });

const tierBSchema = z.strictObject({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of weights, prompts, pairs and whatever else is drawn' }),
  pairs: wholeBetween(2, 100_000).default(240).meta({ description: 'matched pairs to ask about' }),
  orthogonal: z
    .boolean('must be true or false')
    .default(true)
    .meta({ description: 'whether the gate is kept from writing to the logits directly' }),
  baseSteps: stepsOption('until the model answers everything'),
  alignmentSteps: stepsOption('of its alignment'),
});
export type TierBOptions = z.output<typeof tierBSchema>;

/** Trains the model, or takes it from where it is kept. */
export async function tierBSubject(
  { seed, pairs, orthogonal, baseSteps, alignmentSteps }: TierBOptions,
  submit: Submit,
): Promise<{ readonly subject: Subject; readonly accepted: boolean }> {
  const label = `tier-b, seed ${seed}`;
  const { model, accepted } = await submit<TrainPolicyResult>({
    kind: 'trainPolicy',
    parameters: {
      stage: label,
      seed,
      orthogonal,
      ...(baseSteps !== undefined && { base: { steps: baseSteps } }),
      ...(alignmentSteps !== undefined && { alignment: { steps: alignmentSteps } }),
    },
  });
  return { subject: { model, label, pairs: policyPairs(policyTask(), { pairs, seed }), seed }, accepted };
}

export const tierB: Protocol<TierBOptions, PolicyReport> = {
  id: 'tier-b',
  version: 2,
  title: 'How Alignment Routes on a trained transformer whose slots say where a policy can be routed',
  options: tierBSchema,
  parse: (options) => parseWith(tierBSchema, 'run tier-b', options),
  jobs: () => ANALYSES + 1,
  async run(options, submit, onProgress) {
    const trained = new ProgressBoard(1, (progress) => onProgress({ ...progress, total: progress.total / TRAINING }));
    const { subject, accepted } = await tierBSubject(options, trained.watched(submit));
    const asked = new ProgressBoard(ANALYSES, ({ done, total, ...progress }) =>
      onProgress({ ...progress, done: TRAINING * total + (1 - TRAINING) * done, total }),
    );
    return policyReport(accepted, await circuit(asked.watched(submit), subject));
  },
  findings: policyReportFindings,
};
