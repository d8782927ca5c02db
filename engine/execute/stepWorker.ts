/** The helper thread of a training step: runs the second shard and updates the second half of the parameters when told to. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { OptimiserSettings } from './optimisers/spec.ts';
import { optimiserOf, type Regions } from './optimisers/update.ts';
import { Shard, type ShardPlan } from './shard.ts';
import {
  ANSWER,
  ANSWER_NUMBER,
  ARGUMENT,
  awaitChange,
  COMMAND,
  COMMAND_NUMBER,
  CONTROL_BYTES,
  DONE,
  END,
  FAILED,
  halfOf,
  NOT_FINITE,
  RUN,
  RUN_WATCHED,
  signal,
  UPDATE,
} from './stepProtocol.ts';

export interface StepWorkerData {
  readonly plan: ShardPlan;
  readonly optimiser: OptimiserSettings;
  readonly regions: Regions;
  /** Byte offset of the control block. */
  readonly control: number;
  /** Where messages of errors go; the lead reads it without waiting. */
  readonly errors: MessagePort;
}

const { plan, optimiser: settings, regions, control: at, errors } = workerData as StepWorkerData;
const control = new Int32Array(plan.memory.buffer, at, CONTROL_BYTES / 4);
const scalars = new Float64Array(plan.memory.buffer, at + CONTROL_BYTES, 3);
const optimiser = optimiserOf(plan.memory, settings);
const shard = new Shard(plan);

function obey(command: number): number {
  if (command === RUN || command === RUN_WATCHED) {
    shard.run(control[ARGUMENT]);
    return command === RUN || optimiser.finite(regions.gradients[1], regions.count) ? DONE : NOT_FINITE;
  }
  if (command === UPDATE) optimiser.step(regions, scalars[0], scalars[1], { begin: halfOf(regions.count), end: regions.count }, scalars[2]);
  return DONE;
}

parentPort!.postMessage('ready');
for (let seen = 0; ;) {
  awaitChange(control, COMMAND_NUMBER, seen);
  seen = Atomics.load(control, COMMAND_NUMBER);
  const command = control[COMMAND];
  if (command === END) break;
  try {
    control[ANSWER] = obey(command);
  } catch (error) {
    control[ANSWER] = FAILED;
    errors.postMessage((error as Error).message);
  }
  signal(control, ANSWER_NUMBER);
}
shard.dispose();
