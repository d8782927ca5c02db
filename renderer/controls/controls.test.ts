import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import Pencil from '@lucide/svelte/icons/pencil';
import { fakeApp } from '../testing/fakeHost.ts';
import { settled } from '../testing/picture.ts';
import { removeAll, show, violations } from '../testing/shown.ts';
import Controls from '../gallery/specimens/Controls.svelte';
import Button from './Button.svelte';
import Field from './Field.svelte';
import IconButton from './IconButton.svelte';
import MenuBench from './testing/MenuBench.svelte';
import DialogBench from './testing/DialogBench.svelte';
import Segmented from './Segmented.svelte';
import Select from './Select.svelte';
import Slider from './Slider.svelte';
import SplitBench from './testing/SplitBench.svelte';
import TipLayer from './TipLayer.svelte';
import { tip } from './tip.svelte.ts';
import { createRawSnippet } from 'svelte';

afterEach(async () => {
  tip.release();
  await removeAll();
});

const options = [
  { value: 'free', label: 'Free' },
  { value: 'open', label: 'Open', disabled: true },
  { value: 'shut', label: 'Shut' },
];

describe('controls', () => {
  it.each(['light', 'dark'])('have no violations in %s', async (theme) => {
    document.documentElement.dataset.theme = theme;
    document.body.style.background = 'var(--surface)';
    const box = show(Controls, {});
    await settled();
    // Alone on a page it has neither landmarks nor headings.
    expect((await violations(box)).filter((one) => !/^(region|page-has-heading-one|landmark)/.test(one))).toEqual([]);
    document.body.style.background = '';
  });

  it('a busy button says so and does nothing', async () => {
    const onclick = vi.fn();
    show(Button, { busy: true, onclick, children: createRawSnippet(() => ({ render: () => '<span>Check</span>' })) });
    const button = page.getByRole('button', { name: 'Check' });
    await expect.element(button).toHaveAttribute('aria-busy', 'true');
    (button.element() as HTMLElement).click();
    expect(onclick).not.toHaveBeenCalled();
  });

  it('segmented: arrows choose, and pass over what is disabled', async () => {
    const onChange = vi.fn();
    show(Segmented, { label: 'Unit', options, value: 'free', onChange });
    await userEvent.tab();
    expect(document.activeElement?.textContent?.trim()).toBe('Free');
    await userEvent.keyboard('{ArrowRight}');
    expect(onChange).toHaveBeenLastCalledWith('shut');
    await userEvent.keyboard('{ArrowRight}');
    expect(onChange).toHaveBeenLastCalledWith('shut');
  });

  it('select: says what was chosen, and keeps what its owner keeps', async () => {
    const onChange = vi.fn();
    show(Select, { label: 'Group', options, value: 'free', onChange });
    const select = page.getByRole('combobox', { name: 'Group' });
    await userEvent.selectOptions(select, 'shut');
    expect(onChange).toHaveBeenCalledWith('shut');
    await expect.element(select).toHaveValue('free');
  });

  it('slider: an arrow is one step, with Shift ten, never beyond its ends', async () => {
    const heard: number[] = [];
    const kept: number[] = [];
    show(Slider, {
      label: 'Share',
      least: 0,
      most: 1,
      step: 0.05,
      value: 0.4,
      onInput: (v: number) => void heard.push(v),
      onChange: (v: number) => void kept.push(v),
    });
    await userEvent.tab();
    const passed: string[] = [];
    const hear = ({ key }: KeyboardEvent): void => void passed.push(key);
    addEventListener('keydown', hear);
    await userEvent.keyboard('{ArrowRight}');
    await userEvent.keyboard('{Shift>}{ArrowRight}{/Shift}');
    await userEvent.keyboard('{Shift>}{ArrowLeft}{/Shift}');
    await userEvent.keyboard('.');
    removeEventListener('keydown', hear);
    // Keys that mean nothing to it are the window's.
    expect(passed.filter((key) => key !== 'Shift')).toEqual(['.']);
    expect(heard).toEqual([0.45, 0.9, 0]);
    expect(kept).toEqual(heard);
  });

  it('field: says a value when it is left, shows why it was refused, and is reset', async () => {
    const onChange = vi.fn();
    const onReset = vi.fn();
    show(Field, { label: 'Rank', value: '512', changedFrom: '4', error: 'Rank must be at most 128, got 512', onChange, onReset });
    const input = page.getByRole('textbox', { name: 'Rank' });
    await expect.element(input).toHaveAccessibleDescription('Rank must be at most 128, got 512');
    await expect.element(input).toHaveAttribute('aria-invalid', 'true');
    await input.fill('8');
    expect(onChange).not.toHaveBeenCalled();
    await userEvent.keyboard('{Enter}');
    expect(onChange).toHaveBeenCalledWith('8');
    await page.getByRole('button', { name: 'Rank was 4: reset' }).click();
    expect(onReset).toHaveBeenCalledOnce();
  });

  it('menu: opens by key, moves by arrows and letters, gives the focus back', async () => {
    const onSelect = vi.fn();
    show(MenuBench, { onSelect });
    const trigger = page.getByRole('button', { name: 'More' });
    (trigger.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowDown}');
    await expect.poll(() => document.activeElement?.textContent?.trim()).toBe('Open');
    await userEvent.keyboard('{ArrowDown}');
    expect(document.activeElement?.textContent).toContain('Rename');
    await userEvent.keyboard('d');
    expect(document.activeElement?.textContent).toContain('Delete');
    await userEvent.keyboard('{Enter}');
    expect(onSelect).toHaveBeenCalledExactlyOnceWith('delete');
    expect(document.activeElement).toBe(trigger.element());
    await userEvent.keyboard('{ArrowDown}');
    await expect.element(page.getByRole('menu')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(trigger).toHaveAttribute('aria-expanded', 'false');
  });

  it('dialog: the primary button has the focus, Esc closes, the focus goes back', async () => {
    show(DialogBench, {});
    const opener = page.getByRole('button', { name: 'Ask' });
    await opener.click();
    await expect.element(page.getByRole('dialog', { name: 'Sure?' })).toBeVisible();
    expect(document.activeElement?.textContent?.trim()).toBe('Do it');
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => document.querySelector('dialog')).toBeNull();
    expect(document.activeElement).toBe(opener.element());
  });

  it('split: arrows move the line, sizes are kept, a double click resets', async () => {
    const { app } = fakeApp();
    await expect.poll(() => app.about).toBeDefined();
    const box = show(SplitBench, {}, app);
    await settled();
    const first = box.querySelector<HTMLElement>('.pane')!;
    expect(first.offsetWidth).toBe(200);
    const line = page.getByRole('separator');
    (line.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowRight}');
    await expect.poll(() => first.offsetWidth).toBe(216);
    await expect.poll(() => app.settings.window['split.bench']).toEqual([216, null]);
    for (let i = 0; i < 12; i++) await userEvent.keyboard('{ArrowLeft}');
    await expect.poll(() => first.offsetWidth).toBe(120);
    await line.dblClick();
    await expect.poll(() => first.offsetWidth).toBe(200);
  });

  it('tooltip: shows on focus by key, stays in the window, is kept by a click and goes by Esc', async () => {
    show(TipLayer, {});
    const box = show(IconButton, { icon: Pencil, label: 'Rename', keys: 'F2', onclick: () => undefined });
    box.style.cssText = 'position:fixed;right:0;bottom:0';
    await userEvent.tab();
    const layer = page.getByRole('tooltip');
    await expect.element(layer).toMatchTextContent(/Rename\s*F2/);
    await settled();
    const { right, bottom } = layer.element().getBoundingClientRect();
    expect(right).toBeLessThanOrEqual(innerWidth);
    expect(bottom).toBeLessThanOrEqual(innerHeight);
    tip.release();
    tip.show({ x: 10, y: 10, title: 'L1U41', rows: [{ label: 'Gain γ', value: '1.62' }] });
    tip.keep();
    tip.hide();
    await expect.element(layer).toMatchTextContent('L1U41');
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => tip.shown).toBeUndefined();
  });
});
