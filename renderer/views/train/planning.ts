/** What the form would cost, asked of the host part by part, and which field is wrong. Nothing runs. */
import { UserError } from '../../../engine/base/errors.ts';
import type { Plan, Work } from '../../../main/host/hostApi.ts';
import type { Host } from '../../state/connection.svelte.ts';
import { errorUnderField, pathOfError, TextProblem, type FormReading } from './form.ts';

export interface FormPlan {
  readonly runs: number;
  /** Of these, runs that are in the session already. */
  readonly stored: number;
  readonly steps: number | undefined;
  readonly seconds: number | undefined;
  readonly bytes: number | undefined;
  /** By path of the field. */
  readonly errors: Readonly<Record<string, string>>;
  /** What no field is to blame for. */
  readonly problem: string | undefined;
}

const nothing: FormPlan = { runs: 0, stored: 0, steps: undefined, seconds: undefined, bytes: undefined, errors: {}, problem: undefined };

/** As many as the host looks up at once. */
const MOST_LOOKED_UP = 4096;

/**
 * One of each kind is asked and its cost stands for that of all seeds; which of them are stored is looked up one by one.
 * @param stand a foundation that is there: adapters of one that is not cost about the same on it
 */
export async function planOf(host: Host, reading: FormReading, stand: string | undefined): Promise<FormPlan> {
  let seeds: readonly number[];
  try {
    ({ seeds } = reading);
  } catch (error) {
    if (error instanceof TextProblem) return { ...nothing, errors: { seeds: error.message } };
    throw error;
  }
  const { trained, adapters, form } = reading;
  const asked: { work: Work; blank: boolean }[] = [];
  if (trained !== 'adapters') asked.push({ work: reading.foundation(seeds[0]), blank: false });
  if (trained !== 'foundation') {
    if (adapters.length === 0) return { ...nothing, errors: { adapter: 'At least one adapter must be chosen' } };
    const base = trained === 'adapters' ? form.base : stand;
    if (trained === 'adapters' && base === undefined) return { ...nothing, errors: { base: 'A foundation must be chosen' } };
    for (const id of adapters) asked.push({ work: reading.adapter(id, seeds[0], base), blank: base === undefined });
  }
  const errors: Record<string, string> = {};
  let problem: string | undefined;
  const plans = await Promise.all(
    asked.map(async ({ work, blank }) => {
      try {
        return await host.plan(work);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const path = pathOfError(error.field);
        // An adapter without a foundation can only be wrong in what comes before it.
        if (!(blank && path === 'base')) {
          errors[path] = errorUnderField(error.rule, error.value);
          problem ??= error.message;
        }
        return undefined;
      }
    }),
  );
  const stored = problem === undefined ? await storedOf(host, reading) : 0;
  return { ...summed(plans, asked.length, seeds.length), stored, errors, problem };
}

/** How many are there already; adapters of foundations that are trained first are not told apart yet. */
async function storedOf(host: Host, reading: FormReading): Promise<number> {
  const { now, later } = worksOf(reading);
  const works = later ? later.parts.map(({ foundation }) => foundation) : now;
  if (works.length > MOST_LOOKED_UP) return 0;
  return (await host.lookUp({ works })).filter(({ state }) => state === 'stored').length;
}

function summed(
  plans: readonly (Plan | undefined)[],
  asked: number,
  seeds: number,
): Pick<FormPlan, 'runs' | 'steps' | 'seconds' | 'bytes'> {
  const known = plans.filter((plan) => plan !== undefined);
  /** Over all runs; of those that nothing is known of, as of the others. */
  const total = (figure: 'steps' | 'seconds' | 'bytes'): number | undefined => {
    const values = known.flatMap((plan) => (plan[figure] === undefined ? [] : [plan[figure]]));
    return values.length === 0 ? undefined : (values.reduce((a, b) => a + b, 0) / values.length) * asked * seeds;
  };
  return {
    runs: asked * seeds,
    steps: total('steps'),
    seconds: total('seconds'),
    bytes: total('bytes'),
  };
}

/** Everything the form stands for, in the order it is trained; adapters of foundations that are not there yet have no base. */
export function worksOf(reading: FormReading): {
  readonly now: readonly Work[];
  readonly later: { readonly parts: readonly { readonly foundation: Work; readonly adapters: readonly Work[] }[] } | undefined;
} {
  const { seeds, adapters, trained, form } = reading;
  if (trained === 'foundation') return { now: seeds.map((seed) => reading.foundation(seed)), later: undefined };
  if (trained === 'adapters')
    return { now: seeds.flatMap((seed) => adapters.map((id) => reading.adapter(id, seed, form.base))), later: undefined };
  return {
    now: [],
    later: {
      parts: seeds.map((seed) => ({ foundation: reading.foundation(seed), adapters: adapters.map((id) => reading.adapter(id, seed)) })),
    },
  };
}
