import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileOf, mayLoad, originOf, pageOrigin } from './addresses.ts';

const root = join('/', 'program', 'out', 'renderer');

test.each([
  ['app://gatescope/', 'index.html'],
  ['app://gatescope/assets/main-1a.js?v=1#a', 'assets/main-1a.js'],
  ['app://gatescope/a%20b.svg', 'a b.svg'],
  // The parser of addresses has taken these dots away itself.
  ['app://gatescope/../../package.json', 'package.json'],
  ['app://gatescope/%2e%2e/package.json', 'package.json'],
])('%s is %s', (address, file) => {
  expect(fileOf(root, address)).toBe(join(root, file));
});

test.each([
  'app://gatescope/..%2f..%2fpackage.json',
  'app://gatescope/a/..%2f..%2f..%2fetc/passwd',
  'app://gatescope/%00',
  'app://gatescope/%',
  'app://gatescope/.%2f',
  'app://elsewhere/index.html',
  'file:///program/out/renderer/index.html',
])('%s is no file', (address) => {
  expect(fileOf(root, address)).toBeUndefined();
});

test.each([
  [`${pageOrigin}/assets/a.js`, true],
  ['blob:app://gatescope/6f3c', true],
  ['data:image/png;base64,AA', true],
  ['devtools://devtools/bundled/inspector.html', true],
  ['https://example.invalid/', false],
  ['http://127.0.0.1:5173/', false],
  ['file:///etc/passwd', false],
  ['app://elsewhere/', false],
  ['no address', false],
])('the page may load %s: %s', (address, expected) => {
  expect(mayLoad(address, pageOrigin)).toBe(expected);
});

test('while developing, the server of the page and its socket are let through, and no other', () => {
  const server = 'http://127.0.0.1:5173';
  const addresses = [`${server}/main.ts`, 'ws://127.0.0.1:5173/?token=1', 'ws://127.0.0.1:5174/', 'http://localhost:5173/'];
  expect(addresses.map((address) => mayLoad(address, server))).toEqual([true, true, false, false]);
  expect(originOf(`${server}/main.ts`)).toBe(server);
});
