import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { adaptersProps } from '../../../gallery/specimens/adapters.ts';
import type { Snapshot } from '../../../../main/host/hostApi.ts';
import { fixture } from '../../../testing/fixtures.ts';
import { settled } from '../../../testing/picture.ts';
import { removeAll, show, violations } from '../../../testing/shown.ts';
import Adapters from './Adapters.svelte';
import type { AdaptersView } from './adaptersView.ts';

const { models } = fixture<Snapshot>('snapshot');

afterEach(removeAll);

async function open(changes: Partial<typeof adaptersProps> = {}): Promise<HTMLElement> {
  const box = show(Adapters, { ...adaptersProps, ...changes });
  box.style.cssText = 'width: 356px; height: 420px; background: var(--surface)';
  await settled();
  return box;
}

const drawing = (): HTMLElement => document.querySelector<HTMLElement>('[data-drawing]')!;
const said = (): string => document.querySelector('figure > .heard')!.textContent;

async function press(keys: string): Promise<string> {
  drawing().focus();
  await userEvent.keyboard(keys);
  await settled();
  return said();
}

const views: readonly AdaptersView[] = ['paired', 'parameters', 'angles', 'frontier', 'path'];

describe('adapters', () => {
  it.each(['light', 'dark'])('have no violations in %s, in any look', async (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const view of views) {
      const box = await open({ view });
      expect(
        (await violations(box)).filter((one) => !/^(region|page-has-heading-one|heading-order|landmark)/.test(one)),
        view,
      ).toEqual([]);
      await removeAll();
      document.documentElement.dataset.theme = theme;
    }
  });

  it('walk by rows and sides, say what is there, and choose the mode', async () => {
    const onChoose = vi.fn();
    await open({ onChoose });
    expect(await press('{ArrowDown}')).toBe('Threshold only, gain at 45°: +0.30 [+0.21, +0.42] points');
    expect(await press('{ArrowRight}')).toBe('Threshold only, change at 0°: −0.01 [−0.18, +0.10] points');
    expect(await press('{ArrowDown}')).toMatch(/^threshold, hardened, change at 0°/);
    expect(await press('{End}')).toMatch(/^Full fine-tune/);
    await press('{Enter}');
    const full = models.find(({ adapter, base }) => adapter === 'full' && base === models[0].digest)!;
    expect(onChoose).toHaveBeenCalledExactlyOnceWith(full.digest);
    expect(document.querySelector('.hovered')).not.toBeNull();
    await press('{Escape}');
    expect(document.querySelector('.hovered')).toBeNull();
  });

  it('have every number in their tables', async () => {
    const rows: Record<AdaptersView, number> = { paired: 10 * 2 * 4, parameters: 8, angles: 9 * 7, frontier: 5, path: 2 * 2 * 11 };
    for (const view of views) {
      await open({ view });
      await press('t');
      const table = page.getByRole('table');
      await expect.element(table).toHaveAttribute('aria-rowcount', String(rows[view] + 1));
      await removeAll();
    }
  });

  it('cost: from the cheapest to the dearest', async () => {
    await open({ view: 'parameters' });
    expect(await press('{Home}')).toBe('Threshold only, 96 parameters: +0.30 [+0.21, +0.42] points');
    expect(await press('{End}')).toMatch(/^Full fine-tune, 52\u202f650 parameters/);
    expect(document.querySelectorAll('svg[role=img] > g:not(.axis) circle')).toHaveLength(8);
  });

  it('angles: the mode first, then the next better and worse, and the chosen one', async () => {
    const onChoose = vi.fn();
    await open({ view: 'angles', onChoose });
    expect(await press('{ArrowRight}')).toBe('Dopamine τ + γ, 0°: 90.09\u202f%');
    const better = Number(/, 0°: ([\d.]+)/.exec(await press('{ArrowUp}'))![1]);
    expect(better).toBeGreaterThanOrEqual(90.09);
    expect(await press('{ArrowDown}')).toBe('Dopamine τ + γ, 0°: 90.09\u202f%');
    expect(await press('{End}')).toMatch(/, 90°: \d/);
    await press('{Enter}');
    expect(onChoose).toHaveBeenCalledTimes(1);
  });

  it('sparsity: says which λ is chosen, and chooses another', async () => {
    const onChoose = vi.fn();
    await open({ view: 'frontier', onChoose });
    expect(drawing().getAttribute('aria-label')).toBe(
      'Accuracy against units on: λ = 1 is chosen, 86.5\u202f% with 20.3\u202f% of units on; −4.58 points on test images against the densest',
    );
    expect(await press('{End}')).toBe('λ = 0: 67.6\u202f% of units on, soft 91.02\u202f%, hard 91.14\u202f%');
    expect(await press('{Home}{ArrowRight}')).toMatch(/^λ = 1, chosen: /);
  });

  it('path: Enter goes to a place on it', async () => {
    const onShare = vi.fn();
    await open({ view: 'path', onShare, share: 1 });
    expect(await press('{ArrowLeft}')).toMatch(/^90\u202f% of the mode: 0° soft \d/);
    await press('{Enter}');
    expect(onShare).toHaveBeenCalledExactlyOnceWith(0.9);
  });

  it('are switched, measured where they were not run, and only read where nothing may run', async () => {
    const [onView, onRun] = [vi.fn(), vi.fn()];
    const paired = { state: 'absent', key: 'k' } as const;
    await open({ onView, onRun, paired, seconds: 41 });
    await page.getByRole('combobox', { name: 'What is compared' }).selectOptions('sparsity');
    expect(onView).toHaveBeenCalledExactlyOnceWith('frontier');
    await page.getByRole('button', { name: 'Measure it, 41\u202fs' }).click();
    expect(onRun).toHaveBeenCalledExactlyOnceWith('paired');
    await removeAll();
    await open({ hardened: paired, onRun });
    await page.getByRole('button', { name: 'Harden' }).click();
    expect(onRun).toHaveBeenCalledTimes(2);
    await removeAll();
    await open({ paired, onRun: undefined });
    await expect.element(page.getByText(/this session is open to be read only/)).toBeVisible();
    expect(document.querySelector('.panel button')).toBeNull();
  });
});
