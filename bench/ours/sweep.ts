/** The sweep over 16 heads at the last position, by the product's planner; clean and donor runs are part of every sweep. */
import { shared } from '../../engine/execute/sharedMemory.ts';
import { Team } from '../../engine/execute/team.ts';
import type { HeadSweepData } from '../../engine/interventions/headSweepMember.ts';
import type { OurSide } from '../ours.ts';
import type { TransformerConfig } from '../suites.ts';
import { transformerWeights, type Tensors } from './steps.ts';

/** Pairs claimed at a time. */
const CHUNK = 32;

export async function sweepSide(config: TransformerConfig, tensors: Tensors, threads: number): Promise<OurSide> {
  const pairs = config.pairs!;
  const { vocabulary, positions, width, heads, layers, mlp } = config;
  const int = (name: string) => shared(tensors.get(name) as Int32Array);
  const floats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));
  const parameters = Object.fromEntries(Object.entries(transformerWeights(config, tensors)).map(([name, data]) => [name, shared(data)]));
  const data: HeadSweepData = {
    config: { vocabulary, positions, width, heads, layers, mlp },
    parameters,
    prompts: { clean: int('clean'), donor: int('counterfactual'), length: positions, answer: int('a'), other: int('b') },
    positions: [positions - 1],
    pairs,
    patched: floats(layers * heads * pairs),
    clean: floats(pairs),
    donor: floats(pairs),
  };
  const team = await Team.create(new URL('../../engine/interventions/headSweepMember.ts', import.meta.url).href, data, {
    threads,
    chunk: CHUNK,
  });
  team.run(pairs);
  return {
    ready: { figures: [...data.patched], baseline: [...data.clean] },
    round(work) {
      const began = performance.now();
      for (let i = 0; i < work; i++) team.run(pairs);
      return Promise.resolve({ seconds: (performance.now() - began) / 1000 });
    },
    end: () => team.dispose(),
  };
}
