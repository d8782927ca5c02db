import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { place, settled, type Mounted } from '../testing/picture.ts';
import { specimens } from '../gallery/specimens/marks.ts';
import { removeAll, violations } from '../testing/shown.ts';
import { focusedFigure } from './focused.svelte.ts';
import { pixelsIn } from './picture.ts';
import { crc32 } from './png.ts';

/** What a download would have been. */
const saved: { name: string; blob: Blob }[] = [];
const blobs = new Map<string, Blob>();
const createObjectURL = vi.spyOn(URL, 'createObjectURL');
const real = createObjectURL.getMockImplementation() ?? URL.createObjectURL.bind(URL);
createObjectURL.mockRestore();

let shown: Mounted | undefined;

async function open(id: string, width?: number): Promise<HTMLElement> {
  const one = specimens.find((specimen) => specimen.id === id)!;
  shown = await place({ ...one, width: width ?? one.width }, document.body);
  return shown.box;
}

/** Lets a figure save, and gives what it would have saved. */
async function savedBy(act: () => Promise<void>): Promise<{ name: string; blob: Blob }> {
  const make = vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    const address = real(blob);
    blobs.set(address, blob as Blob);
    return address;
  });
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: blobs.get(this.href)! });
  });
  await act();
  make.mockRestore();
  click.mockRestore();
  return saved.at(-1)!;
}

const figureOf = (box: HTMLElement) => {
  box.querySelector('figure')!.dispatchEvent(new PointerEvent('pointerenter'));
  return focusedFigure.current!;
};
const parsed = (text: string): Document => new DOMParser().parseFromString(text, 'image/svg+xml');

afterEach(async () => {
  await shown?.remove();
  shown = undefined;
  await removeAll();
});

