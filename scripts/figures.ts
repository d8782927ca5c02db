/** Figures that a long test measured, for `npm run test:full` to keep beside date and commit. */
import { appendFileSync } from 'node:fs';

/** Appends one figure to the JSON-lines file named by GATESCOPE_FIGURES; does nothing without that variable. */
export function recordFigure(name: string, value: number, unit: string): void {
  const file = process.env.GATESCOPE_FIGURES;
  if (!file) return;
  if (!Number.isFinite(value)) throw new Error(`recordFigure: ${name} must be a finite number, got ${value}`);
  appendFileSync(file, `${JSON.stringify({ name, value, unit })}\n`);
}
