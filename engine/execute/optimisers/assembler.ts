/**
 * A WebAssembly assembler for small numerical kernels: functions over i32, f32 and v128 that share one imported memory.
 *
 * Code is written as nested expressions, which come out in the order the stack machine wants: `f32x4.add(a, b)` is a, b, add. Each piece knows
 * the type it leaves on the stack, so the compiler refuses most ill-typed programs; the engine validates the rest. Only the instructions in
 * use are here, each one line by its own name. No dependency: a handful of loops does not justify wabt or binaryen (megabytes each).
 *
 * Numbers of instructions and sections: WebAssembly Core Specification 2.0, §5.4 and §5.5. What the kernels compute is left to kernels.ts.
 */

/** What a variable or an expression holds: v128 is used as four floats, i32 also as an unsigned byte offset. */
export type ValueType = 'i32' | 'f32' | 'v128';

/** Instructions that leave one value of type T on the stack, or nothing. */
export interface Code<T extends ValueType | 'nothing' = ValueType | 'nothing'> {
  readonly leaves: T;
  readonly bytes: readonly number[];
}

/** A parameter or local of a function under construction. */
export interface Variable<T extends ValueType> {
  readonly get: Code<T>;
  set(value: Code<T>): Code<'nothing'>;
  /** Sets the variable and leaves the value too. */
  tee(value: Code<T>): Code<T>;
}

/** A function of one module: declare its variables in order (parameters first), then give its body. */
export class FunctionBuilder {
  readonly name: string;
  readonly parameters: ValueType[] = [];
  readonly locals: ValueType[] = [];
  result: 'i32' | 'nothing' = 'nothing';
  body: readonly number[] = [];

  /** @param name the name it is exported under, ASCII */
  constructor(name: string) {
    this.name = name;
  }

  parameter<T extends ValueType>(type: T): Variable<T> {
    if (this.locals.length > 0) throw new Error(`${this.name}: parameters must be declared before locals`);
    return variable(type, this.parameters.push(type) - 1);
  }

  local<T extends ValueType>(type: T): Variable<T> {
    return variable(type, this.parameters.length + this.locals.push(type) - 1);
  }

  /** Gives the body; the function returns what its last piece leaves. */
  define(...body: [...Code<'nothing'>[], Code<'i32' | 'nothing'>]): this {
    this.result = body[body.length - 1].leaves;
    this.body = join(body);
    return this;
  }
}

/**
 * A whole module: the functions, exported by name, over the memory imported as `environment.memory`.
 * The memory must be shared and may be of any size up to 4 GiB.
 */
