/** What the Dopamine protocol reports: accuracies by seed and adapter, what was claimed, and the same as findings for the session. */
import type { Claim, Findings } from '../base/findings.ts';

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
  /** Digest of the images. */
  readonly data: string;
  readonly seeds: readonly SeedReport[];
  readonly claims: readonly Claim[];
}

/** The report's numbers with their axes: accuracy [seed, model, form, angle], NaN where a model has no such form. */
export function dopamineFindings({ data, seeds, claims }: DopamineReport): Findings {
  const adapters = [...new Set(seeds.flatMap((seed) => Object.keys(seed.adapters)))];
  const angles = Object.keys(seeds[0]?.frozen ?? {});
  const forms = ['soft', 'hard'] as const;
  const accuracy: number[] = [];
  const parameters: number[] = [];
  for (const { frozen, adapters: reports } of seeds)
    for (const model of ['frozen', ...adapters])
      for (const form of forms) {
        const values = model === 'frozen' ? (form === 'soft' ? frozen : undefined) : reports[model]?.[form];
        accuracy.push(...angles.map((angle) => values?.[angle] ?? NaN));
      }
  for (const model of ['frozen', ...adapters]) parameters.push(seeds[0]?.adapters[model]?.parameters ?? 0);
  return {
    axes: {
      seed: { values: seeds.map(({ seed }) => seed) },
      model: { values: ['frozen', ...adapters] },
      form: { values: [...forms] },
      angle: { values: angles.map(Number), unit: '°' },
    },
    measures: {
      accuracy: {
        axes: ['seed', 'model', 'form', 'angle'],
        unit: '%',
        definition: 'test images classified right, of all test images; the frozen base and models without gates have no hard form (NaN)',
        data: Float64Array.from(accuracy),
      },
      parameters: {
        axes: ['model'],
        unit: 'numbers',
        definition: 'numbers that were trained on top of the frozen base',
        data: Int32Array.from(parameters),
      },
    },
    facts: { analysis: 'dopamine', data, part: 'test', source: 'arXiv:2602.11726' },
    claims,
  };
}
