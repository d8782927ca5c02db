/**
 * A classifier as a Python module to read, change and go on from: plain PyTorch, its weights beside it in an npz file, nothing of ours needed.
 *
 * Only what the model has is written: no branch is there for what another adapter would do. Where the two files go is not its business.
 */
import { UserError } from '../base/errors.ts';
import { variants, type Variant } from '../gates/neuron.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { AdaptedPart, ClassifierModel } from '../models/classifier.ts';
import { mlpParameters } from '../models/mlp.ts';
import { dense, type DenseArray } from '../formats/denseArray.ts';

export interface PythonModel {
  /** Of the module. */
  readonly text: string;
  /** For the npz file of the same name: parameters by name, `layers.0.weight` [in, out]. */
  readonly arrays: Readonly<Record<string, DenseArray>>;
}

/** What is written into the docstring. */
export interface PythonNames {
  /** Of the module, without `.py`: a Python name. */
  readonly name: string;
  /** What the model is, in a line. */
  readonly title: string;
}

/** What an adapter puts into the forward pass. */
interface Pieces {
  /** Parameters of a layer: attribute and name in the file; `all` layers have it, or the hidden ones. */
  readonly parameters: readonly { attribute: string; name: string; all?: boolean; comment?: string }[];
  /** After `pre = …`, indented by the writer. */
  readonly linear?: readonly string[];
  /** In the place of `x = torch.relu(pre)`. */
  readonly hidden: readonly string[];
  readonly forms: readonly string[];
}

const RELU = 'x = torch.relu(pre)';

/** @throws UserError for an adapter that has no Python form, or a name that Python does not take */
export function pythonModel(model: ClassifierModel, { name, title }: PythonNames): PythonModel {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new UserError('model.py: name', 'must be a Python name, of letters, digits and _', name);
  const { widths, adapter } = model;
  const pieces = piecesOf(adapter);
  const contextual = adapter !== undefined && adapterOf(adapter.id).contextual;
  const gated = adapter !== undefined && adapterOf(adapter.id).gated;
  const layers = widths.length - 1;
  const lines = [
    `"""${documented(title)}`,
    '',
    `A multilayer perceptron of widths ${widths.join(', ')} with ReLU${adapter ? ` and the adapter ${adapter.id}` : ''}.`,
    `Needs PyTorch and NumPy; its weights are in ${name}.npz beside this file.`,
    '',
    `    from ${name} import Classifier`,
    `    logits = Classifier()(images)  # float32 [rows, ${widths[0]}] in [0, 1] -> [rows, ${widths.at(-1)}]`,
    '"""',
    '',
    'from pathlib import Path',
    '',
    'import numpy',
    'import torch',
    'from torch import nn',
    '',
    `LAYERS = ${layers}`,
    ...(gated
      ? ['# Of the gates, one for each hidden layer, as at the end of training.', `TEMPERATURES = [${adapter.temperature.join(', ')}]`]
      : []),
    ...(contextual ? ['# Degrees the images of each mode were turned by.', `MODES = [${adapter.angles.join(', ')}]`] : []),
    `FORMS = [${pieces.forms.map((form) => `"${form}"`).join(', ')}]`,
    '',
    '',
    'class Classifier(nn.Module):',
    '    def __init__(self, weights=Path(__file__).with_suffix(".npz")):',
    '        super().__init__()',
    '        arrays = numpy.load(weights)',
    '',
    '        def parameters(name, layers):',
    '            return nn.ParameterList([nn.Parameter(torch.from_numpy(arrays[f"layers.{i}.{name}"])) for i in range(layers)])',
    '',
    ...[
      { attribute: 'weight', name: 'weight', all: true, comment: '[in, out]' },
      { attribute: 'bias', name: 'bias', all: true },
      ...pieces.parameters,
    ].map(
      ({ attribute, name: stored, all = false, comment }) =>
        `        self.${attribute} = parameters("${stored}", ${all ? 'LAYERS' : 'LAYERS - 1'})${comment === undefined ? '' : `  # ${comment}`}`,
    ),
    '',
    `    def forward(self, images, form="soft"${contextual ? ', mode=0' : ''}):`,
    `        """${FORWARD[gated ? 'gated' : 'plain']}`,
    ...(contextual ? ['', '        mode: which of MODES, one number or an int64 tensor [rows].'] : []),
    '        """',
    '        if form not in FORMS:',
    '            raise ValueError(f"form must be one of {FORMS}, got {form!r}")',
    '        x = images',
    '        for i in range(LAYERS):',
    '            pre = x @ self.weight[i] + self.bias[i]',
    ...(pieces.linear ?? []).map((line) => `            ${line}`),
    '            if i == LAYERS - 1:',
    '                return pre',
    ...pieces.hidden.map((line) => `            ${line}`),
    '',
  ];
  return { text: lines.join('\n'), arrays: arraysOf(model) };
}