export function assembleModule(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const signature = ({ parameters, result }: FunctionBuilder) => [
    0x60,
    ...vector(parameters.map((type) => [TYPE[type]])),
    ...vector(result === 'nothing' ? [] : [[TYPE[result]]]),
  ];
  const code = ({ locals, body }: FunctionBuilder) => {
    const content = [...vector(locals.map((type) => [1, TYPE[type]])), ...body, END];
    return [...unsigned(content.length), ...content];
  };
  const sharedWithMaximum = 0x03;
  const memory = [...name('environment'), ...name('memory'), 0x02, sharedWithMaximum, ...unsigned(0), ...unsigned(65536)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
    ...section(1, functions.map(signature)),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map((each, index) => [...name(each.name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, functions.map(code)),
  ]);
}

/** Runs the body `count` times, counting the variable down to 0: not at all if it is 0. */
export function repeat(count: Variable<'i32'>, ...body: Code<'nothing'>[]): Code<'nothing'> {
  const BLOCK = [0x02, 0x40];
  const LOOP = [0x03, 0x40];
  const branchIf = (depth: number) => [0x0d, depth];
  const isZero = [...count.get.bytes, 0x45];
  const decrement = count.tee(i32.subtract(count.get, i32.constant(1))).bytes;
  return code('nothing', [...BLOCK, ...isZero, ...branchIf(0), ...LOOP, ...join(body), ...decrement, ...branchIf(0), END, END]);
}

export const i32 = {
  constant: (value: number) => code('i32', [0x41, ...signed(value)]),
  add: (a: Code<'i32'>, b: Code<'i32'>) => code('i32', [...a.bytes, ...b.bytes, 0x6a]),
  subtract: (a: Code<'i32'>, b: Code<'i32'>) => code('i32', [...a.bytes, ...b.bytes, 0x6b]),
  /** 1 if the value is 0, else 0. */
  isZero: (a: Code<'i32'>) => code('i32', [...a.bytes, 0x45]),
};

/** Four IEEE 754 single-precision lanes; each operation rounds to nearest even, as the specification demands, subnormals included. */
export const f32x4 = {
  /** Four copies of one float. */
  splat: (a: Code<'f32'>) => code('v128', [...a.bytes, ...simd(0x13)]),
  squareRoot: (a: Code<'v128'>) => code('v128', [...a.bytes, ...simd(0xe3)]),
  add: (a: Code<'v128'>, b: Code<'v128'>) => code('v128', [...a.bytes, ...b.bytes, ...simd(0xe4)]),
  subtract: (a: Code<'v128'>, b: Code<'v128'>) => code('v128', [...a.bytes, ...b.bytes, ...simd(0xe5)]),
  multiply: (a: Code<'v128'>, b: Code<'v128'>) => code('v128', [...a.bytes, ...b.bytes, ...simd(0xe6)]),
  divide: (a: Code<'v128'>, b: Code<'v128'>) => code('v128', [...a.bytes, ...b.bytes, ...simd(0xe7)]),
};

export const v128 = {
  load: (address: Code<'i32'>) => code('v128', [...address.bytes, ...simd(0x00), ...ALIGNED_16]),
  store: (address: Code<'i32'>, value: Code<'v128'>) => code('nothing', [...address.bytes, ...value.bytes, ...simd(0x0b), ...ALIGNED_16]),
  or: (a: Code<'v128'>, b: Code<'v128'>) => code('v128', [...a.bytes, ...b.bytes, ...simd(0x50)]),
  /** 1 if any of the 128 bits is set, else 0. */
  anyTrue: (a: Code<'v128'>) => code('i32', [...a.bytes, ...simd(0x53)]),
};

const TYPE = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
const END = 0x0b;
/** Of an access: 2^4 bytes of alignment (a hint), no constant offset. */
const ALIGNED_16 = [4, 0];

function variable<T extends ValueType>(type: T, index: number): Variable<T> {
  return {
    get: code(type, [0x20, ...unsigned(index)]),
    set: (value) => code('nothing', [...value.bytes, 0x21, ...unsigned(index)]),
    tee: (value) => code(type, [...value.bytes, 0x22, ...unsigned(index)]),
  };
}

function code<T extends ValueType | 'nothing'>(leaves: T, bytes: readonly number[]): Code<T> {
  return { leaves, bytes };
}

function join(pieces: readonly Code[]): number[] {
  return pieces.flatMap(({ bytes }) => bytes);
}

function simd(opcode: number): number[] {
  return [0xfd, ...unsigned(opcode)];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly (readonly number[])[]): number[] {
  return [...unsigned(entries.length), ...entries.flat()];
}

function name(text: string): number[] {
  return vector(Array.from(text, (letter) => [letter.charCodeAt(0)]));
}

/** LEB128 of an integer in [0, 2^32): seven bits a byte, lowest first, the top bit set on all but the last. */
export function unsigned(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >>> 7;
  return rest === 0 ? [low] : [low | 0x80, ...unsigned(rest)];
}

/** Signed LEB128 of an integer in [-2^31, 2^31): ends once the rest is only the sign, and bit 6 of the last byte tells it. */
export function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const sign = low & 0x40 ? -1 : 0;
  return rest === sign ? [low] : [low | 0x80, ...signed(rest)];
}
