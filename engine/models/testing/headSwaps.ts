/**
 * Interchange the slow and plain way, for tests: the whole graph once for each set of heads, whose z is put in place of the model's own. Shares
 * nothing with the intervention engine but the model.
 */
import type { Executable, Executor, Feeds } from '../../execute/executor.ts';
import { Graph } from '../../graph/graph.ts';
import { program, type TensorData } from '../../graph/program.ts';
import { substitute } from '../../graph/rebuild.ts';
import type { Value } from '../../graph/value.ts';
import { add, greater, reshape, where } from '../../ops/index.ts';
import { symbol } from '../../graph/dimension.ts';
import { parameterInputs, type Tensors } from '../parameters.ts';
import { blockSite, headOutput } from '../sites.ts';
import { causalMask, settled, transformer, transformerInputs, transformerParameters, type TransformerConfig } from '../transformer.ts';

export type Head = readonly [layer: number, head: number];

export interface Prompts {
  /** int32 [rows, length] */
  readonly tokens: Int32Array;
  readonly length: number;
  readonly roles?: Int32Array;
}

/** A run of some prompts: logits at every position, and z of every layer. */
export interface Run {
  readonly logits: Float32Array;
  /** By layer, [rows, positions, heads, headWidth]. */
  readonly z: readonly Float32Array[];
  /** By layer, [rows, positions, width]: the residual that enters it, and last what leaves the last one. */
  readonly residual: readonly Float32Array[];
}

/** What is changed: heads that take z from `donor` at `positions` (all unless given); what is added to the residual that enters a layer. */
export interface Change {
  readonly swap?: { readonly heads: readonly Head[]; readonly donor: Pick<Run, 'z'>; readonly positions?: readonly number[] };
  /** [rows, positions, width], added to the residual before `layer`. */
  readonly addition?: { readonly layer: number; readonly values: Float32Array };
}

export class HeadSwaps implements Disposable {
  readonly #config: TransformerConfig;
  readonly #parameters: Feeds;
  readonly #executable: Executable;

  constructor(executor: Executor, config: TransformerConfig, parameters: Tensors) {
    this.#config = config;
    const specs = transformerParameters(config);
    this.#parameters = Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }]));
    const graph = new Graph();
    const [rows, positions] = [symbol('rows'), symbol('positions')];
    const logits = transformer(config, parameterInputs(graph, specs), transformerInputs(config, graph, rows, positions));
    const { layers, heads, headWidth, width } = settled(config);
    const at = (layer: number) => graph.sites.get(headOutput(layer))!;
    const layersOf = Array.from({ length: layers }, (_, layer) => layer);
    let outputs: Value[] = [
      logits,
      ...layersOf.map(at),
      ...layersOf.map((layer) => graph.sites.get(blockSite(layer, 'hook_resid_pre'))!),
      graph.sites.get(blockSite(layers - 1, 'hook_resid_post'))!,
    ];
    // From the last layer to the first: each is then rebuilt on what is done before it.
    for (const layer of layersOf.reverse()) {
      const z = at(layer);
      const chosen = reshape(graph.input(`chosen.${layer}`, [positions, heads]), [positions, heads, 1]);
      const swapped = where(greater(chosen, 0.5), graph.input(`donor.${layer}`, [rows, positions, heads, headWidth]), z);
      outputs = substitute(outputs, new Map([[z, swapped]]));
      const entering = graph.sites.get(blockSite(layer, 'hook_resid_pre'))!;
      const added = add(entering, graph.input(`addition.${layer}`, [rows, positions, width]));
      outputs = substitute(outputs, new Map([[entering, added]]));
    }
    const named: Record<string, Value> = { logits: outputs[0] };
    layersOf.reverse().forEach((layer) => (named[`z.${layer}`] = outputs[1 + layer]));
    for (let layer = 0; layer <= layers; layer++) named[`residual.${layer}`] = outputs[1 + layers + layer];
    this.#executable = executor.compile(program(named));
  }

  run({ tokens, length, roles }: Prompts, { swap, addition }: Change = {}): Run {
    const { layers, heads, headWidth, width } = settled(this.#config);
    const rows = tokens.length / length;
    const feeds: Record<string, TensorData> = {
      ...this.#parameters,
      tokens: { data: tokens, shape: [rows, length] },
      positions: { data: Int32Array.from({ length }, (_, i) => i), shape: [length] },
      mask: { data: causalMask(length), shape: [length, length] },
      ...(this.#config.roles && roles && { roles: { data: roles, shape: [length] } }),
    };
    for (let layer = 0; layer < layers; layer++) {
      const chosen = new Float32Array(length * heads);
      for (const [of, head] of swap?.heads ?? [])
        if (of === layer)
          for (let position = 0; position < length; position++)
            chosen[position * heads + head] = Number(swap?.positions?.includes(position) ?? true);
      const donor = swap?.donor.z[layer] ?? new Float32Array(rows * length * heads * headWidth);
      const values = addition?.layer === layer ? addition.values : new Float32Array(rows * length * width);
      feeds[`chosen.${layer}`] = { data: chosen, shape: [length, heads] };
      feeds[`donor.${layer}`] = { data: donor, shape: [rows, length, heads, headWidth] };
      feeds[`addition.${layer}`] = { data: values, shape: [rows, length, width] };
    }
    const results = this.#executable.run(feeds);
    const of = (name: string) => results[name].data as Float32Array;
    return {
      logits: of('logits'),
      z: Array.from({ length: layers }, (_, layer) => of(`z.${layer}`)),
      residual: Array.from({ length: layers + 1 }, (_, layer) => of(`residual.${layer}`)),
    };
  }

  [Symbol.dispose](): void {
    this.#executable.dispose();
  }
}
