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
  const { vocabulary, positions, width, heads, layers, mlp, screen } = config;
  const int = (name: string) => tensors.get(name) as Int32Array;
  const pairs: PairSet = {
    pairs: config.pairs!,
    length: positions,
    arms: { sensitive: int('clean'), control: int('counterfactual') },
    read: new Int32Array(config.pairs!).fill(positions - 1),
    metric: { positive: { count: 1, tokens: int('a') }, negative: { count: 1, tokens: int('b') } },
  };
  const swept = screen === 'positions' ? Array.from({ length: positions }, (_, position) => position) : [positions - 1];
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
  const model = { config: { vocabulary, positions, width, heads, layers, mlp }, parameters: transformerWeights(config, tensors) };
  const kept = new PlannedRunner(executor, model, { threads });
  const { metrics, base } = await kept.run(pairs, 'sensitive', forth);
  if (screen === 'second') await kept.run(pairs, 'control', back);
  return {
    ready: { figures: [...metrics], baseline: [...base] },
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
