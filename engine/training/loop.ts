/**
 * The training loop: seeded batches, annealing, a metric series, progress, cancellation, checkpoints that resume to the same bits.
 *
 * Everything a step depends on is a function of the seed and the step's number, so a checkpoint is the number and the optimiser's arrays.
 */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { JobContext } from '../contract.ts';
import { NonFiniteStep, type OptimiserState, type StepRunner } from '../execute/stepRunner.ts';
import { temperatureAt, type Annealing } from '../gates/anneal.ts';
import { Measurements, type Measured, type Measuring } from './measurements.ts';

export interface TrainingPlan {
  /** Shown with the progress: `foundation`. */
  readonly stage: string;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** What the learning rate of a step is multiplied by, of `total` steps, the first being 0; 1 unless given. */
  readonly schedule?: (step: number, total: number) => number;
  /** Called after every update, before anything is measured or kept: what it does to the parameters belongs to the step. */
  readonly afterStep?: () => void;
  readonly temperature?: Annealing;
  /** What is looked at between steps. */
  readonly measuring?: Measuring;
  /** Row numbers to train on; their order is shuffled anew in every epoch. */
  readonly rows: Int32Array;
  readonly random: Random;
  /** Seconds between checkpoints: what a crash can cost at most; 3 unless given. */
  readonly checkpointSeconds?: number;
  /** Milliseconds that have passed since some moment. */
  readonly clock?: () => number;
}

/** State between two steps. */
export interface TrainingCheckpoint {
  /** Steps done. */
  readonly step: number;
  /** Mean loss of every step so far. */
  readonly losses: Float32Array;
  /** What was measured before each of these steps, where anything is. */
  readonly measured?: Measured;
  readonly state: OptimiserState;
}

export interface TrainingOutcome {
  /** Mean loss of every step, before its update. */
  readonly losses: Float32Array;
  /** By name, one entry more than there are steps; none where nothing is measured. */
  readonly measured: Measured;
}

/** Between checkpoints: what a crash costs at most, unless storing takes so long that it would be more than a twentieth of the work. */
const CHECKPOINT_SECONDS = 1;
const CHECKPOINT_SHARE = 1 / 20;
const BREATH_MILLISECONDS = 40;

/** Where a number first stopped being finite in a step on `rows`, with the parameters as they lie; set by those who know the graph. */
export type Diagnose = (rows: Int32Array, temperature: number | undefined) => string | undefined;

/**
 * Trains to the end of the plan.
 * @throws UserError naming the step and the first site that went non-finite, after handing over the last state whose parameters are finite;
 * Cancelled from `context.breathe`
 */
