/**
 * GIVEN a new session WHEN somebody trains a small network, looks at the units of its mode, holds one, writes it down and closes the program
 * THEN everything is there again when it is opened, and nothing had to be computed for that.
 */
import type { Lab } from '../fixtures/labs.ts';
import { expect, test } from '../fixtures/lab.ts';

const note = 'Shutting it costs something: look at the fours.';

/** Whatever a person reads off the three places. */
async function read({ frame, train, modes }: Lab, unit: string): Promise<Record<string, unknown>> {
  await expect(modes.unit).toHaveText(unit);
  await expect(modes.accuracies.first()).toContainText('%');
  await expect(modes.inspector.getByText('Answers changed')).toBeVisible();
  const looked = {
    bar: await modes.accuracies.allInnerTexts(),
    inspector: await modes.inspector.innerText(),
    note: await modes.note.inputValue(),
    held: await modes.hold('Shut').getAttribute('aria-checked'),
    stored: await frame.stored.innerText(),
  };
  await frame.goTo('Train');
  await train.done(2);
  return { ...looked, runs: await train.table.getByRole('row').allInnerTexts() };
}

test('a first network is trained, looked into, and found again as it was left', async ({ lab }) => {
  const { home, train, modes, frame, page } = lab;
  await home.newSession();
  await train.fillIn();
  await expect(train.start).toHaveText(/Train 2 runs/);
  await train.start.click();

  // Curves, while it runs.
  const curves = train.curve('Loss').getByRole('application', { name: /^Loss of [12] runs over/ });
  await expect(curves.and(page.locator('body:has([role=progressbar]) *'))).toBeVisible();
  await train.done(2);
  await expect(frame.stored).toHaveText('2 results stored');
  for (const name of ['Dopamine τ + γ', 'Foundation']) await expect(train.row(name)).toContainText(/\d\d\.\d\d/);

  await train.openInModes('Dopamine τ + γ');
  await expect(modes.lacking).toContainText('firing, categories, contributions, strongest images and receptive fields');
  await modes.measure();
  await expect(modes.lacking).toBeHidden();
  await expect(frame.stored).toHaveText('7 results stored');

  await modes.selectUnit(3);
  await expect(modes.unit).toHaveText(/^Layer 1 · unit \d+/);
  const unit = await modes.unit.innerText();
  await expect(modes.inspector).toContainText(/Threshold τ\s*−?\d/);
  await expect(modes.inspector).toContainText(/Fires, mode\s*\d+/);
  await expect(modes.inspector.getByRole('figure', { name: 'Adds to each logit' })).toBeVisible();
  await modes.hold('Shut').click();
  await expect(modes.forced(1)).toBeVisible();
  await expect(modes.inspector.getByRole('region', { name: 'Force' })).toContainText(/Accuracy at 45°\s*[+−]?\d/);
  await modes.write(note);
  await expect(frame.undo).toHaveAccessibleName(/note/);
  await expect(frame.stored).toHaveText('8 results stored');
  const before = await read(lab, unit);
  expect(before).toMatchObject({ note, held: 'true' });

  await lab.reopen();
  await lab.home.open('Untitled');
  await lab.frame.goTo('Modes');
  await expect(lab.modes.forced(1)).toBeVisible();
  await lab.modes.selectUnit(3);
  expect(await read(lab, unit)).toEqual(before);
  // No job ran: there is none to dismiss.
  await expect(lab.frame.jobs).toContainText('Ready');
  await expect(lab.frame.idle).toBeVisible();
});
