/** How a process has ended, in words. */
import { constants } from 'node:os';

export function endOf(code: number | null, signal: string | null): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

/** Electron has one number for both: the signal's, where one ended it on a system that has signals. */
export function endOfUtility(code: number): string {
  const signal = process.platform === 'win32' ? undefined : Object.entries(constants.signals).find(([, number]) => number === code)?.[0];
  return endOf(code, signal ?? null);
}
