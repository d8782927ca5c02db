/**
 * What is trained on a frozen base: gates, low-rank additions, or the base itself.
 *
 * An adapter adds parameters and acts through the base model's hooks. With its parameters removed the base is what it was, bit for bit.
 */
import type { GateForm } from '../../gates/gate.ts';
import type { Value } from '../../graph/value.ts';
import type { MlpConfig, MlpHooks } from '../mlp.ts';
import type { Parameters, ParameterSpec } from '../parameters.ts';

export interface AdapterContext {
  readonly parameters: Parameters;
  /** Scalar; only gated adapters read it. */
  readonly temperature: Value;
  readonly form: GateForm;
}

export interface AdaptedHooks extends MlpHooks {
  /** Penalties per row gathered while the model was built, [rows] each. */
  readonly penalties?: Value[];
}

export interface Adapter {
  /** `dopamine`, `lora-r4`, `full`. */
  readonly id: string;
  /** Whether it has a hard form beside the soft one. */
  readonly gated: boolean;
  /** `own`: the base stays frozen. `base`: its parameters are trained themselves. */
  readonly trains: 'own' | 'base';
  /** Parameters added to the model. */
  parameters(config: MlpConfig): ParameterSpec[];
  hooks(config: MlpConfig, context: AdapterContext): AdaptedHooks;
}
