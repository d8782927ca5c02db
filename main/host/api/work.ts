/** Work: what it would cost, where its result is, beginning it, and everything about jobs. */
import { z } from 'zod';
import type { HostWindow } from '../host.ts';
import type { HostApi, Work } from '../hostApi.ts';
import { commandLine } from '../describe/commandLine.ts';
import { attached } from './attached.ts';
import { digest, fields, method, nothing, text } from './method.ts';

type Names = 'plan' | 'run' | 'lookUp' | 'jobs' | 'cancel' | 'pause' | 'resume' | 'dismiss' | 'log' | 'commandLine';

const values = z.record(z.string(), z.unknown(), 'must be an object');
const id = text.min(1, 'must not be empty');
const data = fields({ source: id, digest: digest.exactOptional() });

/** What its kind takes is for the kind to say: here only what kind of work it is. */
const work: z.ZodType<Work> = z.discriminatedUnion(
  'kind',
  [
    fields({ kind: z.literal('train'), parameters: values, base: digest.exactOptional() }),
    fields({
      kind: z.literal('analyse'),
      analysis: id,
      models: z.array(digest, 'must be a list of digests'),
      options: values.exactOptional(),
      seed: z.int('must be an integer').exactOptional(),
      data: data.exactOptional(),
    }),
    fields({
      kind: z.literal('route'),
      analysis: id,
      model: digest,
      pairs: digest,
      others: z.array(fields({ model: digest, pairs: digest }), 'must be a list of models and pairs').exactOptional(),
      options: values.exactOptional(),
      seed: z.int('must be an integer').exactOptional(),
    }),
    fields({ kind: z.literal('protocol'), protocol: id, options: values }),
    fields({
      kind: z.literal('interpolate'),
      model: digest,
      other: digest.exactOptional(),
      share: z.number('must be a number'),
      stage: id.exactOptional(),
    }),
  ],
  'must be "train", "analyse", "route", "protocol" or "interpolate"',
);

const ofJob = fields({ job: z.int('must be the number of a job') });
/** More than any view asks for at once. */
const MOST_WORKS = 4096;

export function workMethods(window: HostWindow): Pick<HostApi, Names> {
  return {
    plan: method('plan', work, (given) => attached(window, 'plan').plan(given)),
    run: method('run', work, (given) => attached(window, 'run').run(given)),
    lookUp: method(
      'lookUp',
      fields({ works: z.array(work, 'must be a list of work').max(MOST_WORKS, `must be at most ${MOST_WORKS}`) }),
      ({ works }) => attached(window, 'lookUp').lookUp(works),
    ),
    jobs: method('jobs', nothing, () => window.session?.board.jobs ?? []),
    cancel: method('cancel', ofJob, ({ job }) => attached(window, 'cancel').board.cancel(job)),
    pause: method('pause', ofJob, ({ job }) => attached(window, 'pause').board.pause(job)),
    resume: method('resume', ofJob, ({ job }) => attached(window, 'resume').board.resume(job)),
    dismiss: method('dismiss', ofJob, ({ job }) => attached(window, 'dismiss').board.dismiss(job)),
    log: method('log', ofJob, ({ job }) => attached(window, 'log').board.log(job)),
    commandLine: method('commandLine', work, (given) => {
      const { session, requests } = attached(window, 'commandLine');
      return commandLine(given, session, requests);
    }),
  };
}
