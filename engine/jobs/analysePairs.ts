/** Every analysis of a policy circuit as a kind of job: checks model and pairs against each other, hands over runners and the executor, checks the findings. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { checkFindings, type Findings } from '../base/findings.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { JobContext, JobKind } from '../contract.ts';
import type { AnyRoutingAnalysis, RoutingContext, Subject } from '../analyses/routing/analysis.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Runner } from '../interventions/effects.ts';
import { PlannedRunner } from '../interventions/plannedRunner.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { pairSet } from '../tasks/pairSchema.ts';
import { armsOf, checkPairs } from '../tasks/pairs.ts';
import { digestOf, modelOrReference, resolveModel } from './modelReference.ts';

const subject = z.strictObject({
  model: modelOrReference,
  /** What it is called in the findings. */
  label: z.string('must be a text').default('model'),
  pairs: pairSet,
});

/** What every analysis of a circuit is asked with; `options` are its own. */
export const analysePairsRequest = z.strictObject({
  ...subject.shape,
  others: z.array(subject, 'must be a list of models and pairs').default([]).meta({ description: 'what the model is compared with' }),
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of whatever is drawn' }),
  options: z.unknown().default({}),
});

export type AnalysePairsParameters = z.output<typeof analysePairsRequest>;
type Asked = z.output<typeof subject>;

export function routingJob(analysis: AnyRoutingAnalysis): JobKind<AnalysePairsParameters, Findings> {
  const { id } = analysis;
  return {
    id,
    version: analysis.version,
    keeps: 'findings',
    threads: THREADS,
    parse(given) {
      const parsed = parseWith(analysePairsRequest, id, given);
      const { least, most } = analysis.others ?? { least: 0, most: 0 };
      const { length } = parsed.others;
      if (length < least || length > most)
        throw new UserError(`${id}: others`, least === most ? `must be ${least}` : `must be ${least} to ${most}`, length);
      [parsed, ...parsed.others].forEach((asked, i) => checkArms(i === 0 ? id : `${id}: others.${i - 1}`, analysis, asked));
      return { ...parsed, seed: analysis.draws ? parsed.seed : 0, options: parseWith(analysis.options, id, parsed.options) };
    },
    counts: ({ others, seed, options, ...own }) => [counted(own), others.map(counted), seed, options],
    async run(parameters, context) {
      const asked: readonly Asked[] = [parameters, ...parameters.others];
      const subjects: Subject[] = [];
      for (const [i, { model, label, pairs }] of asked.entries()) {
        const place = i === 0 ? `${id}: model` : `${id}: others.${i - 1}`;
        const resolved = await resolveModel(place, model, context);
        checkPairs(pairs, resolved.config.vocabulary);
        requirePositions(resolved, pairs.length);
        subjects.push({ label, model: resolved, pairs });
      }
      const [own, ...others] = subjects;
      using setting = new Setting(context);
      const { seed, options } = parameters;
      const findings = await analysis.run({ ...own, seed, options, ...(others.length > 0 && { others }) }, setting);
      const digest = digestOf(parameters.model) ?? digestOf(own.model)!;
      return checkFindings({ ...findings, facts: { analysis: id, ...findings.facts, 'model digest': digest } });
    },
  };
}

/** Names of models count for nothing where numbers are concerned, and neither does where a model lies once it is known which one it is. */
function counted({ model, label, pairs }: Asked): unknown {
  return [digestOf(model) ?? model, label, pairs];
}

function checkArms(place: string, { arms }: AnyRoutingAnalysis, { pairs }: Asked): void {
  const there = armsOf(pairs);
  const missing = arms.find((arm) => !there.includes(arm));
  if (missing !== undefined) throw new UserError(`${place}: pairs`, `must have the arms ${arms.join(', ')}`, there);
}

/** @throws UserError for prompts that are longer than the model takes */
export function requirePositions({ config }: LanguageModel, length: number): void {
  if (length > config.positions)
    throw new UserError('pairs: length', `must be at most ${config.positions} tokens, as the model takes`, length);
}

/** Pairs come in a few chunks, and what a job is given it keeps to its end: on a large machine other jobs want some too. */
const THREADS = 4;
/** Milliseconds between two stored states: what an interruption costs at most. */
const CHECKPOINT = 2000;

/** One executor, and one runner for each model. */
class Setting implements RoutingContext, Disposable {
  readonly executor = new OnnxRuntimeExecutor();
  readonly signal: AbortSignal;
  readonly progress: JobContext['progress'];
  readonly breathe: JobContext['breathe'];
  readonly long: NonNullable<RoutingContext['long']>;
  readonly #threads: number;
  readonly #runners = new Map<LanguageModel, Runner>();

  constructor({ signal, progress, breathe, resume, checkpoint, threads }: JobContext) {
    this.#threads = threads;
    let stored = performance.now();
    this.long = {
      resume,
      checkpoint: async (state) => {
        if (performance.now() - stored < CHECKPOINT) return;
        await checkpoint(state);
        stored = performance.now();
      },
    };
    this.signal = signal;
    this.progress = progress;
    this.breathe = breathe;
  }

  readonly runner = (model: LanguageModel): Runner => {
    let runner = this.#runners.get(model);
    if (!runner) this.#runners.set(model, (runner = new PlannedRunner(this.executor, model, { threads: this.#threads })));
    return runner;
  };

  [Symbol.dispose](): void {
    for (const runner of this.#runners.values()) runner.dispose();
    this.executor.dispose();
  }
}
