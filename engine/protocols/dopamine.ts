/**
 * Dopamine on images in two modes (arXiv:2602.11726): a foundation on 0° and 45°, frozen; thresholds and gains, and rivals,
 * adapt it to 45°; everything the paper speaks of is then measured. Test images are read once, at the end, and choose nothing.
 */
import { z } from 'zod';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { Findings } from '../base/findings.ts';
import type { TrainResult } from '../jobs/trainClassifier.ts';
import { adapterId } from '../models/adapters/adapterId.ts';
import { adapterIds, adapterOf } from '../models/adapters/index.ts';
import { FOUNDATION_RATE, learningRateOf } from '../models/adapters/learningRate.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { titlesOf } from '../models/titles.ts';
import { dataReference } from '../tasks/dataReference.ts';
import { judge, type SeedOutcome } from './dopamineClaims.ts';
import { dopamineFindings, type DopamineReport, type SeedReport } from './dopamineReport.ts';
import { accuracyIn, readOff } from './readOff.ts';
import type { Protocol, Submit } from './protocol.ts';
import { ProgressBoard } from './progressBoard.ts';

const MODE = 45;
const OLD = 0;
const ANGLES = [OLD, MODE];
const EPOCHS = 2;
/** λ of the frontier in half decades. The penalty is a mean over a layer's units, so λ counts some 200 times less than for their sum. */
const LAMBDAS = [0, 0.03, 0.1, 0.3, 1, 3];
/** What the modest foundation is adapted by. */
const EXPRESSIVE = ['dopamine', 'lora-r8'];

/** What is measured besides accuracies. */
const parts = ['neurons', 'angles', 'retention', 'frontier', 'expressivity', 'paired'] as const;
type Part = (typeof parts)[number];

const schema = z.strictObject({
  seeds: z
    .array(wholeBetween(0, Number.MAX_SAFE_INTEGER), 'must be a list of seeds')
    .min(1, 'must name at least one seed')
    .refine((seeds) => new Set(seeds).size === seeds.length, 'must name each seed once')
    .default([0])
    .meta({ description: 'seeds, such as 0 or 0-4 or 1,3,5', range: true }),
  adapters: z
    .array(adapterId, 'must be a list of adapters')
    .refine((adapters) => new Set(adapters).size === adapters.length, 'must name each adapter once')
    .default(['dopamine', 'threshold', 'gain', 'bias', 'lora-r1', 'lora-r4', 'lora-r8'])
    .meta({ description: `what adapts the frozen base: ${adapterIds}; "" for none` }),
  parts: z
    .array(z.enum(parts, `must be of ${parts.join(', ')}`), 'must be a list of parts')
    .refine((chosen) => new Set(chosen).size === chosen.length, 'must name each part once')
    .default([...parts])
    .meta({ description: `what to measure besides accuracies: ${parts.join(', ')}; "" for none` }),
  data: dataReference,
});

export type DopamineOptions = z.output<typeof schema>;

export const dopamineProtocol: Protocol<DopamineOptions, DopamineReport> = {
  id: 'dopamine',
  version: 1,
  title: 'Dopamine: Brain Modes, Not Brains: thresholds and gains on a frozen network, 0° against 45°',
  options: schema,
  parse: (options) => parseWith(schema, 'run dopamine', options),
  jobs: (options) => options.seeds.length * jobsOfSeed(options) + Number(hasPaired(options)),
  async run(options, submit, onProgress) {
    const board = new ProgressBoard(dopamineProtocol.jobs(options), onProgress);
    const watched = board.watched(submit);
    const outcomes = await Promise.all(options.seeds.map((seed) => new SeedRun(seed, options, watched).all()));
    if (hasPaired(options)) {
      const adapted = outcomes.flatMap(({ models }) => models);
      await analyse(watched, 'paired', adapted, options, { angles: ANGLES });
    }
    const seeds = outcomes.map(({ report }) => report);
    return { protocol: 'dopamine', data: outcomes[0].data, seeds, claims: judge(outcomes.map(({ outcome }) => outcome)) };
  },
  findings: dopamineFindings,
};

const hasPaired = ({ parts: chosen, adapters }: DopamineOptions): boolean => chosen.includes('paired') && adapters.length > 0;

/** Analyses of one seed's gated mode. */
const OF_NEURONS: readonly (readonly [string, object])[] = [
  ['firing', { angles: [MODE] }],
  ['categories', { angles: [MODE] }],
  ['overlap', { angles: ANGLES }],
  ['softHardGap', { angles: ANGLES }],
  ['contributions', { angle: MODE }],
  ['interchange', { control: OLD, sensitive: MODE }],
  ['interpolation', { angles: ANGLES }],
];

function jobsOfSeed({ adapters, parts: chosen }: DopamineOptions): number {
  const has = (part: Part) => chosen.includes(part);
  const ofAdapters = (part: Part) => Number(has(part) && adapters.length > 0);
  const toAdapt = EXPRESSIVE.filter((id) => !adapters.includes(id)).length + EXPRESSIVE.length;
  return (
    2 + // foundation and accuracy
    adapters.length +
    (has('neurons') && adapters.includes('dopamine') ? OF_NEURONS.length : 0) +
    ofAdapters('angles') +
    ofAdapters('retention') +
    (has('frontier') ? LAMBDAS.length + 2 : 0) +
    (has('expressivity') ? toAdapt + 2 : 0)
  );
}

