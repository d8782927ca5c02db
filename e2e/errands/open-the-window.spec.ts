/** GIVEN a new profile WHEN the program is opened, and opened again THEN its frame is there, and nothing is complained of. */
import { expect, test } from '../fixtures/lab.ts';

test('the window opens on its frame', async ({ lab }) => {
  await expect(lab.frame.titleBar).toBeVisible();
  await expect(lab.frame.workspaces).toBeVisible();
  await expect(lab.frame.jobs).toBeVisible();
  await expect(lab.page).toHaveTitle(/Gatescope/);

  await lab.reopen();
  await expect(lab.frame.workspaces).toBeVisible();
});
