/** GIVEN the demonstration WHEN somebody opens it from Home THEN everything it shows is there already, it answers at once, and the tour walks. */
import { expect, test } from '../fixtures/lab.ts';

test('the demonstration opens complete, answers as its digit turns, and is walked through', async ({ lab }) => {
  const { home, modes, frame } = lab;
  await home.demonstration.getByRole('button', { name: 'Start the demonstration' }).click();
  await expect(frame.titleBar).toContainText('Dopamine on MNIST');

  // The tour, from its first card to its last.
  const card = frame.dialog;
  await expect(card).toContainText('1 of 8');
  const titles: string[] = [];
  for (let step = 1; step <= 8; step++) {
    await expect(card).toContainText(`${step} of 8`);
    titles.push(await card.getByRole('heading').innerText());
    await card.getByRole('button', { name: step < 8 ? 'Next' : 'Done' }).press('Enter');
  }
  await expect(card).toBeHidden();
  expect(new Set(titles).size).toBe(8);

  // Everything that is drawn is stored.
  for (const title of ['Units', 'Threshold × gain', 'Class × unit', 'Adapters']) await expect(modes.figure(title).first()).toBeVisible();
  await expect(modes.drawing('Units')).toBeVisible();
  await expect(frame.main.getByText(/Not measured yet|Not run/)).toHaveCount(0);
  await expect(frame.main.getByRole('button', { name: /^Measure/ })).toHaveCount(0);

  // The dial, by keyboard.
  await expect(modes.answers).toHaveCount(4);
  await expect(modes.dial).toHaveAttribute('aria-valuetext', '45°');
  const answers = (): Promise<string[]> =>
    modes.answers.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? one.textContent ?? ''));
  for (const answer of await modes.answers.all()) await expect(answer).toHaveText(/ answers \d with /);
  const turned = await answers();
  await modes.dial.focus();
  await modes.dial.press('Shift+ArrowUp');
  await expect(modes.dial).toHaveAttribute('aria-valuetext', '60°');
  await expect.poll(answers).not.toEqual(turned);
  await modes.dial.press('Shift+ArrowDown');
  await expect.poll(answers).toEqual(turned);

  await expect(frame.jobs).toContainText('Ready');
});
