/**
 * The proof that branches may share one axis of positions (suffix.ts): other positions are read through the mask and in no other way.
 *
 * A suffix gives an operation other keys than the whole run does: those of the clean run and then a branch's own. That changes nothing only where
 * keys which the mask hides weigh exactly 0 and the sum over the others does not ask for their order. The one form known to be so is
 * softmax(q kᵀ + mask) v, where more may be hidden by tables looked up by what the query and the key are (their roles). It is recognised as
 * it is built; whatever else reads across positions is refused, right though it may be.
 */
import { symbolsOf, type Symbolic } from '../graph/dimension.ts';
import { constantData } from '../graph/graph.ts';
import type { Node, Value } from '../graph/value.ts';
import { CutRefusal } from './restrict.ts';

/**
 * How far a value [.., queries, keys] has come from products of queries and keys to weights; or what is added to scores on the way: `hiding`
 * is a table ≤ 0 looked up for each pair, `mask` the mask with such tables added, which hides what the mask hides.
 */
type Stage = 'scores' | 'masked' | 'weights' | 'hiding' | 'mask';

export class CausalReads {
  readonly #mask: Value;
  readonly #symbol: string;
  readonly #stages = new Map<Value, Stage | undefined>();

  /** @param mask what is added to scores [queries, keys] to hide keys @param positions the symbol of the axes that are cut */
  constructor(mask: Value, positions: Symbolic) {
    this.#mask = mask;
    [this.#symbol] = symbolsOf(positions);
  }

  /**
   * Throws unless part of `value`, along its positions axis `at`, may be computed from the same part of those inputs that run with it and from
   * keys of a branch after the clean ones, in place of the others.
   * @param axes the axis of each input of its node that runs with `at`; undefined for inputs that are needed whole
   */
  require(value: Value, at: number, axes: readonly (number | undefined)[]): void {
    const node = value.node!;
    const queries = value.rank - 2;
    if (this.carries(value, at)) {
      if (at === queries && this.#stage(value)) return;
    } else {
      if (node.inputs.every((input, i) => !this.carries(input, axes[i]))) return;
      if (at === queries && this.#weighs(node)) return;
    }
    throw new CutRefusal(
      `cut positions: ${node.label}`,
      'must read other positions only as softmax(q·kᵀ + mask)·v, with the mask of the suffix',
      `${node.operation.name} of ${node.inputs.map(String).join(' and ')}`,
    );
  }

  /** Whether a value has positions along an axis other than `at`. */
  carries(value: Value, at: number | undefined): boolean {
    return value.shape.some((dimension, axis) => axis !== at && symbolsOf(dimension).includes(this.#symbol));
  }

  #stage(value: Value): Stage | undefined {
    if (value === this.#mask) return 'mask';
    if (!this.#stages.has(value)) this.#stages.set(value, this.#findStage(value));
    return this.#stages.get(value);
  }

  #findStage({ node, rank }: Value): Stage | undefined {
    if (!node) return undefined;
    const { inputs, operation, attributes } = node;
    switch (operation.name) {
      case 'matmul': {
        // Each score is of one key: positions are the rows of q and the columns of the product, and nowhere else.
        const [q, k] = inputs;
        const keys = attributes.transposeB ? k.rank - 2 : k.rank - 1;
        const rows = attributes.transposeA ? q.rank - 1 : q.rank - 2;
        return inputs.length === 2 && !this.carries(q, rows) && !this.carries(k, keys) ? 'scores' : undefined;
      }
      case 'add': {
        const stages = inputs.map((input) => this.#stage(input));
        const scores = inputs[stages.indexOf('scores')] as Value | undefined;
        if (scores?.rank === rank && stages.includes('mask')) return 'masked';
        return stages.includes('mask') && stages.includes('hiding') ? 'mask' : undefined;
      }
      case 'gather': {
        // Each key is looked up by itself, in a row of the table that is the query's.
        const [table, keys] = inputs;
        const byKey = attributes.axis === rank - 1 && keys.rank === 1;
        return byKey && !this.carries(table, rank - 2) && neverPositive(table) ? 'hiding' : undefined;
      }
      case 'softmax':
        return this.#stage(inputs[0]) === 'masked' ? 'weights' : undefined;
      case 'site':
      case 'stopGradient':
        return this.#stage(inputs[0]);
      default:
        return undefined;
    }
  }

  /** Whether a node is weights × values, summed over keys. */
  #weighs({ inputs, operation, attributes }: Node): boolean {
    if (operation.name !== 'matmul' || attributes.transposeA || inputs.length !== 2) return false;
    const [weights, values] = inputs;
    return this.#stage(weights) === 'weights' && !this.carries(values, attributes.transposeB ? values.rank - 1 : values.rank - 2);
  }
}

/** Whether a value is a constant ≤ 0, or read from one: added to a mask, it unhides nothing. */
function neverPositive(value: Value): boolean {
  if (value.node) return value.node.operation.name === 'gather' && neverPositive(value.node.inputs[0]);
  if (value.uniform !== undefined) return value.uniform <= 0;
  return value.source.kind === 'constant' && constantData(value)!.every((entry) => entry <= 0);
}