const FORWARD = {
  gated: 'Logits. form: "soft" as trained, "hard" with gates open or shut, "base" without the adapter.',
  plain: 'Logits. form: "soft" as trained, "base" without the adapter where it can be taken off.',
} as const;

function piecesOf(adapter: AdaptedPart | undefined): Pieces {
  if (!adapter) return { parameters: [], hidden: [RELU], forms: ['soft', 'base'] };
  const { id, family, contextual } = adapterOf(adapter.id);
  if (family) return gatePieces(family.id, contextual);
  if (id === 'full') return { parameters: [], hidden: [RELU], forms: ['soft'] };
  if (id === 'gain')
    return {
      parameters: [{ attribute: 'gain', name: 'gate.gain' }],
      hidden: [RELU, 'if form != "base":', '    x = self.gain[i] * x'],
      forms: ['soft', 'base'],
    };
  if (id === 'bias')
    return {
      parameters: [{ attribute: 'offset', name: 'bias.offset', all: true }],
      linear: ['if form != "base":', '    pre = pre + self.offset[i]'],
      hidden: [RELU],
      forms: ['soft', 'base'],
    };
  if (id.startsWith('lora-'))
    return {
      parameters: [
        { attribute: 'lora_a', name: 'lora.A', comment: '[in, rank]' },
        { attribute: 'lora_b', name: 'lora.B', comment: '[rank, out]' },
      ],
      linear: ['if form != "base" and i < LAYERS - 1:', '    pre = pre + (x @ self.lora_a[i]) @ self.lora_b[i]'],
      hidden: [RELU],
      forms: ['soft', 'base'],
    };
  throw noForm(id);
}

/** By what a unit's gate looks at (gates/neuron.ts). */
const LOGITS: Readonly<Record<Variant, string>> = {
  activation: 'x - threshold',
  'pre-activation': 'x - threshold',
  'two-sided': 'x.abs() - threshold',
};

function gatePieces(family: string, contextual: boolean): Pieces {
  const [name, variant = 'activation'] = family.split('+') as [string, Variant?];
  if (!['dopamine', 'threshold'].includes(name) || !variants.includes(variant)) throw noForm(family);
  const gain = name === 'dopamine';
  const gate = [
    `threshold = self.threshold[i]${contextual ? ' + self.context[i][mode]' : ''}`,
    `logit = ${LOGITS[variant]}`,
    'gate = torch.sigmoid(logit / TEMPERATURES[i]) if form == "soft" else (logit > 0).to(x.dtype)',
    `x = ${gain ? 'self.gain[i] * (gate * x)' : 'gate * x'}`,
  ].map((line) => `    ${line}`);
  return {
    parameters: [
      { attribute: 'threshold', name: 'gate.threshold' },
      ...(gain ? [{ attribute: 'gain', name: 'gate.gain' }] : []),
      ...(contextual ? [{ attribute: 'context', name: 'gate.context', comment: '[modes, width], added to the threshold' }] : []),
    ],
    hidden:
      variant === 'activation'
        ? [RELU, 'if form != "base":', ...gate]
        : ['if form == "base":', `    ${RELU}`, 'else:', '    x = pre  # the gate is in the place of the ReLU', ...gate],
    forms: ['soft', 'hard', 'base'],
  };
}

const noForm = (id: string): UserError => new UserError('model.py: adapter', 'must be one that has a Python form', id);

/** Parameters that the module reads; fine-tuned ones stand in the place of the base's. */
function arraysOf({ widths, base, adapter }: ClassifierModel): Record<string, DenseArray> {
  const own = adapter ? adapterOf(adapter.id).parameters({ widths }, adapter.angles.length) : [];
  const values = { ...base, ...adapter?.parameters };
  return Object.fromEntries([...mlpParameters({ widths }), ...own].map(({ name, shape }) => [name, dense(values[name], shape)]));
}

/** A line of a docstring, whatever somebody called their model. */
function documented(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
}
