import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Findings } from '../../../engine/base/findings.ts';
import { fixture } from '../../testing/fixtures.ts';
import { settled } from '../../testing/picture.ts';
import { removeAll, show, violations } from '../../testing/shown.ts';
import Modes from './Modes.svelte';
import * as scenes from './testing/scenes.ts';

afterEach(removeAll);

async function open(scene: scenes.Scene): Promise<HTMLElement> {
  await scene.ready;
  const box = show(Modes, {}, scene.app);
  box.style.cssText = 'display: flex; width: 1356px; height: 826px; background: var(--surface)';
  await settled();
  await settled();
  return box;
}

const figure = (box: HTMLElement, title: string): HTMLElement =>
  [...box.querySelectorAll<HTMLElement>('figure')].find((one) => one.querySelector('h3')?.textContent?.startsWith(title))!;
const drawing = (box: HTMLElement, title: string): HTMLElement => figure(box, title).querySelector('[data-drawing]')!;
const said = (box: HTMLElement, title: string): string => figure(box, title).querySelector(':scope > .heard')!.textContent ?? '';
const labels = (scene: scenes.Scene): string[] =>
  scene.calls.flatMap(({ method, given }) => (method === 'setView' ? ((given as { label?: string }).label ?? []) : []));
const ofPage = /^(region|page-has-heading-one|heading-order|landmark)/;

const gains = (): { threshold: number; gain: number }[] => {
  const { parameters } = fixture<{ adapter: { parameters: Readonly<Record<string, Float32Array>> } }>('units').adapter;
  return [0, 1].flatMap((layer) =>
    [...parameters[`layers.${layer}.gate.threshold`]].map((threshold, i) => ({
      threshold,
      gain: parameters[`layers.${layer}.gate.gain`][i],
    })),
  );
};

