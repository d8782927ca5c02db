/** What a language model is known by: its config and weights, wherever they came from and whatever its tokens are called. */
import { createHash } from 'node:crypto';
import type { LanguageModel } from '../models/languageModel.ts';

/** SHA-256, in hex: of the config with its fields in order, then of every parameter by name, length and bytes (float32, little-endian). */
export function languageModelDigest({
  architecture,
  config,
  parameters,
}: Pick<LanguageModel, 'architecture' | 'config' | 'parameters'>): string {
  const hash = createHash('sha256').update(JSON.stringify([architecture, ordered(config)]));
  for (const name of Object.keys(parameters).sort()) {
    const { buffer, byteOffset, byteLength } = parameters[name];
    hash.update(`\n${name} ${byteLength}\n`).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** Fields by name, those that are undefined left out: the order in which a config was written makes no difference. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => [name, ordered(entry)]));
}
