/** Models in other programs' files: the tensors and what is said of them. That files compute the same is tested where they are made. */
import { expect, test } from 'vitest';
import { smallModel } from '../../engine/analyses/testing/models.ts';
import { readSafetensors } from '../../engine/formats/safetensors.ts';
import { pythonFiles, safetensorsFile } from './modelFiles.ts';
import { modelTensors } from './modelTensors.ts';

const model = smallModel({ adapter: 'lora-r2', modeAngles: [45] });
const exported = { digest: 'd'.repeat(64), title: 'lora-r2 45° on foundation', model };

test('safetensors: every tensor with its shape, bit for bit, and what the model is', () => {
  const { tensors, metadata } = readSafetensors(safetensorsFile(exported), 'test');
  expect([...tensors.keys()].sort()).toEqual(
    modelTensors(model)
      .map(({ name }) => name)
      .sort(),
  );
  expect(tensors.get('base.layers.0.weight')).toEqual({ dtype: 'float32', shape: [36, 8], data: model.base['layers.0.weight'] });
  expect(tensors.get('adapter.layers.1.lora.B')).toEqual({
    dtype: 'float32',
    shape: [2, 6],
    data: model.adapter!.parameters['layers.1.lora.B'],
  });
  expect(metadata).toEqual({
    title: exported.title,
    digest: exported.digest,
    architecture: 'mlp',
    widths: '36,8,6,3',
    angles: '0,45',
    seed: '1',
    adapter: 'lora-r2',
    modes: '45',
  });
});

test('fine-tuned tensors stand beside those of the base', () => {
  const names = modelTensors(smallModel({ adapter: 'full' })).map(({ name }) => name);
  expect(names).toHaveLength(12);
  expect(new Set(names).size).toBe(12);
});

test('model.py: the module and its weights under one name', () => {
  const [module, weights] = pythonFiles(exported, '/somewhere/mode.py');
  expect([module.path, weights.path]).toEqual(['/somewhere/mode.py', '/somewhere/mode.npz']);
  expect(module.content).toContain('lora-r2 45° on foundation (dddddddddddd)');
  expect(() => pythonFiles(exported, '/somewhere/mode.txt')).toThrow('export: --output must end in .py, got "/somewhere/mode.txt"');
});
