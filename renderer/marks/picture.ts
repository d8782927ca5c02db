/**
 * A figure as a file: one SVG that stands alone, with real text, title, legend and caption, on a white ground, as wide as a column (84 mm) or
 * a page (174 mm) of a journal. It copies what stands on the screen; whoever calls sees to it that this is drawn in the light palette.
 */
import { pictureStyles } from './pictureStyles.ts';

/** Millimetres. */
export const COLUMN = 84;
export const PAGE = 174;
/** 11 px on the screen are 7.5 pt on paper. */
const POINTS_PER_PIXEL = 7.5 / 11;
const PAD = 12;
const NAMESPACE = 'http://www.w3.org/2000/svg';
const FONTS = "'Inter Variable', Inter, system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";

export interface PictureText {
  readonly title: string;
  readonly about: string;
  readonly caption: string;
  readonly legend?: PictureLegend;
}

export interface PictureLegend {
  /** Tokens of the scale from least to most: `div-0` … `div-8`. */
  readonly stops: readonly string[];
  readonly least: string;
  readonly most: string;
}

/** Pixels of the figure in so many millimetres. */
export const pixelsIn = (millimetres: number): number => ((millimetres / 25.4) * 72) / POINTS_PER_PIXEL;

/** What is left of it for the drawing. */
export const drawingWidth = (millimetres: number): number => Math.floor(pixelsIn(millimetres) - 2 * PAD);

/** @param body holds the drawing: <svg>s and <canvas>es, placed by layout */
export function pictureOf(body: HTMLElement, text: PictureText, millimetres: number): SVGSVGElement {
  const width = pixelsIn(millimetres);
  const styles = pictureStyles();
  const root = element('svg', {
    xmlns: NAMESPACE,
    width: `${millimetres}mm`,
    'font-family': FONTS,
    'font-size': 11,
    fill: styles.colour(body, '--ink3'),
  });
  root.append(named('title', text.title), named('desc', text.caption));
  const ground = element('rect', { width, fill: '#ffffff' });
  root.append(ground);

  const ink = styles.colour(body, '--ink');
  const title = element('text', { x: PAD, y: 22, fill: ink });
  title.append(piece(text.title, { 'font-size': 13, 'font-weight': 600 }));
  if (text.about) title.append(piece(` ${text.about}`, { dx: 6, fill: styles.colour(body, '--ink3') }));
  root.append(title);
  if (text.legend) root.append(legend(text.legend, width - PAD, (name) => styles.colour(body, `--${name}`)));

  const top = 36;
  const { drawing, bottom } = drawingOf(body, styles.copy);
  drawing.setAttribute('transform', `translate(${PAD} ${top})`);
  root.append(drawing);

  const lines = wrapped(text.caption, width - 2 * PAD);
  const caption = element('text', { y: top + bottom + 20 });
  lines.forEach((line, i) => caption.append(piece(line, { x: PAD, dy: i === 0 ? 0 : 15 })));
  root.append(caption);

  const height = Math.ceil(top + bottom + 20 + 15 * (lines.length - 1) + PAD);
  ground.setAttribute('height', String(height));
  root.setAttribute('height', `${round((millimetres * height) / width)}mm`);
  root.setAttribute('viewBox', `0 0 ${round(width)} ${height}`);
  return root;
}

export const pictureText = (picture: SVGSVGElement): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(picture)}\n`;

/** Everything drawn in the body, where it stands in it. */
function drawingOf(body: HTMLElement, copy: (original: SVGElement) => SVGElement): { drawing: SVGGElement; bottom: number } {
  const drawing = element('g', {}) as SVGGElement;
  const frame = body.getBoundingClientRect();
  let bottom = 0;
  for (const original of body.querySelectorAll<SVGSVGElement | HTMLCanvasElement>('svg, canvas')) {
    if (original.parentElement?.closest('svg, button, [data-unexported]') || original.matches('[data-unexported]')) continue;
    const place = original.getBoundingClientRect();
    if (place.width === 0 || place.height === 0) continue;
    const at = {
      x: round(place.left - frame.left),
      y: round(place.top - frame.top),
      width: round(place.width),
      height: round(place.height),
    };
    bottom = Math.max(bottom, at.y + at.height);
    if (original instanceof HTMLCanvasElement) {
      const crisp = getComputedStyle(original).imageRendering === 'pixelated';
      drawing.append(element('image', { ...at, href: original.toDataURL('image/png'), ...(crisp && { 'image-rendering': 'pixelated' }) }));
    } else {
      const inner = copy(original);
      for (const [name, value] of Object.entries(at)) inner.setAttribute(name, String(value));
      if (!inner.hasAttribute('viewBox')) inner.setAttribute('viewBox', `0 0 ${at.width} ${at.height}`);
      inner.setAttribute('overflow', 'visible');
      drawing.append(inner);
    }
  }
  return { drawing, bottom };
}

function legend({ stops, least, most }: PictureLegend, right: number, colour: (name: string) => string): SVGElement {
  const group = element('g', {});
  const [wide, high] = [8, 8];
  const begin = right - textWidth(most, 11) - 6 - stops.length * wide;
  group.append(withText(element('text', { x: begin - 6, y: 22, 'text-anchor': 'end' }), least));
  stops.forEach((stop, i) =>
    group.append(element('rect', { x: round(begin + i * wide), y: 14, width: wide, height: high, fill: colour(stop) })),
  );
  group.append(withText(element('text', { x: right, y: 22, 'text-anchor': 'end' }), most));
  return group;
}

/** Lines of 11 px text that fit. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  // Only at plain spaces: thin and unbreakable ones keep numbers together.
  for (const word of text.split(' ')) {
    const longer = line ? `${line} ${word}` : word;
    if (line && textWidth(longer, 11) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line || lines.length === 0 ? [...lines, line] : lines;
}

let measuring: CanvasRenderingContext2D | undefined;

function textWidth(text: string, size: number): number {
  measuring ??= document.createElement('canvas').getContext('2d')!;
  measuring.font = `${size}px ${FONTS}`;
  return measuring.measureText(text).width;
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement & SVGSVGElement {
  const made = document.createElementNS(NAMESPACE, name) as SVGElement & SVGSVGElement;
  for (const [key, value] of Object.entries(attributes)) if (key !== 'xmlns') made.setAttribute(key, String(value));
  return made;
}

const withText = (made: SVGElement, text: string): SVGElement => {
  made.textContent = text;
  return made;
};
const named = (name: string, text: string): SVGElement => withText(element(name, {}), text);
const piece = (text: string, attributes: Readonly<Record<string, string | number>>): SVGElement =>
  withText(element('tspan', attributes), text);
const round = (value: number): number => Math.round(value * 1000) / 1000;
