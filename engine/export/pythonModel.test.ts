/** Every kind of model as a module of plain PyTorch, run by PyTorch: its logits are ours to 1e-5. Skipped where PyTorch is not installed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Forward, type Form } from '../analyses/forward.ts';
import { smallImages, smallModel, type SmallModel } from '../analyses/testing/models.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { dense } from '../formats/denseArray.ts';
import { writeNpz } from '../formats/npz.ts';
import { pythonModel } from './pythonModel.ts';
import { everyKind } from './testing/everyKind.ts';
import { pythonWith } from './testing/python.ts';

const images = smallImages('test', 45);
const ROWS = 50;
const PIXELS = images.height * images.width;
const FORMS = ['soft', 'hard', 'base'] as const;

/** One process for all: it takes seconds until PyTorch is there. Modes of a contextual one by number and by row. */
const script = `
import importlib, json, sys
import numpy
import torch
sys.path.insert(0, sys.argv[1])
images = torch.from_numpy(numpy.load(sys.argv[1] + "/images.npz")["images"])
logits = {}
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    model = module.Classifier()
    for form in module.FORMS:
        logits[f"{name} {form}"] = model(images, form=form).flatten().tolist()
    if hasattr(module, "MODES"):
        assert module.MODES == [0, 45, 90]
        for mode in range(3):
            rows = torch.full((len(images),), mode)
            logits[f"{name} mode {mode}"] = model(images, mode=mode).flatten().tolist()
            assert torch.equal(model(images, mode=rows), model(images, mode=mode))
    try:
        model(images, form="other")
        raise SystemExit("a form that is none was taken")
    except ValueError:
        pass
json.dump(logits, sys.stdout)
`;

const names = everyKind.map((_kind, i) => `kind_${i}`);
let folder: string;
let logits: Record<string, number[]> | undefined;
let missing = '';
const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-python-'));
  everyKind.forEach(([title, settings], i) => {
    const { text, arrays } = pythonModel(smallModel(settings), { name: names[i], title });
    writeFileSync(join(folder, `${names[i]}.py`), text);
    writeFileSync(join(folder, `${names[i]}.npz`), writeNpz(arrays));
  });
  writeFileSync(join(folder, 'images.npz'), writeNpz({ images: dense(images.images.subarray(0, ROWS * PIXELS), [ROWS, PIXELS]) }));
  const python = pythonWith('torch', 'numpy');
  if (typeof python === 'string') missing = `${python} (Debian: python3-torch)`;
  else logits = JSON.parse(python.run(script, [folder, ...names])) as typeof logits;
});
afterAll(() => {
  executor.dispose();
  rmSync(folder, { recursive: true });
});

function ours(settings: SmallModel, form: Form, angle: number): Float32Array {
  const model = smallModel(settings);
  using forward = new Forward(executor, model, model.adapter ? form : 'base', (taps) => ({ outputs: { logits: taps.logits } }));
  return forward.run(images, 0, ROWS, angle).logits.data as Float32Array;
}

function expectSame(settings: SmallModel, key: string, form: Form, angle: number): void {
  expectClose(Float32Array.from(logits![key]), ours(settings, form, angle), { relative: 1e-5, absolute: 1e-5 }, key);
}

const kinds = everyKind.map(([title, settings], i) => ({ title, settings, name: names[i] }));

test.for(kinds)('$title: logits of every form', ({ settings, name }, { skip }) => {
  if (!logits) return skip(missing);
  const forms = FORMS.filter((form) => logits![`${name} ${form}`]);
  expect(forms).toContain('soft');
  for (const form of forms) expectSame(settings, `${name} ${form}`, form, 0);
});

test.for(kinds.filter(({ settings }) => settings.adapter?.includes('context')))('$title: every mode', ({ settings, name }, { skip }) => {
  if (!logits) return skip(missing);
  [0, 45, 90].forEach((angle, mode) => expectSame(settings, `${name} mode ${mode}`, 'soft', angle));
});

test('the text of a mode', () => {
  const model = smallModel({ adapter: 'dopamine+context', modeAngles: [0, 45], temperature: [0.2, 0.1].map(Math.fround) });
  expect(pythonModel(model, { name: 'mode', title: 'dopamine on "my" \\ foundation' }).text).toMatchInlineSnapshot(`
    """"dopamine on \\"my\\" \\\\ foundation

    A multilayer perceptron of widths 36, 8, 6, 3 with ReLU and the adapter dopamine+context.
    Needs PyTorch and NumPy; its weights are in mode.npz beside this file.

        from mode import Classifier
        logits = Classifier()(images)  # float32 [rows, 36] in [0, 1] -> [rows, 3]
    """

    from pathlib import Path

    import numpy
    import torch
    from torch import nn

    LAYERS = 3
    # Of the gates, one for each hidden layer, as at the end of training.
    TEMPERATURES = [0.20000000298023224, 0.10000000149011612]
    # Degrees the images of each mode were turned by.
    MODES = [0, 45]
    FORMS = ["soft", "hard", "base"]


    class Classifier(nn.Module):
        def __init__(self, weights=Path(__file__).with_suffix(".npz")):
            super().__init__()
            arrays = numpy.load(weights)

            def parameters(name, layers):
                return nn.ParameterList([nn.Parameter(torch.from_numpy(arrays[f"layers.{i}.{name}"])) for i in range(layers)])

            self.weight = parameters("weight", LAYERS)  # [in, out]
            self.bias = parameters("bias", LAYERS)
            self.threshold = parameters("gate.threshold", LAYERS - 1)
            self.gain = parameters("gate.gain", LAYERS - 1)
            self.context = parameters("gate.context", LAYERS - 1)  # [modes, width], added to the threshold

        def forward(self, images, form="soft", mode=0):
            """Logits. form: "soft" as trained, "hard" with gates open or shut, "base" without the adapter.

            mode: which of MODES, one number or an int64 tensor [rows].
            """
            if form not in FORMS:
                raise ValueError(f"form must be one of {FORMS}, got {form!r}")
            x = images
            for i in range(LAYERS):
                pre = x @ self.weight[i] + self.bias[i]
                if i == LAYERS - 1:
                    return pre
                x = torch.relu(pre)
                if form != "base":
                    threshold = self.threshold[i] + self.context[i][mode]
                    logit = x - threshold
                    gate = torch.sigmoid(logit / TEMPERATURES[i]) if form == "soft" else (logit > 0).to(x.dtype)
                    x = self.gain[i] * (gate * x)
    "
  `);
});

test('names that are none in Python are refused', () => {
  for (const name of ['', '1st', 'my-mode', 'a b', 'é'])
    expect(() => pythonModel(smallModel(), { name, title: '' })).toThrow('model.py: name must be a Python name');
});
