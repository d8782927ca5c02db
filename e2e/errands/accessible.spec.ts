/** GIVEN whoever cannot use a mouse, or not see THEN every place is free of what axe finds wrong, and everything is reached by keys. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/lab.ts';

/** In its legacy mode axe needs no page of its own, which Electron could not give it. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page })
    .setLegacyMode()
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
}

test('no place breaks a rule of accessibility, in light or dark', async ({ lab }) => {
  const { home, train, modes, frame, page } = lab;
  const found: Record<string, string[]> = {};
  const look = async (place: string): Promise<void> => {
    for (const theme of ['Light', 'Dark']) {
      await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme.toLowerCase());
      const wrong = await violations(page);
      if (wrong.length > 0) found[`${place}, ${theme.toLowerCase()}`] = wrong;
    }
  };
  await expect(home.session('Dopamine on MNIST')).toBeVisible();
  await look('Home');
  await home.open('Dopamine on MNIST');
  await frame.goTo('Modes');
  await modes.selectUnit(1);
  await expect(modes.answers).toHaveCount(4);
  await look('Modes');
  await frame.goTo('Train');
  await expect(train.table).toBeVisible();
  await look('Train');
  await page.keyboard.press('Control+k');
  await expect(frame.dialog).toBeVisible();
  await look('palette');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(frame.dialog).toContainText('Keyboard');
  await look('dialog');
  await page.keyboard.press('Escape');
  await frame.goTo('Settings');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await look('Settings');
  expect(found).toEqual({});
});

test('F6 goes from pane to pane, and the palette reaches every action there is', async ({ lab }) => {
  const { home, modes, frame, page } = lab;
  await home.open('Dopamine on MNIST');
  await frame.goTo('Modes');
  await modes.selectUnit(1);
  await expect(modes.unit).toBeVisible();

  const panes: string[] = [];
  const pane = () =>
    page.evaluate(() => {
      const own = document.activeElement?.closest('[data-pane]');
      return own ? (own.getAttribute('aria-label') ?? own.tagName.toLowerCase()) : '';
    });
  await frame.titleBar.getByRole('button', { name: 'Help' }).focus();
  do {
    panes.push(await pane());
    await page.keyboard.press('F6');
  } while (!panes.includes(await pane()) && panes.length < 20);
  expect(panes).toEqual(expect.arrayContaining(['header', 'Workspaces', 'Modes: what is shown', 'Inspector']));
  await page.keyboard.press('Shift+F6');
  expect(await pane()).toBe(panes.at(-1));

  // What the list of keys names, the palette finds.
  await page.keyboard.press('?');
  await expect(frame.dialog).toContainText('Keyboard');
  await page.keyboard.press('Escape');
  const find = page.getByRole('combobox', { name: 'Search or run a command' });
  for (const [typed, title] of [
    ['knock', 'Knock out the unit'],
    ['show base', 'Show the base'],
    ['new session', 'New session'],
    ['png', 'Export the figure as PNG…'],
    ['undo', 'Undo'],
    ['dark', 'Dark theme'],
    ['devices', 'Check devices against the reference'],
    ['tour', 'Tour'],
    ['train', 'Train'],
    ['rename', 'Rename the session…'],
    ['L0U5', 'L0U5'],
  ]) {
    await page.keyboard.press('Control+k');
    await find.fill(typed);
    await expect(page.getByRole('option').filter({ hasText: title }).first(), typed).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(find).toBeHidden();
  }
  await page.keyboard.press('Control+k');
  await find.fill('show base');
  await page.keyboard.press('Enter');
  await expect(modes.form('Base')).toBeChecked();
});
