/**
 * *How Alignment Routes* (arXiv:2604.04385) on models whose truth is known (methods.md §1.7): `tier-a`, a circuit written by hand; `tier-b`, a
 * transformer trained by the recipe in an architecture that says where a policy can be routed.
 */
import { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { Progress } from '../contract.ts';
import type { TrainPolicyResult } from '../jobs/trainPolicy.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { plantedCircuit } from '../models/plantedCircuit.ts';
import { policyPairs, type PolicyPairOptions } from '../tasks/policyPairs.ts';
import { policyTask, type PolicyTask } from '../tasks/policyRouting.ts';
import { policyReport, policyReportFindings, type PolicyReport } from './policyReport.ts';
import { ProgressBoard } from './progressBoard.ts';
import type { Protocol, Submit } from './protocol.ts';

/** Every class of prompts must be answered as the policy says in this share. */
const ACCEPTED = 0.98;

const drawn = {
  permutations: wholeBetween(99, 1_000_000).default(10_000).meta({ description: 'relabellings of pairs that p rests on' }),
  resamples: wholeBetween(100, 1_000_000).default(2000).meta({ description: 'bootstrap samples of pairs that intervals rest on' }),
};
type Drawn = z.output<z.ZodObject<typeof drawn>>;

interface Question extends Drawn {
  readonly task: PolicyTask;
  readonly model: LanguageModel;
  readonly label: string;
  readonly seed: number;
  readonly pairs: PolicyPairOptions;
}

/** The circuit in short, and its commitment. */
function circuit(submit: Submit, { task, model, label, seed, pairs, permutations, resamples }: Question): Promise<[Findings, Findings]> {
  const asked = { model, label, pairs: policyPairs(task, pairs), seed };
  return Promise.all([
    submit<Findings>({ kind: 'policyCircuit', parameters: { ...asked, options: { permutations, resamples } } }),
    submit<Findings>({ kind: 'commitment', parameters: asked }),
  ]);
}

const tierASchema = z.strictObject({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .meta({ description: 'of relabellings and bootstrap samples: the circuit has none' }),
  ...drawn,
});
export type TierAOptions = z.output<typeof tierASchema>;

export const tierA: Protocol<TierAOptions, PolicyReport> = {
  id: 'tier-a',
  version: 1,
  title: 'How Alignment Routes on a circuit written by hand, all severe topics against all benign ones',
  options: tierASchema,
  parse: (options) => parseWith(tierASchema, 'run tier-a', options),
  jobs: () => 2,
  async run(options, submit, onProgress) {
    const task = policyTask({ keys: 1 });
    const { config, parameters } = plantedCircuit(task);
    const model = {
      architecture: 'transformer',
      config,
      parameters: { ...parameters },
      origin: { kind: 'compiled', name: 'planted circuit' },
      tokens: [...task.names],
    } as LanguageModel;
    const watched = new ProgressBoard(2, onProgress).watched(submit);
    const findings = await circuit(watched, {
      task,
      model,
      label: 'planted circuit',
      pairs: { pairs: 'all', dialect: 'ordered' },
      ...options,
    });
    const right = Object.entries(findings.facts).filter(([name]) => name.startsWith('right.'));
    return policyReport(
      right.every(([, share]) => !((share as number) < ACCEPTED)),
      findings,
      curves,
    );
  },
  findings: policyReportFindings,
};

const tierBSchema = z.strictObject({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of weights, prompts, pairs and whatever else is drawn' }),
  pairs: wholeBetween(2, 100_000).default(240).meta({ description: 'matched pairs to ask about' }),
  orthogonal: z
    .boolean('must be true or false')
    .default(true)
    .meta({ description: 'whether the gate is kept from writing to the logits directly' }),
  baseSteps: wholeBetween(1, 1_000_000)
    .optional()
    .meta({ description: 'batches until the model answers everything; as in the recipe unless given', unit: 'steps' }),
  alignmentSteps: wholeBetween(1, 1_000_000)
    .optional()
    .meta({ description: 'batches of its alignment; as in the recipe unless given', unit: 'steps' }),
  ...drawn,
});
export type TierBOptions = z.output<typeof tierBSchema>;

export const tierB: Protocol<TierBOptions, PolicyReport> = {
  id: 'tier-b',
  version: 1,
  title: 'How Alignment Routes on a trained transformer whose slots say where a policy can be routed',
  options: tierBSchema,
  parse: (options) => parseWith(tierBSchema, 'run tier-b', options),
  jobs: () => 3,
  async run({ seed, pairs, orthogonal, baseSteps, alignmentSteps, ...more }, submit, onProgress: (progress: Progress) => void) {
    const watched = new ProgressBoard(3, onProgress).watched(submit);
    const { model, accepted } = await watched<TrainPolicyResult>({
      kind: 'trainPolicy',
      parameters: {
        stage: `tier-b, seed ${seed}`,
        seed,
        orthogonal,
        ...(baseSteps !== undefined && { base: { steps: baseSteps } }),
        ...(alignmentSteps !== undefined && { alignment: { steps: alignmentSteps } }),
      },
    });
    const findings = await circuit(watched, {
      task: policyTask(),
      model,
      label: `tier-b, seed ${seed}`,
      seed,
      pairs: { pairs, seed },
      ...more,
    });
    return policyReport(accepted, findings, curves);
  },
  findings: policyReportFindings,
};
