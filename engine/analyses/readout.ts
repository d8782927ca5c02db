/**
 * The last hidden layer's share in the logits, exact: unit j adds out_j·W[j, k] to logit k, and those of all units with the bias are the logit.
 *
 * W is the model's own; what is left where every unit gives 0 is the bias, whatever an adapter has made of it. That nothing is missing is
 * measured on every image, not assumed.
 */
import type { Executor } from '../execute/executor.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import { feedsOf, Forward, type Form } from './forward.ts';

export class Readout implements Disposable {
  readonly units: number;
  readonly logits: number;
  /** [units, logits] */
  readonly weight: Float32Array;
  /** [logits] */
  readonly bias: Float32Array;
  /** Images of each class. */
  readonly ofClass: Int32Array;
  /** max |Σ_j out_j·W[j, k] + bias_k − logit_k| so far, added up in double precision. */
  largestError = 0;
  readonly #forward: Forward;
  /** Of outputs [classes, units] and of logits [classes, logits], over the images. */
  readonly #outputs: Float64Array;
  readonly #totals: Float64Array;

  constructor(executor: Executor, model: ClassifierModel, form: Form, set: ImageSet, angle: number) {
    const last = model.widths.length - 2;
    [this.units, this.logits] = [model.widths[last], model.widths[last + 1]];
    this.weight = feedsOf(model, form)[`layers.${last}.weight`].data as Float32Array;
    const silent = { data: new Float32Array(this.units), shape: [1, this.units] };
    using alone = new Forward(executor, model, form, ({ logits, layers }) => ({
      outputs: { logits },
      cuts: { out: layers[last - 1].out },
    }));
    this.bias = alone.run(set, 0, 1, angle, { out: silent }).logits.data as Float32Array;
    this.#forward = new Forward(executor, model, form, ({ logits, layers }) => ({ outputs: { logits, out: layers[last - 1].out } }));
    this.ofClass = new Int32Array(set.classes.length);
    this.#outputs = new Float64Array(set.classes.length * this.units);
    this.#totals = new Float64Array(set.classes.length * this.logits);
  }

  /** Adds images [begin, end) of a set turned by `angle`. */
  add(set: ImageSet, begin: number, end: number, angle: number): void {
    const { logits, out } = this.#forward.run(set, begin, end, angle);
    for (let row = 0; row < end - begin; row++) {
      const label = set.labels[begin + row];
      this.ofClass[label] += 1;
      for (let unit = 0; unit < this.units; unit++) this.#outputs[label * this.units + unit] += out.data[row * this.units + unit];
      for (let k = 0; k < this.logits; k++) {
        const logit = logits.data[row * this.logits + k];
        this.#totals[label * this.logits + k] += logit;
        let total = this.bias[k];
        for (let unit = 0; unit < this.units; unit++) total += out.data[row * this.units + unit] * this.weight[unit * this.logits + k];
        this.largestError = Math.max(this.largestError, Math.abs(total - logit));
      }
    }
  }

  /** mean(out_j)·W[j, k] over the images of each class: [classes, units, logits]. NaN for a class without images. */
  get byClass(): Float64Array {
    return this.#times(meanOf(this.#outputs, this.ofClass));
  }

  /** The same over all images: [units, logits]. */
  get overall(): Float64Array {
    return this.#times(meanOf(overClasses(this.#outputs, this.units), [this.ofClass.reduce((a, b) => a + b, 0)]));
  }

  /** Mean logits of each class: [classes, logits]. */
  get logitsByClass(): Float64Array {
    return meanOf(this.#totals, this.ofClass);
  }

  [Symbol.dispose](): void {
    this.#forward[Symbol.dispose]();
  }

  #times(outputs: Float64Array): Float64Array {
    const { units, logits, weight } = this;
    return Float64Array.from(
      { length: outputs.length * logits },
      (_entry, i) => outputs[Math.floor(i / logits)] * weight[i % (units * logits)],
    );
  }
}

/** Sums [groups, n] divided by how many each is of. */
function meanOf(sums: Float64Array, counts: ArrayLike<number>): Float64Array {
  const n = sums.length / counts.length;
  return sums.map((sum, i) => sum / counts[Math.floor(i / n)]);
}

/** [classes, n] added up: [n]. */
function overClasses(sums: Float64Array, n: number): Float64Array {
  const total = new Float64Array(n);
  sums.forEach((sum, i) => (total[i % n] += sum));
  return total;
}
