/**
 * What a gate is: logits → soft decision at a temperature → hard decision, with an estimator for the gradient of the hard one.
 *
 * A family says what its units are, what parameters it has, how logits come about and how a decision acts; everything gates share
 * (sites, estimators, annealing, hardening, the soft–hard gap) is done once, here and in anneal.ts. What a family promises is data, and
 * a test over the registry holds every family to it.
 */
import { UserError } from '../base/errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { absoluteValue, site, straightThrough } from '../ops/index.ts';

/** What one gate opens or closes. */
export type Unit = 'neuron' | 'rank' | 'weight' | 'channel' | 'head' | 'expert' | 'position' | 'exit' | 'state';

/** `soft` computes with the probabilities; `hard` with decisions in {0, 1}. */
export type GateForm = 'soft' | 'hard';

/** How a gradient passes a hard decision: not at all, or as if it were the soft one. */
export type Estimator = 'none' | 'straight-through';

export interface GatePromises {
  /** Soft decisions lie in here. */
  readonly range: readonly [number, number];
  /** The soft decision never falls as the logit grows. */
  readonly monotone: boolean;
  /** A closed hard gate gives exactly 0, so that removing the unit changes nothing. */
  readonly exactZeros: boolean;
  /** The soft decision goes to the hard one as the temperature goes to 0 (but at a logit of 0). */
  readonly hardLimit: boolean;
  /** How many gates are open for each input, where that is fixed. */
  readonly cardinality?: number;
}

/** The gates of one layer: parameters by their short names (`threshold`), shaped for `width` units. */
export type GateParameters = Readonly<Record<string, Value>>;

export interface GateParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where it begins. */
  readonly value: number;
}

export interface GateFamily {
  readonly id: string;
  /** Where it comes from. */
  readonly source: string;
  readonly unit: Unit;
  /** What it gates: a layer's activation, or what goes into the nonlinearity, whose place it then takes. */
  readonly input: 'activation' | 'pre-activation';
  /** Whether decisions depend on the input, or only on parameters. */
  readonly inputDependent: boolean;
  readonly promises: GatePromises;
  /** Short names, shapes and beginnings of the parameters for `width` units. */
  parameters(width: number): readonly GateParameter[];
  /** Positive where the gate is open: [rows, width]. */
  logits(parameters: GateParameters, x: Value): Value;
  /** Decision in {@link GatePromises.range} at a temperature > 0 (a scalar). */
  soft(logits: Value, temperature: Value): Value;
  /** Decision in {0, 1}. */
  hard(logits: Value): Value;
  /** What the units give under a decision: [rows, width]. */
  apply(parameters: GateParameters, x: Value, decision: Value): Value;
  /** How open the gates are, per row: [rows]; the sparsity penalty is its mean over rows. */
  openness(x: Value, soft: Value): Value;
}

export interface GateSettings {
  /** Scalar; an input of the graph, so that annealing compiles nothing anew. */
  readonly temperature: Value;
  readonly form?: GateForm;
  readonly estimator?: Estimator;
}

export interface Gated {
  readonly output: Value;
  readonly logits: Value;
  readonly probability: Value;
  readonly decision: Value;
  /** Penalty per row, [rows]. */
  readonly openness: Value;
}

/**
 * Gates x [rows, width]: marks the sites `gate.hook_logit`, `hook_prob`, `hook_decision`, `hook_margin` (|logit|: how far from changing
 * its mind) and `hook_out`.
 */
export function gate(
  family: GateFamily,
  parameters: GateParameters,
  x: Value,
  { temperature, form = 'soft', estimator = 'straight-through' }: GateSettings,
): Gated {
  return x.graph.within('gate', () => {
    const logits = site('hook_logit', family.logits(parameters, x));
    const probability = site('hook_prob', family.soft(logits, temperature));
    site('hook_margin', absoluteValue(logits));
    const decision = site(
      'hook_decision',
      form === 'soft' ? probability : estimator === 'none' ? family.hard(logits) : straightThrough(family.hard(logits), probability),
    );
    const output = site('hook_out', family.apply(parameters, x, decision));
    return { output, logits, probability, decision, openness: family.openness(x, probability) };
  });
}

/** The temperature as an input named `temperature`. */
export function temperatureInput(graph: Graph): Value {
  return graph.inputs.get('temperature') ?? graph.input('temperature', []);
}

export function checkTemperature(temperature: number): void {
  const single = Math.fround(temperature); // a float32 in the graph, where it must be neither 0 nor infinite
  if (!(Number.isFinite(single) && single > 0)) throw new UserError('gate: temperature', 'must be a number > 0', temperature);
}
