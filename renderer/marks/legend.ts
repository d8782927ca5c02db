/** Legends of the two scales as data: for the mark beside a title, and for the export. */
import type { PictureLegend } from './picture.ts';

const DIVERGING = ['div-0', 'div-1', 'div-2', 'div-3', 'div-4', 'div-5', 'div-6', 'div-7', 'div-8'];
const SEQUENTIAL = ['seq-0', 'seq-1', 'seq-2', 'seq-3', 'seq-4', 'seq-5', 'seq-6'];

/** @param least what stands at its left: `−1`, `γ 0.4`; with its sign, so that colour is not all @param flip positive is red */
export function legendOf(scale: 'diverging' | 'sequential', least: string, most: string, flip = false): PictureLegend {
  const stops = scale === 'diverging' ? DIVERGING : SEQUENTIAL;
  return { stops: flip ? [...stops].reverse() : stops, least, most };
}