const analyse = (submit: Submit, kind: string, models: readonly ClassifierModel[], { data }: DopamineOptions, own: object, seed = 0) =>
  submit<Findings>({ kind, parameters: { models: models.map((model) => ({ model })), data, seed, options: own } });

/** One seed from foundation to figures. Its jobs go one after the other, on the engine that has the turned images at hand. */
class SeedRun {
  readonly #seed: number;
  readonly #options: DopamineOptions;
  readonly #submit: Submit;

  constructor(seed: number, options: DopamineOptions, submit: Submit) {
    this.#seed = seed;
    this.#options = options;
    this.#submit = submit;
  }

  async all(): Promise<{ outcome: SeedOutcome; report: SeedReport; models: readonly ClassifierModel[]; data: string }> {
    const { adapters, parts: chosen } = this.#options;
    const seed = this.#seed;
    const foundation = await this.#foundation(ANGLES);
    const trained: TrainResult[] = [];
    for (const id of adapters) trained.push(await this.#adapt(id, foundation.model));
    const models = trained.map(({ model }) => model);
    const compared = [foundation.model, ...models];
    const titles = titlesOf(compared);
    const accuracy = await this.#analyse('accuracy', compared, { angles: ANGLES });
    const at = (i: number, form: string) => accuracyIn(accuracy, titles[i], form, ANGLES);
    const report: SeedReport = {
      seed,
      frozen: at(0, 'base'),
      adapters: Object.fromEntries(
        adapters.map((id, i) => [
          id,
          {
            parameters: trained[i].count,
            soft: at(1 + i, 'soft'),
            ...(adapterOf(id).gated && { hard: at(1 + i, 'hard') }),
          },
        ]),
      ),
    };
    const mode = models.find((_model, i) => adapters[i] === 'dopamine');
    if (chosen.includes('neurons') && mode) for (const [kind, own] of OF_NEURONS) await this.#analyse(kind, [mode], own);
    if (chosen.includes('retention') && models.length > 0) await this.#analyse('retention', models, { oldAngle: OLD, newAngle: MODE });
    if (chosen.includes('angles') && models.length > 0) await this.#analyse('angleCurve', models, {});
    const outcome: SeedOutcome = {
      ...report,
      restored: trained.every(({ frozenDigest }, i) => adapterOf(adapters[i]).trains === 'base' || frozenDigest === foundation.digest),
      ...(chosen.includes('frontier') && { frontier: await this.#frontier() }),
      ...(chosen.includes('expressivity') && { expressivity: await this.#expressivity(foundation.model, models) }),
    };
    return { outcome, report, models, data: String(accuracy.facts.data) };
  }

  /** λ is chosen on held-out images, which this foundation has not seen either. */
  async #frontier(): Promise<SeedOutcome['frontier']> {
    const rows = { rows: 'remaining' };
    const foundation = await this.#foundation(ANGLES, rows);
    const models: ClassifierModel[] = [];
    for (const sparsity of LAMBDAS) {
      const { model } = await this.#adapt('dopamine', foundation.model, { ...rows, sparsity, stage: `dopamine λ=${sparsity}` });
      models.push(model);
    }
    const findings = await this.#analyse('frontier', models, { angle: MODE });
    const chosen = findings.measures.chosen.data.indexOf(1);
    return { loss: readOff(findings, 'loss', {}), active: readOff(findings, 'testActive', {}), lambda: LAMBDAS[chosen] ?? NaN };
  }

  /** The paper's limitation: on a foundation that never saw the mode, gates can do less. */
  async #expressivity(rich: ClassifierModel, known: readonly ClassifierModel[]): Promise<SeedOutcome['expressivity']> {
    const poor = (await this.#foundation([OLD])).model;
    const models: ClassifierModel[] = [];
    for (const base of [rich, poor])
      for (const id of EXPRESSIVE) {
        const given = base === rich ? known.find(({ adapter }) => adapter?.id === id) : undefined;
        models.push(given ?? (await this.#adapt(id, base)).model);
      }
    const findings = await this.#analyse('expressivity', models, { angle: MODE });
    const on = (kind: string) => {
      const gain = (adapter: string) => readOff(findings, 'meanGain', { adapter, kind });
      return { share: readOff(findings, 'meanRelative', { adapter: 'dopamine', kind }), behind: gain('lora-r8') - gain('dopamine') };
    };
    return { mixed: on('angle seen'), single: on('angle new') };
  }

  #analyse(kind: string, models: readonly ClassifierModel[], own: object): Promise<Findings> {
    return analyse(this.#submit, kind, models, this.#options, own, this.#seed);
  }

  #foundation(angles: readonly number[], more: object = {}): Promise<TrainResult> {
    return this.#train({ stage: 'foundation', angles, optimiser: adam(FOUNDATION_RATE), ...more });
  }

  #adapt(id: string, base: ClassifierModel, more: object = {}): Promise<TrainResult> {
    const modes = adapterOf(id).contextual ? ANGLES : [MODE];
    return this.#train({ stage: id, angles: modes, adapter: id, base, optimiser: adam(learningRateOf(id)), ...more });
  }

  #train(parameters: object): Promise<TrainResult> {
    const { data } = this.#options;
    return this.#submit<TrainResult>({
      kind: 'trainClassifier',
      parameters: { epochs: EPOCHS, batch: 128, seed: this.#seed, data, ...parameters },
    });
  }
}

const adam = (learningRate: number) => ({ kind: 'adam', learningRate });
