/** What the entry points of the bench share at the terminal: arguments, progress, tables, failures told plainly. */
import { BenchFailure } from './failure.ts';

export function parseOrFail<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new BenchFailure(`bench: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BenchFailure(`bench: ${name} must be an integer in [${least}, ${most}], got ${JSON.stringify(text)}`);
  return value;
}

/** Shown while something runs, if there is somebody to see it. */
export const progress = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`));
export const clearProgress = (): void => progress('');

export function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

export function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(3) : value < 1000 ? value.toFixed(1) : value.toFixed(0);
}

/** A comparison that cannot be made ends the bench with its message and exit code 1. */
export async function failingPlainly(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BenchFailure)) throw error;
    clearProgress();
    console.error(error.message);
    process.exitCode = 1;
  }
}
