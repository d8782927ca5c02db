import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { brushProps, modeProps, unitProps } from '../../../gallery/specimens/inspector.ts';
import { settled } from '../../../testing/picture.ts';
import { removeAll, show, violations } from '../../../testing/shown.ts';
import { ModesState } from '../modesState.svelte.ts';
import { sceneOf, type Scene } from '../testing/scenes.ts';
import BrushInspector from './BrushInspector.svelte';
import Inspector from './Inspector.svelte';
import ModeInspector from './ModeInspector.svelte';
import UnitInspector from './UnitInspector.svelte';

afterEach(removeAll);

const absent = { state: 'absent', key: 'k' } as const;

async function sized(box: HTMLElement): Promise<HTMLElement> {
  box.style.cssText = 'width: 312px; background: var(--surface)';
  await settled();
  return box;
}

const openUnit = (changes: Partial<typeof unitProps> = {}): Promise<HTMLElement> =>
  sized(show(UnitInspector, { ...unitProps, ...changes }));

const ofPage = /^(region|page-has-heading-one|heading-order|landmark)/;

describe('inspector', () => {
  it.each(['light', 'dark'])('has no violations in %s: unit, brushed units, mode', async (theme) => {
    const boxes = [
      () => openUnit(),
      () => openUnit({ unit: 'L0U4', held: 'free', forced: undefined }),
      () => openUnit({ receptiveFields: absent, categories: absent, contributions: absent, interchange: absent }),
      () => sized(show(BrushInspector, brushProps)),
      () => sized(show(ModeInspector, modeProps)),
    ];
    for (const open of boxes) {
      document.documentElement.dataset.theme = theme;
      expect((await violations(await open())).filter((one) => !ofPage.test(one))).toEqual([]);
      await removeAll();
    }
  });

  it('says what the unit adds on digits of a class, by keys', async () => {
    const box = await openUnit();
    box.querySelector<HTMLElement>('[data-drawing]')!.focus();
    await userEvent.keyboard('{Home}{ArrowDown}');
    await settled();
    expect(box.querySelector('figure > .heard')!.textContent).toMatch(
      /^Logit 1: [+−]\d\.\d\d over all digits, [+−]\d\.\d\d on digits that are 1$/,
    );
    expect(box.querySelectorAll('.own')).toHaveLength(10);
    await userEvent.keyboard('t');
    // Ten logits over all digits, and over those of each of ten classes.
    await expect.element(page.getByRole('table')).toHaveAttribute('aria-rowcount', String(1 + 10 + 100));
  });

  it('holds the unit, and only what has gates can be held open', async () => {
    const onForce = vi.fn();
    await openUnit({ onForce });
    await page.getByRole('radio', { name: 'Open' }).click();
    await page.getByRole('radio', { name: 'Free' }).click();
    expect(onForce.mock.calls).toEqual([['open'], ['free']]);
    await removeAll();
    await openUnit({ canOpen: false });
    await expect.element(page.getByRole('radio', { name: 'Open' })).toBeDisabled();
  });

  it('shows the digits whose answer changes, page by page, and picks one to be live', async () => {
    const onPick = vi.fn();
    const box = await openUnit({ onPick });
    const under = (): (string | null)[] => [...box.querySelectorAll('li > span')].map(({ textContent }) => textContent);
    expect(under()).toEqual(['7 → 1', '7 → 9', '7 → 1', '2 → 1', '7 → 1', '7 → 4']);
    await expect.element(page.getByText('1 – 6 of 61 digits')).toBeVisible();
    const later = page.getByRole('button', { name: 'Digits after' });
    for (let i = 0; i < 10; i++) await later.click();
    await expect.element(page.getByText('61 – 61 of 61 digits')).toBeVisible();
    await expect.element(later).toBeDisabled();
    expect(under()).toHaveLength(1);
    const picture = [...box.querySelectorAll<HTMLButtonElement>('li > button')].at(-1)!;
    picture.click();
    expect(onPick).toHaveBeenCalledTimes(1);
    expect(picture.getAttribute('aria-label')).toContain(`Test digit ${String(onPick.mock.calls[0][0])}`);
  });

  it('has a button with its cost for each part that was not run, and none where the session is only read', async () => {
    const onRun = vi.fn();
    const nothing = {
      categories: absent,
      receptiveFields: absent,
      topImages: absent,
      contributions: absent,
      interchange: absent,
      forced: absent,
    };
    await openUnit({ ...nothing, onRun, seconds: { interchange: 0.2 } });
    await page.getByRole('button', { name: 'Swap it, 0.2\u202fs' }).click();
    await page.getByRole('button', { name: 'Draw it' }).click();
    expect(onRun.mock.calls).toEqual([['interchange'], ['receptiveFields']]);
    await removeAll();
    const box = await openUnit({ ...nothing, onRun: undefined, writable: false });
    expect([...box.querySelectorAll('button')].map((button) => button.textContent.trim()).filter(Boolean)).toEqual([
      'Free',
      'Open',
      'Shut',
    ]);
    expect(box.querySelector('textarea')).toBeNull();
  });
});

