/** Our side of every comparison; the contract is in side.ts. Nothing here is tuned for the bench: it calls what the product calls. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { AGREEMENT_STEPS, readExchange } from './exchange.ts';
import { dopamineSide } from './ours/dopamine.ts';
import { peakMiB } from './ours/memory.ts';
import { screenSide } from './ours/screen.ts';
import { stepSide } from './ours/steps.ts';
import { unitsSide } from './ours/units.ts';
import type { Ready, RoundAnswer } from './side.ts';

export interface OurSide {
  /** The figures to agree on. */
  readonly ready: Omit<Ready, 'ready'>;
  round(work: number): Promise<RoundAnswer>;
  end(): Promise<void>;
  /** Peak memory of processes of its own, where it has any. */
  childrenPeakMiB?(): number;
}

const { values } = parseArgs({
  options: { suite: { type: 'string' }, exchange: { type: 'string' }, threads: { type: 'string', default: '1' } },
});
const { manifest, tensors } = readExchange(values.exchange!);
const threads = Number(values.threads);
const { config } = manifest;
const side =
  config.kind === 'dopamine'
    ? await dopamineSide(config, tensors, threads)
    : config.kind === 'units'
      ? unitsSide(config, tensors)
      : 'screen' in config
        ? await screenSide(config, tensors, threads)
        : await stepSide(config, tensors, threads, AGREEMENT_STEPS);

const answer = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
answer({ ready: true, ...side.ready });
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as { round?: number; end?: boolean };
  if (message.end) break;
  answer(await side.round(message.round!));
}
await side.end();
answer({ peakMiB: peakMiB('self') + (side.childrenPeakMiB?.() ?? 0) });
process.exit(0);