describe('figure', () => {
  it.each(['light', 'dark'])('exports the same picture in %s: light, with title, caption and legend, as real text', async (theme) => {
    document.documentElement.dataset.theme = theme;
    const box = await open('mark-estimates', 640);
    const before = box.querySelector('svg')!.outerHTML;
    const { name, blob } = await savedBy(() => figureOf(box).exportSvg());
    expect(name).toBe('change-at-45.svg');
    const text = await blob.text();
    const document_ = parsed(text);
    expect(document_.querySelector('parsererror')).toBeNull();
    const root = document_.documentElement;
    expect(root.getAttribute('width')).toBe('174mm');
    const texts = [...root.querySelectorAll('text')].map(({ textContent }) => textContent ?? '');
    expect(texts).toContain('Change at 45°');
    expect(texts.join(' ').replaceAll('\u202f', ' ')).toContain('Change of accuracy, points · of 10 000 test images');
    expect(texts).toEqual(expect.arrayContaining(['−1', '+1', 'Gain only']));
    // The ground is white, the ink that of the light palette, the legend's ends its reds and blues.
    expect(root.querySelector('rect')!.getAttribute('fill')).toBe('#ffffff');
    expect(text).toContain('#15181d');
    expect(text).toContain('#a32321');
    expect(text).toContain('#1b549b');
    expect(text).not.toMatch(/var\(|oklab|class=|#eceef2|#15181c/);
    // The screen is as it was.
    expect(box.querySelector('svg')!.outerHTML).toBe(before);
    expect(box.querySelector('figure')!.dataset.theme).toBeUndefined();
    await expect(`${text.replace(/(\d+\.\d{2})\d+/g, '$1')}`).toMatchFileSnapshot('./__pictures__/exported.svg');
  });

  it('writes 7.5 pt text: 11 px where 174 mm are so many pixels', async () => {
    const box = await open('mark-estimates', 640);
    const { blob } = await savedBy(() => figureOf(box).exportSvg());
    const root = parsed(await blob.text()).documentElement;
    const wide = Number(root.getAttribute('viewBox')!.split(' ')[2]);
    const points = (174 / 25.4) * 72;
    expect((11 * points) / wide).toBeCloseTo(7.5, 3);
    expect(wide).toBeCloseTo(pixelsIn(174), 2);
  });

  it('is as wide as a column where it is small', async () => {
    const box = await open('figure-small');
    const { blob } = await savedBy(() => figureOf(box).exportSvg());
    expect(parsed(await blob.text()).documentElement.getAttribute('width')).toBe('84mm');
  });

  it.each(['light', 'dark'])('exports a canvas of %s in light colours, finer than the screen', async (theme) => {
    document.documentElement.dataset.theme = theme;
    const box = await open('mark-heat-map-many', 640);
    const canvas = box.querySelector('canvas')!;
    const { blob } = await savedBy(() => figureOf(box).exportSvg());
    const root = parsed(await blob.text()).documentElement;
    const image = root.querySelector('image')!;
    const picture = new Image();
    picture.src = image.getAttribute('href')!;
    await picture.decode();
    expect(picture.width).toBe(3 * Number(image.getAttribute('width')));
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [picture.width, picture.height];
    const context = copy.getContext('2d')!;
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const has = (r: number, g: number, b: number): boolean => {
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] === 255 && Math.hypot(data[i] - r, data[i + 1] - g, data[i + 2] - b) < 3) return true;
      return false;
    };
    // The ends of the light scale, and not of the dark one.
    expect(has(163, 35, 33)).toBe(true);
    expect(has(27, 84, 155)).toBe(true);
    expect(has(249, 149, 129)).toBe(false);
    // And the one on the screen has its own again.
    expect(canvas.width).toBe(Math.round(parseFloat(canvas.style.width) * Math.max(1, Math.ceil(devicePixelRatio))));
  });

  it('exports long curves as lines, though the screen has them on a canvas', async () => {
    const box = await open('mark-curves-many');
    expect(box.querySelector('canvas')).not.toBeNull();
    const { blob } = await savedBy(() => figureOf(box).exportSvg());
    const root = parsed(await blob.text()).documentElement;
    expect(root.querySelector('image')).toBeNull();
    expect([...root.querySelectorAll('path')].map((path) => path.getAttribute('stroke'))).toContain('#078372');
    expect(box.querySelector('canvas')).not.toBeNull();
  });

  it('exports a PNG of 300 dots per inch that says so', async () => {
    const box = await open('figure-ready');
    const { name, blob } = await savedBy(() => figureOf(box).exportPng());
    expect(name).toBe('which-bar-is-longest.png');
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(16)).toBe(Math.round((84 / 25.4) * 300));
    expect(String.fromCharCode(...bytes.slice(37, 41))).toBe('pHYs');
    expect(view.getUint32(41)).toBe(11811);
    expect(view.getUint32(50)).toBe(crc32(bytes.slice(37, 50)));
    // Known from the specification: the checksum of an empty IEND.
    expect(crc32(Uint8Array.from([...'IEND'].map((letter) => letter.charCodeAt(0))))).toBe(0xae426082);
    const image = await createImageBitmap(blob);
    expect(image.width).toBe(view.getUint32(16));
    // Every text is there, where the SVG has it: in the box of its letters is ink.
    const { blob: other } = await savedBy(() => figureOf(box).exportSvg());
    const holder = document.createElement('div');
    holder.innerHTML = (await other.text()).replace(/^<\?xml.*?\?>/, '');
    document.body.append(holder);
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const root = holder.querySelector('svg')!.getBoundingClientRect();
    const scale = image.width / root.width;
    const texts = [...holder.querySelectorAll('text')];
    expect(texts.length).toBeGreaterThan(6);
    for (const text of texts) {
      const place = text.getBoundingClientRect();
      const { data } = context.getImageData(
        (place.left - root.left) * scale,
        (place.top - root.top) * scale,
        place.width * scale,
        place.height * scale,
      );
      expect(Math.min(...data.filter((_value, i) => i % 4 === 0)), text.textContent ?? '').toBeLessThan(160);
    }
    holder.remove();
  });

  it('has the numbers of its table in its CSV, every digit', async () => {
    const box = await open('figure-ready');
    const { blob } = await savedBy(() => figureOf(box).exportCsv!());
    expect(await blob.text()).toBe('bar,effect (share)\r\nbar 1,0.2\r\nbar 2,-0.5\r\nbar 3,0.9\r\nbar 4,0.4\r\n');
    const json = await savedBy(() => figureOf(box).exportJson!());
    expect(JSON.parse(await json.blob.text())).toMatchObject({
      title: 'Which bar is longest?',
      rows: [{ bar: 'bar 1', effect: 0.2 }, {}, {}, {}],
    });
  });

  it('is one tab stop that says the finding; arrows say each mark, Enter selects', async () => {
    await open('figure-ready');
    const drawing = page.getByRole('application', { name: 'Four bars; the third is longest, .9' });
    (drawing.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowRight}{ArrowRight}');
    await expect.element(page.getByText('bar 3: 0.9', { exact: true })).toBeInTheDocument();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('bar 3: 0.9 selected')).toBeInTheDocument();
    await userEvent.keyboard('{End}');
    await expect.element(page.getByText('bar 4: 0.4', { exact: true })).toBeInTheDocument();
  });

  it('T shows the table of the same numbers, which sorts; T again the drawing', async () => {
    await open('figure-ready');
    (page.getByRole('application').element() as HTMLElement).focus();
    await userEvent.keyboard('t');
    const said = (row: Element): string =>
      [...row.children].map(({ textContent }) => (textContent ?? '').replace(/\s+/g, ' ').trim()).join(' | ');
    const rows = () => page.getByRole('row').elements().map(said);
    await expect.poll(rows).toEqual(['bar | effect, share', 'bar 1 | 0.2', 'bar 2 | −0.5', 'bar 3 | 0.9', 'bar 4 | 0.4']);
    await userEvent.click(page.getByRole('button', { name: 'effect, share' }));
    await expect.poll(() => rows().slice(1)).toEqual(['bar 3 | 0.9', 'bar 4 | 0.4', 'bar 1 | 0.2', 'bar 2 | −0.5']);
    await expect.element(page.getByRole('columnheader', { name: 'effect, share' })).toHaveAttribute('aria-sort', 'descending');
    await userEvent.keyboard('t');
    await expect.element(page.getByRole('application')).toBeInTheDocument();
  });

  it('F fills the window and gives it back; Escape too', async () => {
    const box = await open('figure-ready');
    const figure = box.querySelector('figure')!;
    const narrow = figure.getBoundingClientRect().width;
    (page.getByRole('application').element() as HTMLElement).focus();
    await userEvent.keyboard('f');
    await expect.poll(() => figure.getBoundingClientRect().width).toBe(innerWidth);
    await settled();
    expect(box.querySelector('[data-drawing] svg')!.getBoundingClientRect().width).toBeGreaterThan(innerWidth - 60);
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => figure.getBoundingClientRect().width).toBe(narrow);
  });

  it('of a long table has only the rows in sight', async () => {
    const box = await open('mark-heat-map-many');
    (page.getByRole('application').element() as HTMLElement).focus();
    await userEvent.keyboard('t');
    await expect.poll(() => box.querySelectorAll('tbody tr').length).toBeGreaterThan(5);
    expect(box.querySelectorAll('tbody tr').length).toBeLessThan(60);
    expect(box.querySelector('table')!.getAttribute('aria-rowcount')).toBe('100001');
    const scroller = box.querySelector('.table')!;
    scroller.scrollTop = 26 * 50_000;
    await expect
      .poll(() =>
        [...(box.querySelector('tbody tr[aria-rowindex="50002"]')?.children ?? [])].slice(0, 2).map(({ textContent }) => textContent),
      )
      .toEqual(['125', '0']);
  });

  it('shows blanks only after a while, and what stands in its place', async () => {
    const box = await open('figure-loading');
    await expect.poll(() => box.querySelector('[role=status]')).not.toBeNull();
    await shown!.remove();
    const refused = await open('figure-refused');
    expect(refused.textContent).toContain('too small to divide by');
    await expect.element(page.getByRole('button', { name: 'Show raw logits' })).toBeVisible();
  });

  it('says why there is nothing to export', async () => {
    const box = await open('figure-absent');
    await figureOf(box).exportSvg();
    await expect.element(page.getByRole('alert')).toHaveTextContent('Which bar is longest?: there is nothing drawn yet');
  });

  it.each(['light', 'dark'])('has no violations in any state in %s', async (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const { id } of specimens) {
      const box = await open(id);
      expect(
        (await violations(box)).filter((one) => !/^(region|page-has-heading-one|landmark|heading-order)/.test(one)),
        id,
      ).toEqual([]);
      await shown!.remove();
      shown = undefined;
    }
  });
});
