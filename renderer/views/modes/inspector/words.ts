/** How the inspector writes estimates and categories. */
import { change, effect, interval } from '../../../words/numbers.ts';
import type { Category, Estimated } from './unitFacts.ts';

export const categoryWords: Readonly<Record<Category, string>> = {
  boosted: 'Boosted',
  reused: 'Reused',
  attenuated: 'Attenuated',
  silenced: 'Silenced',
  dead: 'Dead',
};

/** Digits after the point that leave two that say something: of 0.00031 five. */
export const digitsFor = (value: number): number =>
  Math.abs(value) >= 1 || value === 0 || !Number.isFinite(value) ? 2 : Math.min(6, 1 + Math.ceil(-Math.log10(Math.abs(value))));

/** `+.333` and `[.296, .370]`; what is proved to be 0 is `= 0` and has no interval. */
export function estimateWords({ value, low, high, proved }: Estimated): { value: string; bounds: string } {
  if (proved) return { value: '= 0', bounds: 'proved, not run' };
  const digits = Math.max(2, digitsFor(Number.isFinite(high) ? Math.max(Math.abs(value), high - low) : value));
  const shown = effect(value, digits);
  return {
    value: Number(value.toFixed(digits)) > 0 ? `+${shown}` : shown,
    bounds: Number.isFinite(low) ? interval(low, high, digits, effect) : '',
  };
}

/** Points with their sign, `−0.38 [−0.51, −0.26]`. */
export const pointsWords = ({ value, low, high }: Estimated): { value: string; bounds: string } => ({
  value: change(value, 2),
  bounds: Number.isFinite(low) ? interval(low, high, 2, change) : '',
});
