/**
 * What is trained on a frozen base: gates, gains, biases, low-rank additions, or the base itself.
 *
 * An adapter adds parameters and acts through the base model's hooks. With its parameters removed the base is what it was, bit for bit.
 */
import type { GateFamily, GateForm } from '../../gates/gate.ts';
import type { Value } from '../../graph/value.ts';
import type { MlpConfig, MlpHooks } from '../mlp.ts';
import type { Parameters, ParameterSpec } from '../parameters.ts';

export interface AdapterContext {
  readonly parameters: Parameters;
  /** Scalar, of a hidden layer; only gated adapters read it. */
  readonly temperature: (layer: number) => Value;
  /** `training`: soft, or what stands for it where a hard decision is trained straight through. */
  readonly form: GateForm | 'training';
  /** Which mode each row is in, float32 [rows, modes] with a single 1; only context-conditioned adapters read it. */
  readonly modes?: Value;
}

export interface AdaptedHooks extends MlpHooks {
  /** Penalties per row gathered while the model was built, [rows] each. */
  readonly penalties?: Value[];
}

export interface Adapter {
  /** `dopamine`, `threshold+two-sided`, `lora-r4`, `full`. */
  readonly id: string;
  /** Whether it has a hard form beside the soft one. */
  readonly gated: boolean;
  /** What its gates are; absent where there are none. */
  readonly family?: GateFamily;
  /** Whether thresholds depend on the mode a row is in, so that one adapter holds several. */
  readonly contextual: boolean;
  /** `own`: the base stays frozen. `base`: its parameters are trained themselves. */
  readonly trains: 'own' | 'base';
  /** What is trained. @param modes how many a context-conditioned adapter holds */
  parameters(config: MlpConfig, modes?: number): ParameterSpec[];
  hooks(config: MlpConfig, context: AdapterContext): AdaptedHooks;
}

/** Hidden layers of an MLP: their index and their width. */
export const hiddenLayers = ({ widths }: MlpConfig): { layer: number; width: number }[] =>
  widths.slice(1, -1).map((width, layer) => ({ layer, width }));
