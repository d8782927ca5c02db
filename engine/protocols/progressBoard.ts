/** Adds up the progress of a protocol's jobs: one line for what is going on, one share and one estimate for the whole. */
import type { Progress } from '../contract.ts';
import type { Submit } from './protocol.ts';

export class ProgressBoard {
  readonly #jobs: number;
  readonly #report: (progress: Progress) => void;
  readonly #began: number;
  /** Share done, 0 … 1, of every job that has begun. */
  readonly #shares = new Map<number, number>();
  /** Jobs whose results were there already: they say nothing about the pace. */
  #given = 0;
  #next = 0;
  readonly #now: () => number;

  /** @param jobs how many there will be @param now milliseconds, for tests */
  constructor(jobs: number, report: (progress: Progress) => void, now: () => number = () => performance.now()) {
    this.#jobs = jobs;
    this.#report = report;
    this.#now = now;
    this.#began = now();
  }

  /** `submit` with its progress shown here as well. */
  watched(submit: Submit): Submit {
    return async <Result>(request: Parameters<Submit>[0], onProgress?: (progress: Progress) => void): Promise<Result> => {
      const job = this.#next++;
      let latest: Progress | undefined;
      const take = (progress: Progress, share: number) => {
        latest = progress;
        // A job that starts anew after its engine died has not lost what is stored: the whole never falls.
        this.#shares.set(job, Math.max(share, this.#shares.get(job) ?? 0));
        this.#show(progress);
      };
      this.#shares.set(job, 0);
      const result = await submit<Result>(request, (progress) => {
        take(progress, progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0);
        onProgress?.(progress);
      });
      if (!latest) this.#given++;
      take(latest ?? { stage: 'kept from before', done: 1, total: 1 }, 1);
      return result;
    };
  }

  #show({ stage, figures }: Progress): void {
    const done = [...this.#shares.values()].reduce((a, b) => a + b, 0);
    const seconds = (this.#now() - this.#began) / 1000;
    const made = done - this.#given;
    const remaining = made > 0.05 ? (seconds / made) * (this.#jobs - done) : undefined;
    this.#report({ stage, done, total: this.#jobs, ...(remaining !== undefined && { remaining }), ...(figures && { figures }) });
  }
}
