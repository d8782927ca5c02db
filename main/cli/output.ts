/** What a command prints: whole, or an error that says why not. Progress and errors go to stderr elsewhere. */
import { UserError } from '../../engine/base/errors.ts';

/** Write errors are answered where something was printed; a reader that left early is not a bug to show the stack of. */
export function toleratePipes(streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) stream.on('error', () => undefined);
}

/** Resolves once it has left the process. @throws UserError if nobody reads it, or where it goes is full */
export function print(text: string | Uint8Array, out: NodeJS.WritableStream = process.stdout): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(text, (error) => {
      if (!error) return resolve();
      const { code, message } = error as NodeJS.ErrnoException;
      const rule = code === 'EPIPE' ? 'must be read to its end' : 'must take what is written';
      reject(new UserError('output', rule, code ?? message, { cause: error }));
    });
  });
}

/** One line that does not stop the command. */
export function warn(message: string): void {
  process.stderr.write(`gatescope: ${message}\n`);
}

export const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;
