/**
 * A forward pass in two halves, for models that change while images stay: what changing parameters cannot reach is computed once for the images,
 * the rest as often as it is asked for. Where the base is frozen, its first product is most of the work.
 *
 * As with tables of a training (training/frozenPrefix.ts), only products are kept: what is made of them is as cheap as reading it.
 */
import type { Executable, Executor, Feeds, Results } from '../execute/executor.ts';
import { program, sliceAfter, type Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { gateParameter } from '../models/adapters/gated.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import { CHUNK, feedsOf, ROWS, rowFeeds, tapped, type Form, type Outputs, type Taps } from './forward.ts';

/** Images whose first half is there. */
export interface Prepared {
  readonly set: ImageSet;
  /** Degrees they are turned by. */
  readonly angle: number;
  /** Of each chunk, what its second half reads. */
  readonly chunks: readonly { readonly begin: number; readonly end: number; readonly kept: Feeds }[];
}

export class SplitForward implements Disposable {
  readonly form: Form;
  readonly #first: Executable | undefined;
  readonly #second: Executable;
  readonly #inputs: { readonly first: readonly string[]; readonly second: readonly string[] };

  /** @param model any of those that will be run: they differ in what an adapter, or where there is none the base, has, and in nothing else */
  constructor(executor: Executor, model: ClassifierModel, form: Form, build: (taps: Taps) => Outputs) {
    this.form = form;
    const taps = tapped(model, form);
    const { outputs } = build(taps);
    const changing = changingIn(model, form).flatMap((name): [string, Value][] => {
      const value = taps.graph.inputs.get(name);
      return value ? [[name, value]] : [];
    });
    const worth = (value: Value) => value.node?.operation.name === 'matmul' && value.shape[0] === ROWS;
    const { after, frontier } = sliceAfter(outputs, Object.fromEntries(changing), (value) => !worth(value));
    const before: Program | undefined = frontier.size > 0 ? program(Object.fromEntries(frontier)) : undefined;
    this.#inputs = { first: [...(before?.inputs.keys() ?? [])], second: [...after.inputs.keys()] };
    this.#first = before && executor.compile(before);
    this.#second = executor.compile(after);
  }

  /** @param breathe called after every run */
  async prepare(model: ClassifierModel, set: ImageSet, angle: number, breathe: () => Promise<void>): Promise<Prepared> {
    const fixed = feedsOf(model, this.form);
    const chunks: { begin: number; end: number; kept: Feeds }[] = [];
    for (let begin = 0; begin < set.count; begin += CHUNK) {
      const end = Math.min(set.count, begin + CHUNK);
      const feeds = { ...fixed, ...rowFeeds(model, set, begin, end, angle) };
      chunks.push({ begin, end, kept: this.#first ? this.#first.run(named(this.#inputs.first, feeds)) : {} });
      await breathe();
    }
    return { set, angle, chunks };
  }

  /** The model on the chunks of prepared images, in order. */
  *run(model: ClassifierModel, { set, angle, chunks }: Prepared): Generator<{ begin: number; end: number; results: Results }, void, void> {
    const fixed = feedsOf(model, this.form);
    for (const { begin, end, kept } of chunks) {
      const feeds = { ...fixed, ...rowFeeds(model, set, begin, end, angle), ...kept };
      yield { begin, end, results: this.#second.run(named(this.#inputs.second, feeds)) };
    }
  }

  [Symbol.dispose](): void {
    this.#first?.dispose();
    this.#second.dispose();
  }
}

/** Inputs that differ from model to model: what the adapter has, and its temperatures; of a foundation, or where the base is trained, all. */
function changingIn({ base, adapter }: ClassifierModel, form: Form): string[] {
  if (form === 'base' || !adapter || adapterOf(adapter.id).trains === 'base') return Object.keys(base);
  return [...Object.keys(adapter.parameters), ...adapter.temperature.map((_value, layer) => gateParameter(layer, 'temperature'))];
}

const named = (names: readonly string[], feeds: Feeds): Feeds => Object.fromEntries(names.map((name) => [name, feeds[name]]));
