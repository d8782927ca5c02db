/** The stored models of the matrix, as a screen is given them: the policy model that ships, and a small Llama that may be there or not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadHuggingFace } from '../../engine/formats/huggingface/load.ts';
import { readSafetensors } from '../../engine/formats/safetensors.ts';
import { parseLanguageModel, type LanguageModel } from '../../engine/models/languageModel.ts';
import { transformerParameters } from '../../engine/models/transformer.ts';
import type { PairSet } from '../../engine/tasks/pairs.ts';
import { policyPairs } from '../../engine/tasks/policyPairs.ts';
import { policyTask, type PolicyTaskOptions } from '../../engine/tasks/policyRouting.ts';
import type { Given } from '../exchange.ts';
import type { TransformerConfig } from '../suites.ts';
import type { Point } from './points.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const POLICY = join(ROOT, 'fixtures', 'policy', 'seed-0');
const STORIES = join(process.env.GATESCOPE_SHARED ?? join(ROOT, '..', 'shared'), 'models', 'stories260K', 'hf');

export interface Stored {
  config: Partial<TransformerConfig>;
  tensors: Given[];
}

/** A stored model with what it is asked; undefined where it is drawn. @returns a text where it is not there: why */
export async function storedFor({ model, pairs }: Point): Promise<Stored | string | undefined> {
  if (model === 'drawn') return undefined;
  if (model === 'policy') {
    const { stored, task } = readPolicy();
    const { config, tensors } = given(stored);
    return { config, tensors: [...tensors, ...promptsOf(policyPairs(policyTask(task), { pairs, seed: 1 }))] };
  }
  return existsSync(STORIES)
    ? given(await loadHuggingFace(STORIES))
    : 'absent: models/stories260K/hf is not in the folder of shared models';
}

function readPolicy(): { stored: LanguageModel; task: PolicyTaskOptions } {
  const {
    recipe,
    behaviour: _behaviour,
    digest: _digest,
    ...own
  } = JSON.parse(readFileSync(`${POLICY}.json`, 'utf8')) as {
    recipe: { task: PolicyTaskOptions };
    [field: string]: unknown;
  };
  const { tensors } = readSafetensors(readFileSync(`${POLICY}.safetensors`), POLICY);
  const parameters = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
  return { stored: parseLanguageModel(POLICY, { ...own, parameters }), task: recipe.task };
}

function given({ config, parameters }: LanguageModel): Stored {
  const { vocabulary, positions, width, heads, layers, mlp, ...options } = config;
  const tensors = transformerParameters(config).map(({ name, shape }) => ({
    name,
    shape: [...shape],
    data: Float32Array.from(parameters[name]),
  }));
  return { config: { vocabulary, positions, width, heads, layers, mlp, options }, tensors };
}

/** The prompts of pairs that are read at their last position; of several tokens a metric is the mean over, the first stands for all. */
function promptsOf({ pairs, length, arms, metric, roles }: PairSet): Given[] {
  const first = ({ count, tokens }: { count: number; tokens: Int32Array }) =>
    Int32Array.from({ length: pairs }, (_, pair) => tokens[pair * count]);
  const all: [string, number[], Int32Array | undefined][] = [
    ['clean', [pairs, length], arms.sensitive],
    ['counterfactual', [pairs, length], arms.control],
    ['a', [pairs], first(metric.positive)],
    ['b', [pairs], first(metric.negative)],
    ['roles', [length], roles],
  ];
  return all.flatMap(([name, shape, data]) => (data ? [{ name, shape, data: Int32Array.from(data) }] : []));
}
