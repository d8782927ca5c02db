/** Colour of a number, by tokens: a theme change redraws nothing in SVG. Canvas marks read a table from the tokens (see Palette). */
import { token } from './theme.ts';

const DIVERGING = 9;
const SEQUENTIAL = 7;

/** `color-mix` of two neighbouring stops in OKLab. */
function mixed(prefix: string, stops: number, position: number): string {
  const clamped = Math.min(stops - 1, Math.max(0, position));
  const below = Math.min(stops - 2, Math.floor(clamped));
  const share = Math.round((clamped - below) * 100);
  if (share === 0) return `var(--${prefix}-${below})`;
  if (share === 100) return `var(--${prefix}-${below + 1})`;
  return `color-mix(in oklab, var(--${prefix}-${below + 1}) ${share}%, var(--${prefix}-${below}))`;
}

/** Of an effect in [−1, 1]: red below 0, blue above; beyond the ends as at them. @param flip positive is red */
export const diverging = (value: number, flip = false): string =>
  mixed('div', DIVERGING, (((flip ? -value : value) + 1) / 2) * (DIVERGING - 1));

/** The same for a dot on the surface: what is unchanged stays visible. */
export function divergingDot(value: number, flip = false): string {
  const strength = Math.min(1, Math.abs(value));
  if (strength < 0.02) return 'var(--div-dot)';
  const end = diverging(Math.sign(value) * Math.max(0.35, strength), flip);
  return strength >= 0.5 ? end : `color-mix(in oklab, ${end} ${Math.round(strength * 200)}%, var(--div-dot))`;
}

/** Of a share in [0, 1]. */
export const sequential = (value: number): string => mixed('seq', SEQUENTIAL, value * (SEQUENTIAL - 1));

export type SeriesColour = 'teal' | 'ochre' | 'plum' | 'blue' | 'grey';

/** Families share a hue: modes teal, LoRA ochre, full fine-tuning plum, the frozen base and bias grey. @param adapter undefined: a foundation */
export function familyColour(adapter: string | undefined): SeriesColour {
  if (adapter === undefined || adapter.startsWith('bias')) return 'grey';
  if (adapter.startsWith('lora')) return 'ochre';
  return adapter === 'full' ? 'plum' : 'teal';
}

/** How many colours a canvas has of a scale. */
const TABLE = 257;

/** Colours of a scale as bytes, read from the tokens in force: `[r, g, b]` × 257. @param element whose tokens count */
export function colourTable(element: Element, scale: 'diverging' | 'sequential', flip = false): Uint8ClampedArray {
  const [prefix, stops] = scale === 'diverging' ? (['div', DIVERGING] as const) : (['seq', SEQUENTIAL] as const);
  const labs = Array.from({ length: stops }, (_entry, i) => toOklab(token(element, `${prefix}-${i}`)));
  const table = new Uint8ClampedArray(TABLE * 3);
  for (let i = 0; i < TABLE; i++) {
    const position = ((flip ? TABLE - 1 - i : i) / (TABLE - 1)) * (stops - 1);
    const below = Math.min(stops - 2, Math.floor(position));
    const share = position - below;
    table.set(fromOklab(labs[below].map((value, k) => value + share * (labs[below + 1][k] - value))), 3 * i);
  }
  return table;
}

/** Björn Ottosson, "A perceptual color space for image processing", 2020. @param hex `#rrggbb` */
export function toOklab(hex: string): number[] {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** @returns sRGB in 0 … 255 */
export function fromOklab([lightness, a, b]: readonly number[]): number[] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((value) => 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}
