/** The suites: what each one is made of, what one unit of its work is, and how much of it a round holds. */
import type { TransformerConfig as EngineConfig } from '../engine/models/transformer.ts';

export type SuiteName =
  | 'mlp-step'
  | 'transformer-step'
  | 'toy-mlp'
  | 'toy-transformer'
  | 'dopamine'
  | 'first-screen'
  | 'second-screen'
  | 'head-positions'
  | 'units';

export interface MlpConfig {
  kind: 'mlp';
  /** Input, hidden … and output widths; ReLU between, softmax cross-entropy at the end. */
  widths: number[];
  batch: number;
  /** Step i uses batch i mod this. */
  batches: number;
  learningRate: number;
}

export interface TransformerConfig {
  kind: 'transformer';
  vocabulary: number;
  positions: number;
  width: number;
  heads: number;
  layers: number;
  mlp: number;
  /** Training suites only. */
  batch?: number;
  batches?: number;
  learningRate?: number;
  /** Sweeps and screens only. */
  pairs?: number;
  /** Clean and counterfactual prompts are alike before this position, and differ there; they differ anywhere unless given. */
  divergence?: number;
  /** Positions of the prompts, where they are shorter than the model allows. */
  length?: number;
  /** What else the model is, beyond its sizes: fields of the engine's config. */
  options?: Partial<EngineConfig>;
  /** Screens by the planned runner: of heads at the last position, begun anew or on prompts that were screened before, or at every position. */
  screen?: 'first' | 'second' | 'positions';
}

export interface DopamineConfig {
  kind: 'dopamine';
  widths: number[];
  batch: number;
  angle: number;
  seed: number;
  /** Folder of the four idx files. */
  data: string;
}

/** Every hidden unit of a gated MLP, swapped between two sets of inputs in both directions. */
export interface UnitsConfig {
  kind: 'units';
  widths: number[];
  /** Rows of either set. */
  images: number;
  /** Of the gates: out = gain · σ((a − threshold)/temperature) · a with a = relu(x W + b). */
  temperature: number;
  /** The figures to agree on are of every so-manieth image. */
  every: number;
}

export type SuiteConfig = MlpConfig | TransformerConfig | DopamineConfig | UnitsConfig;

export interface Rival {
  /** As printed in `rival`. */
  name: string;
  arguments: string[];
  /** false: reported beside, not judged. */
  judged: boolean;
}

export interface Suite {
  name: SuiteName;
  config: SuiteConfig;
  script: string;
  rivals: Rival[];
  /** Whether Adam's foreach is one of the rival's settings. */
  foreach: boolean;
  /** What makes a round short enough to try settings by it, where a whole one is too long. */
  trial?: string[];
  /** N of `{"round":N}`: steps, sweeps or protocols. */
  work: number;
  /** What `oursMs` and `rivalMs` are milliseconds of. */
  unit: 'step' | 'sweep' | 'protocol';
  rounds: number;
}

const torch: Rival[] = [{ name: 'torch-1.13', arguments: [], judged: true }];
/** Rivals of a screen of heads (sweep.py). */
export const screenRivals = {
  /** One hooked forward a cell. */
  hooks: { name: 'torch-1.13 hooks', arguments: ['--variant', 'natural'] },
  lastLogits: { name: 'torch-1.13 hooks, last logits', arguments: ['--variant', 'last-logits'] },
  /** Many cells stacked in one forward. */
  batched: { name: 'torch-1.13 batched', arguments: ['--variant', 'batched'] },
  /** One cell at a time, from its layer and its position on. */
  prefix: { name: 'torch-1.13 layer skip, shared prefix', arguments: ['--variant', 'prefix'] },
  /** What can be had by hand. */
  suffix: { name: 'torch-1.13 causal suffix', arguments: ['--variant', 'suffix'] },
};
const judged = (rival: Omit<Rival, 'judged'>): Rival => ({ ...rival, judged: true });
const beside = (rival: Omit<Rival, 'judged'>): Rival => ({ ...rival, judged: false });
/** Every so-manieth cell is enough to choose threads by. */
const FEW_CELLS = ['--cells', '16'];
const small = { vocabulary: 64, positions: 32, width: 128, heads: 4, layers: 4, mlp: 512 };

/** MNIST's folder comes from outside: it is the only thing here that depends on where the checkout is. */
export function suites(data: string): Suite[] {
  const { hooks, lastLogits, batched, prefix, suffix } = screenRivals;
  const training = { batches: 8, learningRate: 1e-3 };
  const step = { script: 'steps.py', rivals: torch, foreach: true, unit: 'step' } as const;
  return [
    { ...step, name: 'mlp-step', config: { kind: 'mlp', widths: [784, 256, 128, 10], batch: 128, ...training }, work: 300, rounds: 21 },
    { ...step, name: 'transformer-step', config: { kind: 'transformer', ...small, batch: 32, ...training }, work: 8, rounds: 21 },
    { ...step, name: 'toy-mlp', config: { kind: 'mlp', widths: [16, 32, 32, 8], batch: 16, ...training }, work: 1500, rounds: 21 },
    {
      ...step,
      name: 'toy-transformer',
      config: { kind: 'transformer', vocabulary: 64, positions: 8, width: 32, heads: 4, layers: 2, mlp: 128, batch: 16, ...training },
      work: 200,
      rounds: 21,
    },
    {
      name: 'dopamine',
      config: { kind: 'dopamine', widths: [784, 256, 128, 10], batch: 128, angle: 45, seed: 0, data },
      script: 'dopamine.py',
      rivals: torch,
      foreach: true,
      trial: ['--trial'],
      work: 1,
      unit: 'protocol',
      rounds: 7,
    },
    ...(['first', 'second'] as const).map((screen): Suite => ({
      name: `${screen}-screen`,
      config: { kind: 'transformer', ...small, pairs: 64, screen },
      script: 'sweep.py',
      rivals: {
        first: [judged(hooks), judged(suffix), beside(lastLogits), beside(batched), beside(prefix)],
        second: [judged(hooks), beside(suffix)],
      }[screen],
      foreach: false,
      work: 4,
      unit: 'sweep',
      rounds: 9,
    })),
    {
      name: 'head-positions',
      config: { kind: 'transformer', ...small, pairs: 64, divergence: small.positions / 2, screen: 'positions' },
      script: 'sweep.py',
      rivals: [judged(hooks), beside(batched), beside(prefix), beside(suffix)],
      foreach: false,
      trial: FEW_CELLS,
      work: 1,
      unit: 'sweep',
      rounds: 3,
    },
    {
      name: 'units',
      config: { kind: 'units', widths: [784, 256, 128, 10], images: 2000, temperature: 0.1, every: 40 },
      script: 'units.py',
      rivals: [
        { name: 'torch-1.13 hooks', arguments: ['--variant', 'natural'], judged: true },
        { name: 'torch-1.13, from the unit on', arguments: ['--variant', 'suffix'], judged: false },
      ],
      foreach: false,
      work: 1,
      unit: 'sweep',
      rounds: 7,
    },
  ];
}