describe('the Modes workspace', () => {
  it.each(['light', 'dark'])('has no violations in %s, whatever there is to show', async (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const make of [scenes.sceneOf, scenes.notMeasured, scenes.ungated, scenes.withoutModels, scenes.withoutModes]) {
      document.documentElement.dataset.theme = theme;
      const box = await open(make());
      expect((await violations(box)).filter((one) => !ofPage.test(one))).toEqual([]);
      await removeAll();
    }
  });

  it('goes from unit to unit by arrows, says each, and selects it everywhere', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    drawing(box, 'Units').focus();
    await userEvent.keyboard('{Home}');
    await settled();
    expect(said(box, 'Units')).toMatch(/^Layer 1 · unit 0, \w+\. Threshold τ −0\.37, Gain γ 1\.39, Fires, base 61\.2/);
    await userEvent.keyboard('{ArrowRight}{Enter}');
    await settled();
    const unit = scene.app.selection.unit!;
    expect(unit).toMatch(/^L0U\d+$/);
    expect(said(box, 'Units')).toMatch(/^Selected Layer 1 · unit/);
    await expect.element(page.getByRole('heading', { name: `Layer 1 · unit ${unit.slice(3)}` })).toBeVisible();
    expect(figure(box, 'Threshold').querySelector('text.selected')!.textContent.trim()).toBe(`L1 · ${unit.slice(3)}`);
    // The map shows the second layer: the unit is not in it.
    expect(figure(box, 'Class').querySelector('rect.column')).toBeNull();
    scene.app.selection.select('L1U4');
    await settled();
    expect(figure(box, 'Class').querySelector('rect.column')).not.toBeNull();
  });

  it('reads the class map cell by cell', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    drawing(box, 'Class').focus();
    await userEvent.keyboard('{Home}{ArrowDown}');
    await settled();
    const words = said(box, 'Class');
    const [, unit, name, base] = /^Layer 2 · unit (\d+), class (\d)\. Base ([\d.]+)/.exec(words)!;
    const { axes, measures } = fixture<Findings>('firing');
    const n = axes.unit.values.length;
    expect(Number(base)).toBeCloseTo(measures.base.data[Number(name) * n + axes.unit.values.indexOf(`L1U${unit}`)], 1);
    await userEvent.keyboard('{Enter}');
    expect(scene.app.selection.unit).toBe(`L1U${unit}`);
  });

  it('brushes by a typed range: others fade in every figure, the chip counts, Escape clears', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    await page.getByRole('button', { name: 'Select a range' }).click();
    await page.getByRole('textbox', { name: 'Threshold τ, activation units from' }).fill('0.3');
    await page.getByRole('textbox', { name: 'Threshold τ, activation units to' }).fill('1');
    await page.getByRole('textbox', { name: 'Gain γ from' }).fill('1.1');
    await page.getByRole('textbox', { name: 'Gain γ to' }).fill('2');
    await userEvent.keyboard('{Enter}');
    await settled();
    const within = gains().map(({ threshold, gain }) => threshold >= 0.3 && threshold <= 1 && gain >= 1.1 && gain <= 2);
    const count = within.filter(Boolean).length;
    expect(count).toBeGreaterThan(3);
    await expect.element(page.getByText(`${count} units brushed`).first()).toBeVisible();
    expect([...scene.app.selection.brushed!]).toHaveLength(count);
    const faded = figure(box, 'Units').querySelectorAll('.points :is([fill-opacity="0.42"], [stroke-opacity="0.42"])');
    expect(faded).toHaveLength(96 - count);
    expect(figure(box, 'Class').querySelectorAll('canvas')).toHaveLength(4); // two maps, the strip, the veil
    expect(labels(scene).at(-1)).toBe(`Brush ${count} units`);

    scene.app.selection.clearInnermost();
    await settled();
    expect(scene.app.selection.brushed).toBeUndefined();
    expect(box.querySelector('.brush .region')).toBeNull();
    expect(labels(scene).at(-1)).toBe('Clear the brush');
  });

  it('drags a brush open with the pointer: one step, and clears it by its chip', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    const area = box.querySelector<SVGRectElement>('.brush .area')!;
    // No pointer of the test's own can be captured.
    area.setPointerCapture = () => undefined;
    const { left, top, width, height } = area.getBoundingClientRect();
    const send = (type: string, x: number, y: number): boolean =>
      area.dispatchEvent(new PointerEvent(type, { clientX: left + x * width, clientY: top + y * height, bubbles: true, button: 0 }));
    const before = labels(scene).length;
    send('pointerdown', 0.05, 0.05);
    for (const share of [0.2, 0.5, 0.7]) {
      send('pointermove', share, share);
      await settled();
    }
    expect(labels(scene)).toHaveLength(before);
    expect(box.querySelector('.brush .region')).not.toBeNull();
    send('pointerup', 0.7, 0.7);
    await settled();
    expect(labels(scene).slice(before)).toEqual([`Brush ${scene.app.selection.brushed!.size} units`]);
    await page.getByRole('button', { name: 'Clear the brush' }).click();
    await settled();
    expect(scene.app.selection.brushed).toBeUndefined();
  });

  it('switches the network, and says where the base has nothing to draw', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    await page.getByRole('radio', { name: 'Base', exact: true }).click();
    await settled();
    expect(figure(box, 'Threshold').textContent).toContain('The base has no gates');
    await page.getByRole('button', { name: 'Show firing, base × mode' }).click();
    await settled();
    expect(figure(box, 'Firing in base').querySelectorAll('.points circle').length).toBeGreaterThan(80);
    await page.getByRole('radio', { name: 'LoRA r = 4' }).click();
    await settled();
    expect(figure(box, 'Class').textContent).toContain('LoRA r = 4');
    expect(labels(scene).slice(-3)).toEqual(['Show the base', 'Change the axes', 'Show the other adapter']);
  });

  it('moves along the path by keys, and keeps a place as a mode', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    page
      .getByRole('slider', { name: /^Place on the path/ })
      .element()
      .focus();
    await userEvent.keyboard('{Shift>}{ArrowLeft}{ArrowLeft}{/Shift}');
    await settled();
    expect(labels(scene).at(-1)).toBe('Move to 80\u202f% of the mode');
    expect(figure(box, 'Class').textContent).toContain('Firing is of the mode itself');
    await page.getByRole('button', { name: 'Keep as a mode' }).click();
    const work = scene.calls.find(({ method }) => method === 'run')!.given;
    const newest = scene.app.session!.models.filter(({ gated }) => gated).sort((a, b) => b.at.localeCompare(a.at))[0];
    expect(work).toEqual({ kind: 'interpolate', model: newest.digest, share: 0.8 });
  });

  it('knocks out the selected unit by its action, counts it, and frees it', async () => {
    const scene = scenes.sceneOf();
    const box = await open(scene);
    scene.app.selection.select('L1U4');
    expect(scene.app.actions.run('modes.unit.shut')).toBe(true);
    await settled();
    await expect.element(page.getByText('1 unit forced')).toBeVisible();
    expect(figure(box, 'Units').querySelectorAll('line.forced')).toHaveLength(1);
    await page.getByRole('button', { name: 'Free all units' }).click();
    await settled();
    expect(figure(box, 'Units').querySelectorAll('.forced')).toHaveLength(0);
  });

  it('measures what is missing with one click, and says what that costs before', async () => {
    const scene = scenes.notMeasured();
    await open(scene);
    await page.getByRole('button', { name: 'Measure 5 analyses, about 30\u202fs' }).first().click();
    await settled();
    const ran = scene.calls.filter(({ method }) => method === 'run').map(({ given }) => (given as { analysis: string }).analysis);
    expect(ran).toEqual(['firing', 'categories', 'contributions', 'topImages', 'receptiveFields']);
  });

  it('teaches where there is nothing yet, and leads to the next step', async () => {
    const scene = scenes.withoutModels();
    await open(scene);
    await expect.element(page.getByRole('heading', { name: 'Train a foundation' })).toBeVisible();
    await expect.element(page.getByRole('button', { name: /^Thresholds and gains/ })).toBeDisabled();
    await page.getByRole('button', { name: /^Train on MNIST/ }).click();
    expect(scene.app.workspace).toBe('train');
    await removeAll();
    const alone = scenes.withoutModes();
    await open(alone);
    await expect.element(page.getByText('Done')).toBeVisible();
    await page.getByRole('button', { name: /^Thresholds and gains/ }).click();
    expect(alone.app.workspace).toBe('train');
  });

  it('draws ten thousand units on a canvas, and finds each under the pointer', async () => {
    const scene = scenes.wide([5000, 5000]);
    const box = await open(scene);
    expect(figure(box, 'Units').querySelectorAll('.points circle')).toHaveLength(0);
    drawing(box, 'Units').focus();
    await userEvent.keyboard('{End}');
    await settled();
    expect(said(box, 'Units')).toMatch(/^Layer 2 · unit 4999/);
    expect(figure(box, 'Class').textContent).toMatch(/\d+ units in a column: the largest/);
  });
});
