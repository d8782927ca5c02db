/** Random sizes and inputs for the cases of operations: drawn by fast-check, so that a failure shrinks to the smallest shapes that show it. */
import fc from 'fast-check';
import type { Random } from '../../base/random.ts';
import { evaluateShape, symbol, type Dimension, type Shape } from '../../graph/dimension.ts';
import type { TensorData } from '../../graph/program.ts';
import type { DType } from '../../graph/value.ts';

/** Where an input's numbers come from. Those of a domain keep clear of kinks by more than the finite differences move (0.05). */
export type Domain =
  | 'any' // [-2, 2]
  | 'positive' // [0.6, 2]
  | 'nonzero' // ±[0.3, 2]
  | 'fractional' // whole numbers plus [0.2, 0.8]
  | { readonly grid: number } // different multiples of 0.5, plus an offset: no two of one tensor tie, nor of two with offsets 0.25 apart
  | 'bool'
  | { readonly below: Dimension } // int32 in [0, below)
  | 'integers'; // int32 in [-5, 5]

export interface InputSpec {
  readonly shape: Shape;
  readonly domain: Domain;
}

export const dtypeOfDomain = (domain: Domain): DType =>
  domain === 'bool' ? 'bool' : domain === 'integers' || (typeof domain === 'object' && 'below' in domain) ? 'int32' : 'float32';

/** What fast-check draws: three sizes, which of them are symbols, and how operands differ from the common shape. */
export interface Drawn {
  readonly sizes: readonly number[];
  readonly symbolic: readonly boolean[];
  readonly rank: number;
  readonly drops: readonly number[];
  readonly ones: readonly (readonly boolean[])[];
  readonly pick: number;
  readonly seed: number;
}

const three = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 3, maxLength: 3 });

export const drawn: fc.Arbitrary<Drawn> = fc.record({
  sizes: three(fc.integer({ min: 1, max: 4 })),
  symbolic: three(fc.boolean()),
  rank: fc.integer({ min: 0, max: 3 }),
  drops: three(fc.integer({ min: 0, max: 3 })),
  ones: three(three(fc.boolean())),
  pick: fc.nat(1000),
  seed: fc.nat(),
});

export class Drawing {
  readonly drawn: Drawn;
  readonly bindings: ReadonlyMap<string, number>;

  constructor(drawn: Drawn) {
    this.drawn = drawn;
    this.bindings = new Map([...drawn.sizes, 3].map((size, i) => [`n${i}`, size]));
  }

  /** Size i, as a symbol where it was drawn so. */
  dimension(i: number): Dimension {
    return this.drawn.symbolic[i] ? symbol(`n${i}`) : this.drawn.sizes[i];
  }

  /** Size i as a number. */
  size(i: number): number {
    return this.drawn.sizes[i];
  }

  /** [.., n1, n2], of the rank drawn. */
  get common(): Dimension[] {
    return [0, 1, 2].slice(3 - this.drawn.rank).map((i) => this.dimension(i));
  }

  /** {@link common} with leading axes dropped and others set to 1, differently for each operand. */
  operand(j: number): Dimension[] {
    const axes = this.common.map((dimension, i) => (this.drawn.ones[j][i] ? 1 : dimension));
    return axes.slice(Math.min(this.drawn.drops[j], axes.length));
  }

  /** An element of `choices`. */
  choose<T>(choices: readonly T[], salt = 0): T {
    return choices[(this.drawn.pick + salt * 7) % choices.length];
  }

  /** Random data for an input. */
  data({ shape, domain }: InputSpec, random: Random): TensorData {
    const sizes = evaluateShape(shape, this.bindings);
    const length = sizes.reduce((a, b) => a * b, 1);
    const between = (low: number, high: number) => low + (high - low) * random.uniform();
    const fill = (draw: (i: number) => number) => ({ data: Float32Array.from({ length }, (_entry, i) => draw(i)), shape: sizes });
    if (typeof domain === 'object' && 'grid' in domain) {
      const places = random.permutation(length);
      return fill((i) => (places[i] - Math.floor(length / 2)) * 0.5 + domain.grid);
    }
    if (typeof domain === 'object') {
      const [below] = evaluateShape([domain.below], this.bindings);
      return { data: Int32Array.from({ length }, () => random.integer(below)), shape: sizes };
    }
    switch (domain) {
      case 'any':
        return fill(() => between(-2, 2));
      case 'positive':
        return fill(() => between(0.6, 2));
      case 'nonzero':
        return fill(() => between(0.3, 2) * (random.integer(2) * 2 - 1));
      case 'fractional':
        return fill(() => random.integer(5) - 2 + between(0.2, 0.8));
      case 'bool':
        return { data: Uint8Array.from({ length }, () => random.integer(2)), shape: sizes };
      case 'integers':
        return { data: Int32Array.from({ length }, () => random.integer(11) - 5), shape: sizes };
      default:
        return domain satisfies never;
    }
  }
}
