/** GIVEN a session in which somebody has done this and that WHEN it is undone step by step, and redone THEN the window shows each state again. */
import { expect, test } from '../fixtures/lab.ts';

test('everything done in Modes is taken back and done again by the keyboard, and what was computed is only hidden', async ({ lab }) => {
  const { home, modes, frame, page } = lab;
  await home.open('Dopamine on MNIST');
  await frame.goTo('Modes');
  await modes.selectUnit(2);
  await expect(modes.hold('Free')).toBeChecked();
  // Whoever made it has left something to undo.
  const first = await frame.undo.getAttribute('aria-label');
  const stored = await frame.stored.innerText();

  // Forcing computes.
  await modes.hold('Shut').click();
  await expect(modes.inspector.getByRole('region', { name: 'Force' })).toContainText('Answers changed');
  await expect(frame.stored).not.toHaveText(stored);
  await expect(frame.idle).toBeVisible();
  const effect = await modes.inspector.getByRole('region', { name: 'Force' }).innerText();
  const forced = await frame.stored.innerText();
  // The base is held in the same way, which is another thing to compute.
  await modes.form('Base').click();
  await expect(modes.form('Base')).toBeChecked();
  await expect(frame.stored).not.toHaveText(forced);
  await expect(frame.idle).toBeVisible();
  await modes.dial.focus();
  await modes.dial.press('Shift+ArrowUp');
  await expect(modes.dial).toHaveAttribute('aria-valuetext', '60°');
  await modes.write('Holds the loop of the six.');
  await expect(frame.undo).toHaveAccessibleName(/note/i);
  await expect(modes.note).toHaveValue('Holds the loop of the six.');
  await frame.titleBar.getByRole('button', { name: 'Help' }).focus();

  const done = await frame.stored.innerText();
  const back = async (what: RegExp): Promise<void> => {
    await expect(frame.undo).toHaveAccessibleName(what);
    await page.keyboard.press('Control+z');
  };
  await back(/note/i);
  await expect(modes.note).toHaveValue('');
  await back(/Turn to 60°/);
  await expect(modes.dial).toHaveAttribute('aria-valuetext', '45°');
  await back(/forced/i);
  await expect(frame.stored).toHaveText(forced);
  await back(/Show the base/);
  await expect(modes.form('Mode, soft')).toBeChecked();
  await expect(modes.forced(1)).toBeVisible();
  // What was computed for it is hidden.
  await back(/forced/i);
  await expect(frame.stored).toHaveText(stored);
  await back(/Force Layer 1 · unit \d+ shut/);
  await expect(modes.forced(1)).toBeHidden();
  await expect(modes.hold('Free')).toBeChecked();
  await expect(frame.undo).toHaveAccessibleName(first!);
  expect(await frame.stored.innerText()).toBe(stored);

  const forth = async (what: RegExp): Promise<void> => {
    await expect(frame.redo).toHaveAccessibleName(what);
    await page.keyboard.press('Control+Shift+Z');
  };
  await forth(/Force Layer 1 · unit \d+ shut/);
  await expect(modes.hold('Shut')).toBeChecked();
  await forth(/forced/i);
  await expect(modes.inspector.getByRole('region', { name: 'Force' })).toHaveText(effect, { useInnerText: true });
  await forth(/Show the base/);
  await expect(modes.form('Base')).toBeChecked();
  await forth(/forced/i);
  await forth(/Turn to 60°/);
  await expect(modes.dial).toHaveAttribute('aria-valuetext', '60°');
  await forth(/note/i);
  await expect(modes.note).toHaveValue('Holds the loop of the six.');
  await expect(frame.redo).toBeDisabled();
  await expect(frame.stored).toHaveText(done);
});
