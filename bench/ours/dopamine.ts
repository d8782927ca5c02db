/** The Dopamine protocol for one seed, from reading the idx files to the accuracies, on engines that are already running. */
import { readFileSync } from 'node:fs';
import { dopamineProtocol } from '../../engine/protocols/dopamine.ts';
import { loadImages } from '../../engine/tasks/imageData.ts';
import { rotate } from '../../engine/tasks/rotate.ts';
import { MemoryJobStore } from '../../main/host/jobStore.ts';
import { EnginePool } from '../../main/host/pool.ts';
import { spawnEngine } from '../../main/host/spawn.ts';
import { AGREEMENT_STEPS } from '../exchange.ts';
import { peakMiB } from './memory.ts';
import type { OurSide } from '../ours.ts';
import type { DopamineConfig } from '../suites.ts';
import { stepSide, type Tensors } from './steps.ts';

export async function dopamineSide(config: DopamineConfig, tensors: Tensors, threads: number): Promise<OurSide> {
  const { ready } = await foundationLosses(config, tensors);
  let round = 0;
  let enginePeak = 0;
  return {
    ready,
    async round(work) {
      let seconds = 0;
      let result: unknown;
      for (let i = 0; i < work; i++) {
        // Engines keep tables while the same data are asked for, so every protocol gets fresh ones, started (by a request they refuse) before the clock.
        const pool = new EnginePool({ cores: threads, spawn: spawnEngine, store: new MemoryJobStore() });
        await Promise.all(
          Array.from({ length: threads }, (_entry, engine) =>
            pool.submit({ kind: 'trainClassifier', parameters: { engine } }).catch(() => undefined),
          ),
        );
        const began = performance.now();
        const report = await dopamineProtocol.run(
          // What the rival does too, and no more.
          dopamineProtocol.parse({ seeds: [round++], adapters: ['dopamine', 'lora-r4'], parts: [], data: { source: config.data } }),
          (request) => pool.submit(request, { threads: 2 }),
          () => undefined,
        );
        seconds += (performance.now() - began) / 1000;
        result = report.seeds[0];
        enginePeak = Math.max(enginePeak, childrenPeakMiB());
        await pool.dispose();
      }
      return { seconds, result: result as never };
    },
    end: () => Promise.resolve(),
    childrenPeakMiB: () => enginePeak,
  };
}

/** The foundation's first steps from the exchange's weights, images and order. */
async function foundationLosses({ widths, batch, data, angle }: DopamineConfig, tensors: Tensors) {
  const images = await loadImages(data);
  const { train } = images;
  const pixels = images.height * images.width;
  const turned = tensors.get('turned')!;
  const order = tensors.get('order')!;
  const rows = order.length;
  const inputs = new Float32Array(rows * pixels);
  order.forEach((image: number, row: number) => {
    const upright = train.pixels.subarray(image * pixels, (image + 1) * pixels);
    inputs.set(rotate(upright, 1, images, turned[image] === 1 ? angle : 0), row * pixels);
  });
  const targets = Int32Array.from(order as Int32Array, (image) => train.labels[image]);
  const side = await stepSide(
    { kind: 'mlp', widths, batch, batches: rows / batch, learningRate: 1e-3 },
    new Map([...tensors, ['inputs', inputs], ['targets', targets]]),
    1,
    AGREEMENT_STEPS,
  );
  await side.end();
  return side;
}

/** Peak resident memory of the engines that are alive, added up; they are this process's only children. */
function childrenPeakMiB(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.reduce((total, child) => total + peakMiB(child), 0);
}
