/**
 * The rival's best setting: every allowed combination of BLAS threads, OpenMP threads and foreach is run for a moment, the fastest wins.
 *
 * One thread means 1/1. With two, PyTorch may take 1 or 2 of either kind (2/2 is tried too, though its spinning threads fight). The
 * surrounding shell's OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE never reach the rival: here they would halve its matmul rate.
 */
import { BenchFailure } from './failure.ts';
import { Side, type Command } from './side.ts';
import { median } from './statistics.ts';
import type { Rival, Suite } from './suites.ts';

export type Threads = 1 | 2;

export interface Setting {
  blas: Threads;
  omp: Threads;
  foreach: boolean;
  /** See {@link TUNED}. */
  tuned: boolean;
}

/** Variables of the shell that steer a BLAS or a thread pool: none of them may decide a comparison. */
const STEERING = /^(OPENBLAS|OMP|GOMP|KMP|MKL|BLIS|GOTO|ATEN|MALLOC)_/;

/**
 * Beyond the settings that comparisons are defined with (--tuned): AVX-512 versions of ATen's elementwise kernels, which 1.13 leaves off
 * by default, and a glibc allocator that does not give every freed activation back to the system to fault it in again.
 */
const TUNED = {
  ATEN_CPU_CAPABILITY: 'avx512',
  MALLOC_TRIM_THRESHOLD_: '1073741824',
  MALLOC_MMAP_THRESHOLD_: '33554432',
  MALLOC_TOP_PAD_: '67108864',
};

export function candidates(suite: Pick<Suite, 'foreach'>, threads: Threads, tuned = false): Setting[] {
  const counts: Threads[] = threads === 1 ? [1] : [1, 2];
  const switches = suite.foreach ? [false, true] : [false];
  const settings: Setting[] = [];
  for (const blas of counts)
    for (const omp of counts)
      for (const foreach of switches)
        for (const extra of tuned ? [false, true] : [false]) settings.push({ blas, omp, foreach, tuned: extra });
  return settings;
}

export function settingText({ blas, omp, foreach, tuned }: Setting): string {
  return `blas ${blas}, omp ${omp}${foreach ? ', foreach' : ''}${tuned ? ', tuned' : ''}`;
}

/** The shell's environment without anything that steers threads or kernels. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !STEERING.test(name)));
}

export function settingEnvironment({ blas, omp, tuned }: Setting): NodeJS.ProcessEnv {
  return { ...plainEnvironment(), OPENBLAS_NUM_THREADS: String(blas), OMP_NUM_THREADS: String(omp), ...(tuned ? TUNED : {}) };
}

export interface Trial {
  setting: Setting;
  /** Seconds of one trial round. */
  seconds: number;
}

const TRIAL_ROUNDS = 5;
/** Of suites whose rounds are long. */
const LONG_TRIAL_ROUNDS = 3;

/** Runs every candidate for a moment; the fastest first. */
export async function rankSettings(
  suite: Suite,
  rival: Rival,
  settings: Setting[],
  commandOf: (setting: Setting, extra: string[]) => Command,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  const long = suite.trial !== undefined;
  const work = suite.unit === 'step' ? Math.ceil(suite.work / 2) : 1;
  for (const setting of settings) {
    await using side = new Side(commandOf(setting, suite.trial ?? []));
    await side.ready();
    await side.round(work); // warms up
    const seconds: number[] = [];
    for (let round = 0; round < (long ? LONG_TRIAL_ROUNDS : TRIAL_ROUNDS); round++) seconds.push((await side.round(work)).seconds);
    await side.end();
    trials.push({ setting, seconds: median(seconds) });
  }
  if (trials.length === 0) throw new BenchFailure(`${suite.name}: ${rival.name} must have at least one setting, got none`);
  return trials.sort((a, b) => a.seconds - b.seconds);
}
