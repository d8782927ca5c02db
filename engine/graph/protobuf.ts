/** Writes protocol-buffer messages: the five constructs ONNX files are made of, and no reader (a library for this would be 60 times its size). */

const text = new TextEncoder();

/** One message; fields are appended in the order of the calls. */
export class Message {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** A whole number (int32, int64, enum), up to 2⁵³. */
  integer(field: number, value: number): this {
    return this.#push(varint(field << 3)).#push(varint(value));
  }

  float(field: number, value: number): this {
    return this.#push(varint((field << 3) | 5)).#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(field: number, value: string): this {
    return this.bytes(field, text.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint((field << 3) | 2))
      .#push(varint(value.length))
      .#push(value);
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    this.#chunks = [whole];
    return whole;
  }

  #push(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}

/** Base 128, low groups first; negative numbers as two's complement of 64 bits. */
function varint(value: number): Uint8Array {
  // Nearly all are: tags, types, short lengths.
  if (value === (value & 127)) return Uint8Array.of(value);
  const groups: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    groups.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  groups.push(Number(rest));
  return Uint8Array.from(groups);
}
