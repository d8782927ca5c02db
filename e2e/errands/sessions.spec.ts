/** GIVEN a few sessions WHEN somebody keeps order among them THEN each is what it was told to be, and what was deleted comes back. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '../fixtures/lab.ts';

test('sessions are named, noted, copied, found, deleted and brought back', async ({ lab }) => {
  const { home, frame, page } = lab;
  await home.newSession();
  await expect(frame.titleBar).toContainText('Untitled');
  await frame.goTo('Home');

  await home.session('Untitled').click();
  await home.session('Untitled').press('F2');
  await page.getByRole('textbox', { name: 'Name' }).fill('Harbour');
  await page.keyboard.press('Enter');
  await expect(home.session('Harbour')).toBeFocused();
  await expect(frame.titleBar).toContainText('Harbour');

  const note = home.preview.getByRole('textbox', { name: 'Note on the session' });
  await note.fill('Gates that stay open');
  await note.press('Tab');
  await expect(home.session('Harbour')).toContainText('Gates that stay open');

  await home.choose('Harbour', 'Duplicate');
  await expect(home.session('Harbour copy')).toBeVisible();
  await home.search.fill('harbour');
  await expect(home.list.getByRole('row', { name: /Harbour/ })).toHaveCount(2);
  await home.search.fill('copy');
  await expect(home.session('Harbour')).toBeHidden();
  await expect(home.session('Harbour copy')).toBeVisible();
  await home.search.fill('meadow');
  await expect(home.list).toContainText('No session is called “meadow”');
  await home.search.fill('');

  await home.session('Harbour copy').click();
  await home.session('Harbour copy').press('Delete');
  await expect(home.list).toContainText('“Harbour copy” deleted.');
  await home.list.getByRole('button', { name: 'Undo' }).click();
  await expect(home.session('Harbour copy')).toContainText('Gates that stay open');

  await lab.reopen();
  await expect(lab.home.session('Harbour')).toContainText('Gates that stay open');
  await expect(lab.home.session('Harbour copy')).toBeVisible();
});

test('what is dropped on the window is opened, or the window says why not', async ({ lab, where }) => {
  const { frame, page, home } = lab;
  await home.newSession();
  await expect(frame.titleBar).toContainText('Untitled');
  const file = join(lab.folder, 'Dropped.gatescope');
  await copyFile('fixtures/demonstration/Dopamine on MNIST.gatescope', file);

  // A file chosen by an input is as real as one that is dragged from a folder: nothing else can be carried from outside by a test.
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.asElement().setInputFiles(file);
  const dropped = await page.evaluateHandle((chosen) => {
    const transfer = new DataTransfer();
    transfer.items.add(chosen.files![0]);
    return transfer;
  }, input);
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: dropped });
  await expect(page.getByText('A session opens; a folder of images becomes data to train on')).toBeVisible();
  await page.dispatchEvent('main', 'drop', { dataTransfer: dropped });
  if (where === 'desktop') {
    await expect(frame.titleBar).toContainText('Dopamine on MNIST');
    await expect(lab.modes.drawing('Units')).toBeVisible();
  } else await expect(page.getByRole('region', { name: 'Notices' })).toContainText('A browser does not say where a dropped file is');
  await expect(page.getByText('A session opens; a folder of images becomes data to train on')).toBeHidden();
});
