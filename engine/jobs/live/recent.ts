/** What was used last, by key, up to some size: what goes first was used longest ago. Only to save time: whoever asks can always make it anew. */
export class Recent<Value> {
  readonly #most: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #letGo: (value: Value) => void;
  /** The latest at the end. */
  readonly #values = new Map<string, Value>();
  #size = 0;

  /** @param most of all sizes together; the latest stays, whatever its size @param letGo of what goes */
  constructor(
    most: number,
    { sizeOf = () => 1, letGo = () => undefined }: { sizeOf?: (value: Value) => number; letGo?: (value: Value) => void } = {},
  ) {
    this.#most = most;
    this.#sizeOf = sizeOf;
    this.#letGo = letGo;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: string, value: Value): Value {
    this.#remove(key);
    this.#values.set(key, value);
    this.#size += this.#sizeOf(value);
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.#most || oldest === key) break;
      this.#remove(oldest);
    }
    return value;
  }

  /** What is there, or what `make` makes. */
  for(key: string, make: () => Value): Value {
    return this.get(key) ?? this.set(key, make());
  }

  #remove(key: string): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#values.delete(key);
    this.#size -= this.#sizeOf(value);
    this.#letGo(value);
  }
}
