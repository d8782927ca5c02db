/** The end of what a process writes to stderr, kept for error messages, while all of it goes on to our own. */

/** Bytes kept. */
const kept = 4096;
/** Milliseconds a stream is given to come to its end after its process has. */
const patience = 500;

export interface Tail {
  readonly said: () => string;
  /** Resolves when no more is to come. */
  readonly ended: () => Promise<void>;
}

export function tailOf(stream: NodeJS.ReadableStream | null): Tail {
  let tail = Buffer.alloc(0);
  let over = stream === null;
  stream?.on('data', (chunk: Buffer) => {
    tail = Buffer.from(Buffer.concat([tail, chunk]).subarray(-kept));
    process.stderr.write(chunk);
  });
  const end = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stream?.once(event, () => resolve((over = true) as never));
  });
  return {
    said: () => tail.toString('utf8').trim(),
    ended: () => (over ? Promise.resolve() : Promise.race([end, new Promise<void>((resolve) => setTimeout(resolve, patience))])),
  };
}
