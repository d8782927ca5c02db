/** The readers of a Hugging Face folder and of a user's own pairs, as readers.ts has them: each file of the folder damaged in its turn. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '../../models/languageModel.ts';
import { encodePairs, type OwnPairs } from '../../tasks/ownPairs.ts';
import { parsePairTexts } from '../../tasks/ownPairsFile.ts';
import { readConfig } from '../huggingface/config.ts';
import { chatRenderer } from '../huggingface/chat.ts';
import { loadHuggingFace } from '../huggingface/load.ts';
import { small, weightsOf } from '../huggingface/testing/checkpoints.ts';
import { byteLevelJson, settings, tokenizerJson } from '../huggingface/testing/tokenizers.ts';
import { makeTokenizer, type TextTokenizer } from '../huggingface/tokenizer.ts';
import { parseJson } from '../jsonFile.ts';
import { writeSafetensors } from '../safetensors.ts';
import { damagedJson } from './damage.ts';
import type { Reader } from './readers.ts';

const text = (value: unknown) => new Uint8Array(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const tiny = { ...small, num_hidden_layers: 1, tie_word_embeddings: true };
const weights = weightsOf(tiny);
const names = Object.keys(weights);
const shardOf = (part: readonly string[]) => writeSafetensors(Object.fromEntries(part.map((name) => [name, weights[name]])));
const shards = { 'a.safetensors': shardOf(names.slice(0, 4)), 'b.safetensors': shardOf(names.slice(4)) };
const weight_map = Object.fromEntries(names.map((name, i) => [name, i < 4 ? 'a.safetensors' : 'b.safetensors']));
const whole = writeSafetensors(weights);

/** A folder of these files, loaded. */
async function loaded(files: Readonly<Record<string, Uint8Array>>, place: string): Promise<LanguageModel> {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-damaged-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    return await loadHuggingFace(folder, { place });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const heldBy = ({ parameters }: LanguageModel) => Object.values(parameters).reduce((sum, { byteLength }) => sum + byteLength, 0);
const sizeOf = (model: LanguageModel) => ({ held: heldBy(model), most: whole.length });

const tokenizer = makeTokenizer(tokenizerJson, settings);
/** Also used, as some parts are looked at only then. */
function used(made: TextTokenizer): TextTokenizer {
  for (const special of [true, false]) made.decode(made.encode('a bé <s>ab☃ 12', special), special);
  return made;
}
const vocabulary = ({ vocabulary: held }: TextTokenizer) => ({ held, most: 2 ** 21 });

const pair = { sensitive: 'ab a', control: 'ab b', positive: 'b', negative: ['a', 4] };
const pairFiles = [
  [pair, { ...pair, topic: 'a', roles: ['x', 'y', 'y', 'z'] }],
  { pairs: [{ sensitive: 'a', control: 'b' }], positive: 'a', negative: 6, template: 'a {prompt} b' },
  { prompts: [{ clean: 'a', corrupt: 'b', answers: ['a'], wrong_answers: ['b'] }] },
].map(text);
const csvFiles = [
  'sensitive,control,positive,negative\na,b,a,b\n"a ""b",b a b,a|b,?\n',
  'clean,corrupted,answer,wrong_answer\r\na,b,a,b\r\n',
].map(text);
const encoded = (bytes: Uint8Array, place: string) => encodePairs(parsePairTexts(bytes, place), { tokenizer, positions: 64, place });
const tokens = (sets: OwnPairs[], bytes: Uint8Array) => ({
  held: sets.reduce((sum, { set }) => sum + 2 * set.pairs * set.length, 0),
  // A template stands around every pair: not more than each of them, written out.
  most: 4 * bytes.length ** 2,
});

export const checkpointReaders: readonly Reader[] = [
  {
    name: 'model.safetensors',
    good: [whole],
    read: (bytes, place) => loaded({ 'config.json': text(tiny), 'model.safetensors': bytes }, place),
    sizeOf,
  },
  {
    name: 'model.safetensors.index.json',
    good: [text({ metadata: { total_size: 1 }, weight_map })],
    damage: damagedJson,
    read: (bytes, place) => loaded({ ...shards, 'config.json': text(tiny), 'model.safetensors.index.json': bytes }, place),
    sizeOf,
  },
  {
    name: 'config.json of a folder',
    good: [text(tiny)],
    damage: damagedJson,
    read: (bytes, place) => loaded({ 'config.json': bytes, 'model.safetensors': whole }, place),
    sizeOf,
  },
  {
    name: 'config.json',
    good: [
      {
        ...small,
        rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 },
      },
      {
        model_type: 'qwen2',
        rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 1e6 },
        use_sliding_window: false,
        layer_types: ['full_attention'],
      },
      { model_type: 'mistral', sliding_window: null, head_dim: 8, quantization_config: null },
    ].map(text),
    damage: damagedJson,
    read: (bytes, place) => readConfig(parseJson(bytes, place), place),
    sizeOf: () => ({ held: 0, most: 0 }),
  },
  {
    name: 'tokenizer.json',
    good: [tokenizerJson, byteLevelJson].map(text),
    damage: damagedJson,
    read: (bytes, place) => used(makeTokenizer(parseJson(bytes, place), settings, place)),
    sizeOf: vocabulary,
  },
  {
    name: 'tokenizer_config.json',
    good: [text({ ...settings, chat_template: "{{ bos_token }}{% for m in messages %}[{{ m['content'] }}]{% endfor %}" })],
    damage: damagedJson,
    read: (bytes, place) => {
      const made = used(makeTokenizer(tokenizerJson, parseJson(bytes, place), place));
      if (made.chatTemplate !== undefined) chatRenderer(made, place)('a');
      return made;
    },
    sizeOf: vocabulary,
  },
  { name: 'pairs as JSON', good: pairFiles, damage: damagedJson, read: encoded, sizeOf: tokens },
  { name: 'pairs as CSV', good: csvFiles, read: encoded, sizeOf: tokens },
];
