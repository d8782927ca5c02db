/** Arrays in a session: what their digest stands for, and that no file can ask for more memory than it has bytes. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from './connection.ts';
import { getTensor, putTensor } from './tensors.ts';
import { Folder } from './testing/sessions.ts';

let folder: Folder;
let connection: Connection;
beforeEach(() => {
  folder = new Folder();
  const session = folder.session();
  session.close();
  connection = new Connection(session.path, 'write');
});
afterEach(() => {
  connection.close();
  folder[Symbol.dispose]();
});

const arrays = [
  new Float32Array([1, -0, NaN, Infinity]),
  new Float64Array([5e-324]),
  new Int32Array([-1]),
  new Uint8Array([0, 255]),
  new BigInt64Array([-(2n ** 63n)]),
  new Float32Array(),
];
test.each(arrays)('%s is stored as its bytes', (data) => {
  const digest = putTensor(connection, data);
  expect(putTensor(connection, data)).toBe(digest);
  expect(getTensor(connection, digest)).toEqual({ dtype: expect.any(String) as string, shape: [data.length], data });
});

test('the digest is what the schema says, so that other programs can check it', () => {
  const data = new Float32Array([1, 2, 3, 4, 5, 6]);
  const said = createHash('sha256').update('F32 [2,3]\n').update(Buffer.from(data.buffer)).digest('hex');
  expect(putTensor(connection, data, [2, 3])).toBe(said);
  expect(putTensor(connection, data, [3, 2])).not.toBe(said);
  expect(getTensor(connection, said).shape).toEqual([2, 3]);
  expect(() => putTensor(connection, data, [2, 2])).toThrow(TypeError);
});

test('only the view is stored, not the buffer it lies in', () => {
  const whole = new Float32Array([9, 1, 2, 9]);
  const digest = putTensor(connection, whole.subarray(1, 3));
  const { data } = getTensor(connection, digest);
  expect(data).toEqual(new Float32Array([1, 2]));
  expect(data.buffer.byteLength).toBe(8);
});

test.each([
  ['bytes = 10000000000', /must have 4 elements/],
  [`shape = '[100000,100000]'`, /must have 10000000000 elements/],
  [`shape = '[2500000000]', bytes = 10000000000`, /lacks a part/],
  [`shape = '[1e3]'`, /is of no known type and shape/],
  [`shape = '[-4]'`, /is of no known type and shape/],
  [`dtype = 'toString'`, /is of no known type and shape/],
  [`shape = '[2,2]'`, /the bytes of array [0-9a-f]{12} are not its own/],
])('a row that lies (%s) is damage', (change, message) => {
  const digest = putTensor(connection, new Float32Array(4));
  connection.execute(`UPDATE tensors SET ${change}`);
  expect(() => getTensor(connection, digest)).toThrow(message);
});

test('a lost or an added piece is damage', () => {
  const digest = putTensor(connection, new Float32Array(4));
  connection.execute('UPDATE tensor_chunks SET position = 1');
  expect(() => getTensor(connection, digest)).toThrow(/lacks a part/);
  connection.execute('DELETE FROM tensor_chunks');
  expect(() => getTensor(connection, digest)).toThrow(/lacks a part/);
});
