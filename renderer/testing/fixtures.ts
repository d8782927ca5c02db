/** Stored findings, a snapshot and series of a small real session: what views are tested and shown with. Made by fixtures/makeViewFixtures.ts. */
const files = import.meta.glob<string>('./fixtures/*.json', { query: '?raw', import: 'default', eager: true });

const arrays = { Float32Array, Float64Array, Int32Array, Uint8Array };

/** Typed arrays are written as `{ "$": "Float32Array", "values": […] }`; what JSON has no number for is a text there. */
function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$' in value)) return value;
  const { $: type, values } = value as { $: keyof typeof arrays; values: (number | string)[] };
  return arrays[type].from(values.map(Number));
}

/** @param name `firing`, `snapshot`, … @throws Error if there is no such file */
export function fixture<T>(name: string): T {
  const text = files[`./fixtures/${name}.json`];
  if (text === undefined) throw new Error(`fixture: there is no ${name}`);
  return JSON.parse(text, revive) as T;
}
