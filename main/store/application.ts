/** Which versions of this program and of what computes in it they are that write. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** That of the package: `0.1.0`. */
export const applicationVersion = versionIn('../../package.json');

/** That of onnxruntime-node, which is not loaded for it. */
export const runtimeVersion = versionIn('onnxruntime-node/package.json');

function versionIn(description: string): string {
  return (JSON.parse(readFileSync(createRequire(import.meta.url).resolve(description), 'utf8')) as { version: string }).version;
}