describe('inspector in its workspace', () => {
  async function open(scene: Scene): Promise<Scene> {
    await scene.ready;
    const modes = new ModesState(scene.app);
    await sized(show(Inspector, { modes }, scene.app));
    return scene;
  }

  const asked = (scene: Scene, method: string): unknown[] => scene.calls.filter((call) => call.method === method).map(({ given }) => given);

  it('goes from the mode to the unit that is selected, holds it, and notes it', async () => {
    const scene = await open(sceneOf());
    await expect.element(page.getByRole('heading', { name: 'Dopamine τ + γ' })).toBeVisible();
    scene.app.selection.select('L1U5');
    await expect.element(page.getByRole('heading', { name: 'Layer 2 · unit 5' })).toBeVisible();
    await page.getByRole('radio', { name: 'Shut' }).click();
    const mode = scene.app.session!.models.find(({ adapter, seed }) => adapter === 'dopamine' && seed === 0)!;
    await expect.poll(() => asked(scene, 'setView').at(-1)).toMatchObject({ name: 'modes.forced', label: 'Force Layer 2 · unit 5 shut' });
    await expect.element(page.getByRole('radio', { name: 'Shut' })).toHaveAttribute('aria-checked', 'true');
    const note = page.getByRole('textbox', { name: 'Note on Layer 2 · unit 5' });
    await note.fill('leans left');
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    await expect.poll(() => asked(scene, 'addNote')).toHaveLength(1);
    expect(asked(scene, 'addNote')[0]).toMatchObject({ subject: { kind: 'model', unit: 'L1U5' }, text: 'leans left' });
    expect(mode.kind).toBe('adapted');
    await page.getByRole('button', { name: 'Pin', exact: true }).click();
    expect(scene.app.selection.pinned).toEqual(['L1U5']);
  });

  it('holds brushed units in one step', async () => {
    const scene = await open(sceneOf());
    const units = ['L0U1', 'L0U3', 'L1U5'];
    scene.app.selection.brush('test', new Set(units));
    await expect.element(page.getByRole('heading', { name: '3 units brushed' })).toBeVisible();
    const before = asked(scene, 'setView').length;
    await page.getByRole('radio', { name: 'Shut' }).click();
    await expect.poll(() => asked(scene, 'setView').length).toBe(before + 1);
    const { value, label } = asked(scene, 'setView').at(-1) as { value: Record<string, Record<string, string>>; label: string };
    expect(Object.values(value)).toEqual([{ L0U1: 'shut', L0U3: 'shut', L1U5: 'shut' }]);
    expect(label).toBe('Force 3 units shut');
    await page.getByRole('button', { name: 'L2 · 5' }).click();
    await expect.element(page.getByRole('heading', { name: 'Layer 2 · unit 5' })).toBeVisible();
  });

  it('takes the model along as a file', async () => {
    const saved = vi.fn(async (name: string) => `/home/ada/${name}`);
    vi.stubGlobal('desktop', { saveFile: saved });
    try {
      const scene = await open(sceneOf());
      await page.getByRole('button', { name: 'Export the model' }).click();
      await page.getByRole('menuitem', { name: /model\.py/ }).click();
      await expect.poll(() => saved.mock.calls.length).toBe(1);
      expect(asked(scene, 'exportFile')).toMatchObject([{ what: 'model', format: 'py' }]);
      await expect.poll(() => scene.app.notices.at(-1)?.title).toBe('Saved as /home/ada/model.py');
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
