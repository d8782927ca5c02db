/** Models whose truth is known, and what analyses of circuits are run with. For tests. */
import type { z } from 'zod';
import type { Findings } from '../../../base/findings.ts';
import { checkFindings } from '../../../base/findings.ts';
import type { Executor } from '../../../execute/executor.ts';
import { weights } from '../../../interventions/testing/weights.ts';
import { WholeRunner } from '../../../interventions/wholeRunner.ts';
import type { LanguageModel } from '../../../models/languageModel.ts';
import { plantedCircuit, type PlantedCircuit, type PlantedOptions } from '../../../models/plantedCircuit.ts';
import type { TransformerConfig } from '../../../models/transformer.ts';
import type { PairSet } from '../../../tasks/pairs.ts';
import { policyPairs, type PolicyPairOptions } from '../../../tasks/policyPairs.ts';
import { policyTask } from '../../../tasks/policyRouting.ts';
import type { RoutingAnalysis } from '../analysis.ts';

/** 4 severe, 3 less so, 5 benign topics; one key. */
export const plantedTask = policyTask({ topics: 12, high: 4, middle: 3, keys: 1 });

export function planted(options: PlantedOptions = {}): { circuit: PlantedCircuit; model: LanguageModel } {
  const circuit = plantedCircuit(plantedTask, options);
  const { config, parameters } = circuit;
  return {
    circuit,
    model: {
      architecture: 'transformer',
      config,
      parameters,
      origin: { kind: 'compiled' },
      tokens: [...plantedTask.names],
    } as LanguageModel,
  };
}

/** All combinations of topics, worded so that the planted circuit reads them. */
export const plantedPairs = (options: PolicyPairOptions = {}): PairSet =>
  policyPairs(plantedTask, { pairs: 'all', dialect: 'ordered', ...options });

/** A model of small random weights: nothing is planted in it, so only forwards by hand know its numbers. */
export const randomModel = (config: TransformerConfig, seed: number): LanguageModel =>
  ({ architecture: 'transformer', config, parameters: weights(config, seed), origin: { kind: 'compiled' } }) as LanguageModel;

/** Runs an analysis as its job would: options parsed, findings checked. */
export async function analyse<Schema extends z.ZodType>(
  analysis: RoutingAnalysis<Schema>,
  executor: Executor,
  { model, pairs, seed = 1 }: { model: LanguageModel; pairs: PairSet; seed?: number },
  options: z.input<Schema> = {} as z.input<Schema>,
): Promise<Findings> {
  const runner = new WholeRunner(executor, model);
  let last = 0;
  try {
    const findings = checkFindings(
      await analysis.run(
        { label: 'model', model, pairs, seed, options: analysis.options.parse(options) },
        {
          executor,
          runner: () => runner,
          signal: new AbortController().signal,
          progress: ({ done, total }) => {
            if (done > total) throw new Error(`progress: ${done} of ${total}`);
            last = Math.max(last, done / total);
          },
          breathe: async () => undefined,
        },
      ),
    );
    if (last === 0) throw new Error('no progress was reported');
    return findings;
  } finally {
    runner.dispose();
  }
}

/** One number of the findings by its place on the axes, or all along those that are left out. */
export function at(findings: Findings, measure: string, where: Readonly<Record<string, string | number>> = {}): number[] {
  const { axes, data } = findings.measures[measure];
  const sizes = axes.map((axis) => findings.axes[axis].values.length);
  return Array.from(data).filter((_value, flat) => {
    let rest = flat;
    for (let i = axes.length - 1; i >= 0; i--) {
      const own = findings.axes[axes[i]].values[rest % sizes[i]];
      rest = Math.floor(rest / sizes[i]);
      if (axes[i] in where && where[axes[i]] !== own) return false;
    }
    return true;
  });
}
