/**
 * Arrays as files hold them: numbers of one type and a shape, in row-major order. What the readers of npy, npz and safetensors give and their
 * writers take. Wider integers of a file become int32 where they fit; halves become float32.
 */
import { UserError } from '../base/errors.ts';

export type DenseArray = { readonly shape: readonly number[] } & (
  | { /** 0 or 1 each */ readonly dtype: 'bool'; readonly data: Uint8Array }
  | { readonly dtype: 'uint8'; readonly data: Uint8Array }
  | { readonly dtype: 'int32'; readonly data: Int32Array }
  | { readonly dtype: 'float32'; readonly data: Float32Array }
  | { readonly dtype: 'float64'; readonly data: Float64Array }
);

export type DenseType = DenseArray['dtype'];
export type DenseNumbers = Pick<DenseArray, 'dtype' | 'data'>;

/** An array of the type its data has; [data.length] unless a shape is given. @throws UserError if they do not fit */
export function dense(data: DenseArray['data'], shape: readonly number[] = [data.length]): DenseArray {
  const array = { ...typed(data), shape } as DenseArray;
  checkDense('dense', array);
  return array;
}

function typed(data: DenseArray['data']): DenseNumbers {
  if (data instanceof Uint8Array) return { dtype: 'uint8', data };
  if (data instanceof Int32Array) return { dtype: 'int32', data };
  if (data instanceof Float32Array) return { dtype: 'float32', data };
  return { dtype: 'float64', data };
}

/** @throws UserError unless the shape is one and holds as many numbers as there are */
export function checkDense(place: string, { shape, data }: DenseArray): void {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    throw new UserError(`${place}: shape`, 'must be of integers ≥ 0', shape);
  if (sizeOf(shape) !== data.length) throw new UserError(`${place}: data`, `must hold ${sizeOf(shape)} numbers`, data.length);
}

/** The number of entries; 1 for a scalar, []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The bytes behind an array's numbers, little-endian as on every machine Node runs on today. */
export function rawBytes({ data }: DenseNumbers): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** 64-bit integers, given as their bytes. @throws UserError naming the first that int32 cannot hold */
export function int32From64(bytes: ArrayBuffer, signed: boolean, place: string): Int32Array {
  const words = new Int32Array(bytes);
  const values = new Int32Array(words.length / 2);
  for (let i = 0; i < values.length; i++) {
    const low = words[2 * i];
    if (words[2 * i + 1] !== low >> 31 || (!signed && low < 0))
      throw outOfRange(place, i, (signed ? new BigInt64Array(bytes) : new BigUint64Array(bytes))[i]);
    values[i] = low;
  }
  return values;
}

/** @throws UserError naming the first that int32 cannot hold */
export function int32FromUnsigned(values: Uint32Array, place: string): Int32Array {
  const wrong = values.findIndex((value) => value > 0x7fffffff);
  if (wrong >= 0) throw outOfRange(place, wrong, values[wrong]);
  return new Int32Array(values);
}

function outOfRange(place: string, i: number, value: number | bigint): UserError {
  return new UserError(`${place}: entry ${i}`, 'must be in [-2147483648, 2147483647]', value);
}
