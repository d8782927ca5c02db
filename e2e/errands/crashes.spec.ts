/**
 * GIVEN a training under way WHEN its engine is killed, or the whole program behind the window THEN the window says so, what was kept is kept,
 * and the training ends with the very network that an undisturbed one makes.
 */
import { expect, test } from '../fixtures/lab.ts';
import { ServedLab, type Lab } from '../fixtures/labs.ts';
import { descendantsOf } from '../probes/processes.ts';

const kill = (pids: readonly number[]): void => pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
const engines = ({ pid }: Lab): number[] => descendantsOf(pid, 'engine/engine');

/** A new session in which a small network trains for some seconds. */
async function begin({ home, train, frame }: Lab): Promise<void> {
  await frame.goTo('Home');
  await home.newSession();
  await train.fillIn({ epochs: 3 });
  await train.form.getByText('More', { exact: true }).click();
  await train.set('Checkpoint every', '0.2');
  await train.start.click();
}

/** Until it could go on from somewhere in its middle. */
async function middle({ frame }: Lab): Promise<void> {
  await expect(frame.jobs.getByText(/^Checkpoint/)).toBeVisible();
  await expect(frame.jobs.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /^[1-8]\d$/);
}

/** Of the mode, as the inspector has it: it follows from the foundation's to the last bit. */
async function digest({ train, modes }: Lab): Promise<string> {
  await train.done(2);
  await train.openInModes('Dopamine τ + γ');
  const code = modes.inspector.getByText(/^[0-9a-f]{12}…$/);
  return (await code.getAttribute('title')) ?? '';
}

test('a training outlives its engine and the host, and ends in the same network', async ({ lab }) => {
  await begin(lab);
  const undisturbed = await digest(lab);
  expect(undisturbed).toMatch(/^[0-9a-f]{64}$/);

  await begin(lab);
  await middle(lab);
  const before = engines(lab);
  expect(before).not.toEqual([]);
  kill(before);
  await lab.frame.jobs.getByRole('button', { name: 'Log' }).click();
  await expect(lab.frame.dialog).toContainText(/its engine ended \(.*\); another goes on from the last checkpoint/);
  await lab.frame.dialog.getByRole('button', { name: 'Close' }).last().click();
  expect(await digest(lab)).toBe(undisturbed);

  await begin(lab);
  await middle(lab);
  const { page } = lab;
  const lost = page.getByRole('alertdialog');
  if (lab instanceof ServedLab) {
    lab.problems.expect(/WebSocket connection to .* failed/, /ERR_CONNECTION_REFUSED/);
    kill([lab.pid]);
    await expect(lost).toContainText('The host has gone');
    // The page stays open: it finds the new server by itself, and the session is shown again.
    await lab.startAgain();
    await expect(lost).toBeHidden();
  } else {
    const [host] = descendantsOf(lab.pid, 'host.cjs');
    await page.evaluate(() => {
      // The panel is gone again as soon as there is a new host: what it said is kept for the test.
      const said: string[] = [];
      Object.assign(window, { said });
      new MutationObserver(() => {
        const text = document.querySelector('[role=alertdialog]')?.textContent;
        if (text) said.push(text);
      }).observe(document.body, { subtree: true, childList: true });
    });
    kill([host]);
    await expect.poll(() => page.evaluate(() => (window as unknown as { said: string[] }).said.join('\n'))).toContain('SIGKILL');
    await expect(lost).toBeHidden();
  }
  await expect(lab.train.row('Foundation')).toContainText(/Stopped/);
  await expect(lab.frame.titleBar).toContainText('Untitled 3');
  await lab.train.choose('Foundation', 'Go on');
  expect(await digest(lab)).toBe(undisturbed);
});
