/** One stage of training a model of the policy task: prompts into tables, steps, parameters out; and what an alignment does beside its steps. */
import type { Random } from '../base/random.ts';
import type { JobContext } from '../contract.ts';
import { shared } from '../execute/sharedMemory.ts';
import { StepRunner, type Table } from '../execute/stepRunner.ts';
import { BRIDGE_HEAD, BRIDGE_LAYER } from '../models/slottedTransformer.ts';
import type { Tensors } from '../models/parameters.ts';
import { settled, type TransformerConfig } from '../models/transformer.ts';
import type { LabelledPrompts } from '../tasks/policyCorpora.ts';
import { PROMPT_LENGTH, rolesOfPrompt, type PolicyTask } from '../tasks/policyRouting.ts';
import { train } from '../training/loop.ts';
import { firstNonFinite } from '../training/nonFinite.ts';
import { orthonormal, projectOut } from '../training/orthogonal.ts';
import { promptStep } from '../training/promptStep.ts';
import { warmupAndDecay } from '../training/schedules.ts';

export interface PromptStage {
  /** Shown with the progress. */
  readonly stage: string;
  readonly prompts: LabelledPrompts;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly trains: (name: string) => boolean;
  /** Of the order of the prompts. */
  readonly random: Random;
  /** Called after every update with the parameters as they lie. */
  readonly afterStep?: (parameter: (name: string) => Float32Array) => void;
  readonly checkpointSeconds?: number;
}

/** The prototype's: the rate rises over 100 steps and falls over the last 30 % to a tenth. */
const schedule = warmupAndDecay(100, 0.3, 0.1);
/** Of the squared gradient: shorter than PyTorch's default, for there are but some hundred steps. */
const BETA2 = 0.98;

/** Each prompt is seen once. @throws UserError where numbers stop being finite; Cancelled */
export async function trainPrompts(
  config: TransformerConfig,
  begun: Tensors,
  { stage, prompts, batch, learningRate, weightDecay, trains, random, afterStep, checkpointSeconds }: PromptStage,
  context: JobContext,
): Promise<{ parameters: Tensors; losses: Float32Array }> {
  const { count } = prompts;
  const step = promptStep(config, { count, length: PROMPT_LENGTH, ...(config.roles && { roles: rolesOfPrompt() }) }, trains);
  const tokens = shared(prompts.tokens);
  const labels = shared(prompts.labels);
  const tables: Record<string, Table> = {
    tokens: { dtype: 'int32', shape: [count, PROMPT_LENGTH], buffer: tokens.buffer as unknown as SharedArrayBuffer },
    labels: { dtype: 'int32', shape: [count], buffer: labels.buffer as unknown as SharedArrayBuffer },
  };
  const specs = [...step.trained, ...step.frozen];
  const runner = await StepRunner.create({
    program: step.program,
    trained: step.trained,
    frozen: step.frozen,
    tables,
    scalars: [],
    optimiser: { kind: 'adamw', learningRate, weightDecay, beta2: BETA2 },
    rows: batch,
    threads: context.threads,
  });
  try {
    for (const { name } of specs) runner.parameter(name).set(begun[name]);
    const lying = new Map(specs.map(({ name }) => [name, runner.parameter(name)]));
    const plan = {
      stage,
      epochs: 1,
      batch,
      learningRate,
      schedule,
      rows: Int32Array.from({ length: count }, (_, i) => i),
      random,
      ...(afterStep && { afterStep: () => afterStep((name) => lying.get(name)!) }),
      ...(checkpointSeconds !== undefined && { checkpointSeconds }),
    };
    const { losses } = await train(runner, plan, context, (rows) =>
      firstNonFinite(step.program, {
        ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: lying.get(name)!, shape }])),
        tokens: { data: tokens, shape: [count, PROMPT_LENGTH] },
        labels: { data: labels, shape: [count] },
        index: { data: rows, shape: [rows.length] },
      }),
    );
    return { parameters: Object.fromEntries(specs.map(({ name }) => [name, runner.parameter(name).slice()])), losses };
  } finally {
    await runner.dispose();
  }
}

/** What an alignment changes where there are slots: the attention of the layers between detection and answer. */
export const alignable = (name: string): boolean => /^blocks\.[12]\.attn\.W_[QKVO]$/.test(name);

/**
 * Keeps what the gate writes orthogonal to the directions in which REFUSE, EVADE and the mean answer are read, so that it says nothing in the
 * metric directly. They do not change while the attention is aligned.
 */
export function silenceGate(
  task: PolicyTask,
  config: TransformerConfig,
  parameters: Tensors,
): (parameter: (name: string) => Float32Array) => void {
  const { width, headWidth, vocabulary } = settled(config);
  const gain = parameters['ln_final.w'];
  const read = (tokens: readonly number[]) =>
    Float64Array.from({ length: width }, (_, i) => {
      const row = parameters['unembed.W_U'].subarray(i * vocabulary, (i + 1) * vocabulary);
      return (gain[i] * tokens.reduce((total, token) => total + row[token], 0)) / tokens.length;
    });
  const basis = orthonormal([read([task.refuse]), read([task.evade]), read(task.answers)]);
  const [begin, end] = [BRIDGE_HEAD * headWidth * width, (BRIDGE_HEAD + 1) * headWidth * width];
  return (parameter) => projectOut(parameter(`blocks.${BRIDGE_LAYER}.attn.W_O`).subarray(begin, end), basis);
}
