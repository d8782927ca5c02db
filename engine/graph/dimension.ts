/**
 * Dimensions: whole numbers, or polynomials over named symbols (`rows`, `positions`, `past + positions`, `positions·rows`).
 *
 * A graph is built once and run for any number of rows and positions, so shapes are checked symbolically. Symbolic dimensions are
 * interned: equal ones are the same object and `===` compares them.
 */
import { UserError } from '../base/errors.ts';

export type Dimension = number | Symbolic;
export type Shape = readonly Dimension[];

/** What the symbols of a graph stand for in one run. */
export type Bindings = ReadonlyMap<string, number>;

interface Term {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

/** A polynomial with whole coefficients; make one with {@link symbol}, {@link plus}, {@link minus} and {@link times}. */
export class Symbolic {
  readonly terms: readonly Term[];
  readonly text: string;

  constructor(terms: readonly Term[], text: string) {
    this.terms = terms;
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

const interned = new Map<string, Symbolic>();

function termText({ coefficient, symbols }: Term): string {
  if (symbols.length === 0) return String(coefficient);
  return (coefficient === 1 ? '' : `${coefficient}·`) + symbols.join('·');
}

/** Collects like terms, drops zeros, orders what is left and returns the one object that stands for it. */
function intern(terms: readonly Term[]): Dimension {
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const key = term.symbols.join('·');
    sums.set(key, { coefficient: (sums.get(key)?.coefficient ?? 0) + term.coefficient, symbols: term.symbols });
  }
  const kept = [...sums.entries()].filter(([, term]) => term.coefficient !== 0).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0][1].symbols.length === 0) return kept[0][1].coefficient;
  const ordered = kept.map(([, term]) => term);
  const text = ordered.map(termText).join(' + ');
  let found = interned.get(text);
  if (!found) interned.set(text, (found = new Symbolic(ordered, text)));
  return found;
}

/** The dimension named `name`, e.g. `rows`. */
export function symbol(name: string): Symbolic {
  if (!/^[a-z][a-z0-9_]*$/i.test(name)) throw new UserError('symbol: name', 'must be a word of letters, digits and _', name);
  return intern([{ coefficient: 1, symbols: [name] }]) as Symbolic;
}

const termsOf = (d: Dimension): readonly Term[] => (typeof d === 'number' ? [{ coefficient: d, symbols: [] }] : d.terms);

export function plus(a: Dimension, b: Dimension): Dimension {
  return typeof a === 'number' && typeof b === 'number' ? a + b : intern([...termsOf(a), ...termsOf(b)]);
}

export function minus(a: Dimension, b: Dimension): Dimension {
  return plus(a, times(-1, b));
}

export function times(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return intern(
    termsOf(a).flatMap((s) =>
      termsOf(b).map((t) => ({ coefficient: s.coefficient * t.coefficient, symbols: [...s.symbols, ...t.symbols].sort() })),
    ),
  );
}

/** The number of elements of a shape. */
export function elements(shape: Shape): Dimension {
  return shape.reduce<Dimension>(times, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dimension) => typeof dimension === 'number');
}

export function symbolsOf(dimension: Dimension): string[] {
  return typeof dimension === 'number' ? [] : [...new Set(dimension.terms.flatMap((term) => term.symbols))];
}

/** The number a dimension stands for under `bindings`. */
export function evaluate(dimension: Dimension, bindings: Bindings): number {
  if (typeof dimension === 'number') return dimension;
  let sum = 0;
  for (const { coefficient, symbols } of dimension.terms) {
    let product = coefficient;
    for (const name of symbols) {
      const value = bindings.get(name);
      if (value === undefined) throw new UserError('dimension: symbol', 'must be bound by the shape of an input', name);
      product *= value;
    }
    sum += product;
  }
  return sum;
}

export function evaluateShape(shape: Shape, bindings: Bindings): number[] {
  return shape.map((dimension) => evaluate(dimension, bindings));
}

/** `[rows, 256]` */
export function shapeText(shape: Shape): string {
  return `[${shape.map(String).join(', ')}]`;
}
