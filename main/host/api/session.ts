/** What the session that a window is attached to holds. */
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import { gateParameter } from '../../../engine/models/adapters/gated.ts';
import { hiddenLayers } from '../../../engine/models/adapters/adapter.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import type { HostWindow } from '../host.ts';
import type { HostApi, UnitVectors } from '../hostApi.ts';
import { attached } from './attached.ts';
import { digest, fields, method, nothing } from './method.ts';

export function sessionMethods(window: HostWindow): Pick<HostApi, 'snapshot' | 'findings' | 'series' | 'units'> {
  return {
    snapshot: method('snapshot', nothing, () => attached(window, 'snapshot').snapshot()),
    findings: method('findings', fields({ key: digest }), ({ key }) => attached(window, 'findings').session.result(key).findings),
    series: method('series', fields({ run: digest }), ({ run }) => attached(window, 'series').series(run)),
    units: method('units', fields({ model: digest }), ({ model }) =>
      unitVectors(attached(window, 'units').requests.model(model, 'units: model')),
    ),
  };
}

/** Unit by unit, layer by layer. @param model a foundation's units have no thresholds and gains: 0 and 1 */
export function unitVectors(model: ClassifierModel): UnitVectors {
  const layers: { label: string; begin: number; end: number }[] = [];
  const units: string[] = [];
  for (const { layer, width } of hiddenLayers(model)) {
    layers.push({ label: `L${layer}`, begin: units.length, end: units.length + width });
    for (let unit = 0; unit < width; unit++) units.push(`L${layer}U${unit}`);
  }
  const { adapter } = model;
  const threshold = new Float32Array(units.length);
  const gain = new Float32Array(units.length).fill(1);
  layers.forEach(({ begin, end }, layer) => {
    const own = (name: string): Float32Array | undefined => adapter?.parameters[gateParameter(layer, name)];
    threshold.set(own('threshold') ?? [], begin);
    gain.set(own('gain') ?? [], begin);
    // Of a context-conditioned gate: a threshold of its own for every mode, of which this is the first.
    own('context')
      ?.subarray(0, end - begin)
      .forEach((shift, unit) => (threshold[begin + unit] += shift));
  });
  return { units, layers, threshold, gain, contextual: adapter !== undefined && adapterOf(adapter.id).contextual };
}