export async function train(
  runner: StepRunner,
  plan: TrainingPlan,
  context: JobContext,
  diagnose: Diagnose = () => undefined,
): Promise<TrainingOutcome> {
  checkPlan(plan);
  const { rows, batch } = plan;
  const perEpoch = Math.ceil(rows.length / batch);
  const total = perEpoch * plan.epochs;
  const losses = new Float32Array(total);
  let step = 0;
  const resumed = context.resume as TrainingCheckpoint | undefined;
  if (resumed) {
    runner.restore(resumed.state);
    losses.set(resumed.losses);
    step = resumed.step;
  }
  const measurements = plan.measuring && new Measurements(plan.measuring, total, resumed?.measured);
  const { clock = () => performance.now() } = plan;
  const began = clock();
  const first = step;
  let breath = began;
  let kept = began;
  /** Milliseconds the last checkpoint took. */
  let storing = 0;
  const stateAfter = (done: number): TrainingCheckpoint => ({
    step: done,
    losses: losses.slice(0, done),
    ...(measurements && { measured: measurements.before(done) }),
    state: runner.snapshot(),
  });
  /** The latest state found finite; what was resumed from is stored already. */
  let good = stateAfter(step);
  let stored = resumed !== undefined;
  const refresh = (done: number) => {
    if (!runner.finite() || done === good.step) return;
    good = stateAfter(done);
    stored = false;
  };
  const temperatureOf = (done: number) => plan.temperature && temperatureAt(plan.temperature, done, total);
  /** @param now of the clock, where there is a pace to go by */
  const report = (stage: string, done: number, now?: number) => {
    const temperature = done > 0 ? temperatureOf(done - 1) : undefined;
    const { figures = {}, ...measured } = measurements?.latest ?? {};
    context.progress({
      stage: `${plan.stage}, ${stage}`,
      done,
      total,
      ...(done === total && now === undefined && { remaining: 0 }),
      ...(now !== undefined && { remaining: ((now - began) / 1000 / (done - first)) * (total - done) }),
      figures: { ...(done > 0 && { loss: losses[done - 1] }), ...(temperature !== undefined && { temperature }), ...figures },
      ...measured,
    });
  };
  const epochAfter = (done: number) => `epoch ${Math.min(plan.epochs, Math.floor(done / perEpoch) + 1)} of ${plan.epochs}`;
  const measure = async (done: number) => {
    if (!measurements?.due(done)) return;
    await measurements.take(done, temperatureOf(done));
    report(epochAfter(done), done, done > first ? clock() : undefined);
  };
  const store = async () => {
    if (!stored) await context.checkpoint(good);
    stored = true;
  };
  const stopped = async (done: number, site: string | undefined, what: string, cause?: unknown) => {
    refresh(done);
    const keeping = await store().then(
      () => `the state after step ${good.step} is kept as the last good checkpoint`,
      (error: unknown) => `the state after step ${good.step}, the last good one, could not be kept: ${(error as Error).message}`,
    );
    return new UserError(
      `training (${plan.stage}): step ${done + 1}`,
      `must give finite numbers (first not finite: ${site ?? 'an unknown site'}; ${keeping}; a lower learning rate may help)`,
      what,
      { cause },
    );
  };
  let order: Int32Array | undefined;
  const current = new Int32Array(batch);
  /** Looking at every gradient takes a twentieth of a small step. So only losses are, until one is not finite: then back, and step by step. */
  let watched = false;
  const goBack = () => {
    watched = true;
    runner.restore(good.state);
    step = good.step - 1;
    order = undefined;
  };
  for (; ; step++) {
    if (step === total) {
      if (runner.finite()) break;
      goBack();
      continue;
    }
    if (measurements) await measure(step);
    const epoch = Math.floor(step / perEpoch);
    const at = (step % perEpoch) * batch;
    if (at === 0 || !order) order = shuffled(rows, plan.random.fork('shuffle', epoch));
    const chosen = at + batch <= order.length ? current : new Int32Array(order.length - at);
    chosen.set(order.subarray(at, at + chosen.length));
    const temperature = temperatureOf(step);
    if (temperature !== undefined) runner.setScalar('temperature', temperature);
    try {
      losses[step] = runner.step(chosen, step + 1, plan.learningRate * (plan.schedule?.(step, total) ?? 1), watched);
      plan.afterStep?.();
    } catch (error) {
      if (!(error instanceof NonFiniteStep)) throw error;
      if (watched) throw await stopped(step, diagnose(chosen, temperature), error.message, error);
      goBack();
      continue;
    }
    if (watched && !runner.finite()) throw await stopped(step, 'a parameter, by its update', 'a parameter is not finite');
    const now = clock();
    if (now - breath < BREATH_MILLISECONDS) continue;
    breath = now;
    const done = step + 1;
    report(`epoch ${epoch + 1} of ${plan.epochs}`, done, now);
    const pause =
      plan.checkpointSeconds === undefined
        ? Math.max(CHECKPOINT_SECONDS * 1000, storing / CHECKPOINT_SHARE)
        : plan.checkpointSeconds * 1000;
    if (now - kept > pause) {
      kept = now;
      const before = performance.now();
      refresh(done);
      // Whoever keeps checkpoints says that this one could not be kept; the work itself is not lost by it.
      await store().catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
      });
      storing = performance.now() - before;
    }
    await context.breathe();
  }
  await measure(total);
  report('done', total);
  return { losses, measured: measurements?.series ?? {} };
}

function shuffled(rows: Int32Array, random: Random): Int32Array {
  return Int32Array.from(random.permutation(rows.length), (place) => rows[place]);
}

function checkPlan({ epochs, batch, rows, learningRate }: TrainingPlan): void {
  const whole = (name: string, value: number) => {
    if (!Number.isInteger(value) || value < 1) throw new UserError(`training: ${name}`, 'must be a positive integer', value);
  };
  whole('epochs', epochs);
  whole('batch', batch);
  whole('rows', rows.length);
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UserError('training: learningRate', 'must be a number > 0', learningRate);
}
