/** One line on stderr that shows how far work is: rewritten in place on a terminal, a line now and then elsewhere. */
import type { Progress } from '../../engine/contract.ts';

const BAR = 24;
/** Milliseconds between lines where nothing can be rewritten. */
const QUIET = 5000;

export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #last = 0;
  #shown = false;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  readonly show = (progress: Progress): void => {
    const text = progressText(progress);
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001b[2K${text.slice(0, (this.#out.columns || 80) - 1)}`);
      this.#shown = true;
    } else if (performance.now() - this.#last > QUIET) {
      this.#last = performance.now();
      this.#out.write(`${text}\n`);
    }
  };

  clear(): void {
    if (this.#shown) this.#out.write('\r\u001b[2K');
    this.#shown = false;
  }
}

/** `████░░░░  42 %  foundation, epoch 1 of 2  loss 0.3121  about 5 s left` */
export function progressText({ stage, done, total, remaining, figures = {} }: Progress): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const filled = Math.round(share * BAR);
  const parts = [
    '█'.repeat(filled) + '░'.repeat(BAR - filled),
    `${String(Math.round(100 * share)).padStart(3)} %`,
    stage,
    ...Object.entries(figures).map(([name, value]) => `${name} ${value.toPrecision(4)}`),
    ...(remaining === undefined || remaining < 0.5 ? [] : [`about ${durationText(remaining)} left`]),
  ];
  return parts.join('  ');
}

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
