/** What a person does in Modes, as a round of stated actions that ends where it began: what bench/window/memory.ts repeats. */
import type { Locator, Page } from '@playwright/test';
import { liveDigit } from './home.ts';

export interface Act {
  readonly name: string;
  readonly run: (page: Page) => Promise<void>;
}

const figure = (page: Page, name: string): Locator => page.getByRole('figure', { name });
const drawing = (page: Page, name: string): Locator => figure(page, name).locator('[data-drawing]');
const unitMark = (page: Page, figureName: string, index: number): Locator =>
  figure(page, figureName).locator('svg.points > :is(circle, path)').nth(index);
const SCATTER = 'Threshold × gain';

async function clickMark(page: Page, figureName: string, index: number, modifier?: 'Control'): Promise<void> {
  // Marks let the pointer through to their figure: it is clicked at their place.
  const { x, y, width, height } = (await unitMark(page, figureName, index).boundingBox())!;
  if (modifier) await page.keyboard.down(modifier);
  await page.mouse.click(x + width / 2, y + height / 2);
  if (modifier) await page.keyboard.up(modifier);
}

async function dragBrush(page: Page): Promise<void> {
  const { x, y, width, height } = (await figure(page, SCATTER).locator('.brush .area').boundingBox())!;
  await page.mouse.move(x + 0.3 * width, y + 0.3 * height);
  await page.mouse.down();
  for (let step = 1; step <= 6; step++) await page.mouse.move(x + (0.3 + 0.08 * step) * width, y + (0.3 + 0.08 * step) * height);
  await page.mouse.up();
  await page.getByRole('button', { name: 'Clear the brush' }).waitFor();
}

const chooseForm = (name: string): Act => ({
  name: `show ${name}`,
  run: (page) => page.getByRole('radiogroup', { name: 'Network' }).getByRole('radio', { name, exact: true }).click(),
});

const turn = (key: string): Act => ({
  name: `turn the dial by five times ${key}`,
  run: async (page) => {
    const slider = liveDigit(page).getByRole('slider', { name: 'Angle' });
    for (let i = 0; i < 5; i++) await slider.press(key);
  },
});

/** By the rail: on Home the keys of workspaces are those of recent sessions. */
const go = (name: string, shown: (page: Page) => Locator): Act => ({
  name: `go to ${name}`,
  run: async (page) => {
    await page.getByRole('navigation', { name: 'Workspaces' }).getByRole('button', { name, exact: true }).click();
    await shown(page).waitFor();
  },
});

const inspector = (page: Page): Locator => page.getByRole('complementary', { name: 'Inspector' });
const force = (to: string): Act => ({
  name: `hold the unit ${to.toLowerCase()}`,
  run: (page) => inspector(page).getByRole('radiogroup', { name: 'Force' }).getByRole('radio', { name: to, exact: true }).click(),
});

/** Twenty-five, so that every fiftieth finds the window as it was. */
export const round: readonly Act[] = [
  { name: 'select a unit in the field', run: (page) => clickMark(page, 'Units', 5) },
  { name: 'select another in the field', run: (page) => clickMark(page, 'Units', 20) },
  { name: 'select one in the scatter', run: (page) => clickMark(page, SCATTER, 12) },
  { name: 'pin one', run: (page) => clickMark(page, 'Units', 30, 'Control') },
  { name: 'unpin it', run: (page) => clickMark(page, 'Units', 30, 'Control') },
  { name: 'select the first again', run: (page) => clickMark(page, 'Units', 5) },
  force('Shut'),
  force('Free'),
  chooseForm('Base'),
  chooseForm('Mode, hard'),
  chooseForm('Mode, soft'),
  turn('ArrowUp'),
  turn('ArrowDown'),
  { name: 'brush units in the scatter', run: dragBrush },
  { name: 'clear the brush', run: (page) => page.getByRole('button', { name: 'Clear the brush' }).click() },
  { name: 'undo', run: (page) => page.keyboard.press('Control+z') },
  { name: 'redo', run: (page) => page.keyboard.press('Control+Shift+Z') },
  {
    name: 'open the table of the units',
    run: async (page) => {
      await drawing(page, 'Units').focus();
      await page.keyboard.press('t');
      await figure(page, 'Units').getByRole('table').or(figure(page, 'Units').getByRole('grid')).first().waitFor();
    },
  },
  {
    name: 'close it',
    run: async (page) => {
      await figure(page, 'Units')
        .getByRole('button', { name: /table, export$/ })
        .focus();
      await page.keyboard.press('t');
      await drawing(page, 'Units').waitFor();
    },
  },
  {
    name: 'open the palette and type',
    run: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog', { name: 'Command palette' }).getByRole('combobox').fill('figure');
    },
  },
  {
    name: 'close the palette',
    run: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name: 'Command palette' }).waitFor({ state: 'detached' });
    },
  },
  go('Train', (page) => page.getByRole('main').getByRole('figure').first()),
  go('Home', (page) => page.getByRole('grid', { name: 'Sessions' })),
  go('Modes', (page) => drawing(page, 'Units')),
  { name: 'let go of the unit', run: (page) => page.keyboard.press('Escape') },
];
