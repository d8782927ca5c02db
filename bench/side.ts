/**
 * One side of a comparison: a long-lived child process that speaks lines of JSON on stdin and stdout (stderr is kept for messages).
 *
 * What a side must do (bench/ours.ts as much as the scripts in bench/rivals/):
 *
 *   started as   <program> --suite NAME --exchange FOLDER [--threads 1|2, ours only] [--foreach …, rivals only]
 *   first line   {"ready":true,"losses":[20 numbers]}                      training suites and dopamine: the losses of the first 20
 *                                                                           steps from the exchange folder's state (each before its update)
 *                {"ready":true,"figures":[heads·pairs],"baseline":[pairs]}  sweep: patched metric, [layer·H+head][pair], and the clean metric;
 *                                                                           `cells`: the numbers of the cells that were run, where not all were
 *                {"ready":true,"figures":[units·2·n],"baseline":[2·n]}      units: patched margin, [unit of all layers][clean ← donor, donor ← clean]
 *                                                                           [every so-manieth image], and the margins without a swap
 *   {"round":N}  restore the initial state (untimed), do N steps | sweeps | protocols, answer
 *                {"seconds":s,"last":loss of the N-th step}                 training suites
 *                {"seconds":s}                                              sweep: the counterfactual forward is part of every sweep,
 *                                                                           units: so are both forwards without a swap
 *                {"seconds":s,"result":{one entry of the report's "seeds"}} dopamine: from reading the idx files to the accuracies
 *   {"end":true} answer {"peakMiB":own peak resident memory, children included}, exit 0
 *
 * Every other key of the first line is shown as it is. Nothing else may be written to stdout. A side waits without spinning.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BenchFailure } from './failure.ts';

export interface Command {
  /** Who this is in messages: `ours`, `torch-1.13`. */
  name: string;
  program: string;
  arguments: string[];
  environment: NodeJS.ProcessEnv;
}

export interface Ready {
  ready: true;
  losses?: number[];
  figures?: number[];
  baseline?: number[];
  /** Of a sweep: the cells the figures are of, all where it is left out; the time of a round is that of all. */
  cells?: number[];
  /** Of how much a rival does at once (cells of a forward, pairs of a chunk), where it chose. */
  size?: number;
  [key: string]: unknown;
}

/** Accuracies in percent by angle. */
export type Accuracies = Record<string, number>;

export interface ProtocolResult {
  seed: number;
  frozen: Accuracies;
  adapters: Record<string, { parameters: number; soft: Accuracies; hard?: Accuracies }>;
}

export interface RoundAnswer {
  seconds: number;
  last?: number;
  result?: ProtocolResult;
}

const KEPT_ERROR_OUTPUT = 4000;

export class Side implements AsyncDisposable {
  readonly command: Command;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #ended: string | undefined;
  #errorOutput = '';

  constructor(command: Command) {
    this.command = command;
    this.#child = spawn(command.program, command.arguments, { env: command.environment, stdio: 'pipe' });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-KEPT_ERROR_OUTPUT);
    });
    this.#child.stdin.on('error', () => undefined); // a side that has died is told of by its exit
    this.#child.on('error', (error) => this.#end(`could not be started (${error.message})`));
    this.#child.on('close', (code, signal) => this.#end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (this.#waiting === undefined) this.#lines.push(line);
      else {
        const { resolve } = this.#waiting;
        this.#waiting = undefined;
        resolve(line);
      }
    });
  }

  async ready(timeoutSeconds = 300): Promise<Ready> {
    const first = (await this.#answer(timeoutSeconds)) as Ready;
    if (first.ready !== true) throw this.#failure(`must say {"ready":true,…} first, said ${JSON.stringify(first).slice(0, 200)}`);
    return first;
  }

  async round(work: number, timeoutSeconds = 1800): Promise<RoundAnswer> {
    this.#say({ round: work });
    const answer = (await this.#answer(timeoutSeconds)) as RoundAnswer;
    if (!(answer.seconds > 0)) throw this.#failure(`must answer a round with seconds > 0, said ${JSON.stringify(answer).slice(0, 200)}`);
    return answer;
  }

  async end(): Promise<number> {
    this.#say({ end: true });
    return ((await this.#answer(60)) as { peakMiB: number }).peakMiB;
  }

  /** Ends the process, if it has not ended by itself, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdin.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    await gone;
    clearTimeout(late);
  }

  #say(line: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  async #answer(timeoutSeconds: number): Promise<unknown> {
    const line = this.#lines.shift() ?? (await this.#next(timeoutSeconds));
    try {
      return JSON.parse(line) as unknown;
    } catch {
      throw this.#failure(`must write lines of JSON, wrote ${JSON.stringify(line.slice(0, 200))}`);
    }
  }

  #next(timeoutSeconds: number): Promise<string> {
    if (this.#ended !== undefined) return Promise.reject(this.#failure(this.#ended));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        this.#child.kill('SIGKILL');
        reject(this.#failure(`did not answer within ${timeoutSeconds} s`));
      }, timeoutSeconds * 1000);
      this.#waiting = {
        resolve: (line) => (clearTimeout(timer), resolve(line)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      };
    });
  }

  #end(how: string): void {
    this.#ended ??= how;
    this.#waiting?.reject(this.#failure(how));
    this.#waiting = undefined;
  }

  #failure(what: string): BenchFailure {
    const said = this.#errorOutput.trim();
    return new BenchFailure(`${this.command.name} ${what}${said === '' ? '' : `\n${said}`}`);
  }
}
