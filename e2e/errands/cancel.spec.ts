/** GIVEN a long training WHEN somebody pauses it, goes on, cancels it THEN the session is whole and the run goes on from where it was. */
import { expect, test } from '../fixtures/lab.ts';

test('a long training is paused, goes on, is cancelled, and can be taken up again', async ({ lab }) => {
  const { home, train, frame } = lab;
  const { jobs } = frame;
  await home.newSession();
  await train.fillIn({ epochs: 50 });
  await train.trained('Foundation');
  await train.form.getByText('More', { exact: true }).click();
  await train.set('Checkpoint every', '0.2');
  await expect(train.start).toHaveText(/Train 1 run/);
  await train.start.click();

  await expect(jobs.getByText(/^Checkpoint/)).toBeVisible();
  await jobs.getByRole('button', { name: 'Pause' }).click();
  await expect(jobs).toContainText('paused');
  await expect(train.row('Foundation')).toContainText('paused');
  await expect(frame.idle).toBeVisible();
  await jobs.getByRole('button', { name: 'Go on' }).click();
  await expect(jobs).toContainText('1 job running');
  await expect(jobs).toContainText('left');

  await jobs.getByRole('button', { name: 'Cancel' }).click();
  await expect(jobs).toContainText('cancelled');
  await expect(frame.idle).toBeVisible();
  await expect(train.row('Foundation')).toContainText('Stopped');
  await jobs.getByRole('button', { name: 'Dismiss' }).click();
  await expect(jobs).toContainText('Ready');

  // As another sitting finds it.
  await lab.reopen();
  await lab.home.open('Untitled');
  await expect(lab.train.row('Foundation')).toContainText('Stopped');
  await lab.train.choose('Foundation', 'Go on');
  await expect(lab.frame.jobs.getByRole('button', { name: 'Pause' })).toBeVisible();
  await lab.frame.jobs.getByRole('button', { name: 'Log' }).click();
  await expect(lab.frame.dialog).toContainText(/asked for/);
  await lab.page.keyboard.press('Escape');
  await expect(lab.frame.dialog).toBeHidden();
  // By its key, from wherever the focus is.
  await lab.page.keyboard.press('.');
  await expect(lab.frame.jobs).toContainText('cancelled');
  await expect(lab.train.row('Foundation')).toContainText('Stopped');
});
