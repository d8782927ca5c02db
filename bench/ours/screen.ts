/**
 * Screens by the product's planned runner: heads at the position that is read, or heads × positions. `second`: the prompts were screened before,
 * in the other direction, so what is kept of them is part of the bargain; otherwise every sweep begins with nothing kept of its prompts.
 */
import { OnnxRuntimeExecutor } from '../../engine/execute/onnxruntime.ts';
import type { Intervention } from '../../engine/interventions/intervention.ts';
import { PlannedRunner } from '../../engine/interventions/plannedRunner.ts';
import { headLabel, headOutput } from '../../engine/models/sites.ts';
import type { PairSet } from '../../engine/tasks/pairs.ts';
import type { OurSide } from '../ours.ts';
import type { TransformerConfig } from '../suites.ts';
import { transformerWeights, type Tensors } from './steps.ts';

export async function screenSide(config: TransformerConfig, tensors: Tensors, threads: number): Promise<OurSide> {
  const { vocabulary, positions, width, heads, layers, mlp, length = positions, options, screen } = config;
  const int = (name: string) => tensors.get(name) as Int32Array;
  const pairs: PairSet = {
    pairs: config.pairs!,
    length,
    arms: { sensitive: int('clean'), control: int('counterfactual') },
    read: new Int32Array(config.pairs!).fill(length - 1),
    metric: { positive: { count: 1, tokens: int('a') }, negative: { count: 1, tokens: int('b') } },
    ...(options?.roles && { roles: int('roles'), roleNames: options.roles }),
  };
  const swept = screen === 'positions' ? Array.from({ length }, (_, position) => position) : [length - 1];
  const cells = Array.from({ length: layers * heads }, (_, i) => ({ layer: Math.floor(i / heads), head: i % heads }));
  const screenFrom = (arm: 'sensitive' | 'control'): Intervention[] =>
    cells.flatMap(({ layer, head }) =>
      swept.map((position) => ({
        id: `${headLabel(layer, head)}@${position}`,
        writes: [{ site: headOutput(layer), index: head, positions: [position], op: 'swap', donor: { arm } }],
      })),
    );
  const [forth, back] = [screenFrom('control'), screenFrom('sensitive')];
  const executor = new OnnxRuntimeExecutor();
  const parameters = tensors.has('blocks.0.attn.W_QKV') ? transformerWeights(config, tensors) : floatsOf(tensors);
  const model = { config: { vocabulary, positions, width, heads, layers, mlp, ...options }, parameters };
  const kept = new PlannedRunner(executor, model, { threads });
  const { metrics, base } = await kept.run(pairs, 'sensitive', forth);
  if (screen === 'second') await kept.run(pairs, 'control', back);
  const { work, bytes } = kept.plan(pairs, 'sensitive', forth);
  return {
    ready: { figures: [...metrics], baseline: [...base], work, bytes },
    async round(work) {
      const second = screen === 'second';
      const began = performance.now();
      for (let i = 0; i < work; i++)
        // Programs stay, as in one session; what is kept of prompts goes with their set.
        if (second) await kept.run(pairs, i % 2 === 0 ? 'control' : 'sensitive', i % 2 === 0 ? back : forth);
        else await kept.run({ ...pairs }, 'sensitive', forth);
      const seconds = (performance.now() - began) / 1000;
      return { seconds };
    },
    end() {
      kept.dispose();
      executor.dispose();
      return Promise.resolve();
    },
  };
}

/** Of a stored model: its parameters by their own names. */
function floatsOf(tensors: Tensors): Record<string, Float32Array> {
  return Object.fromEntries([...tensors].flatMap(([name, data]) => (data instanceof Float32Array ? [[name, data]] : [])));
}
