/** GIVEN `gatescope serve` WHEN somebody else on this computer, or another site in the browser, comes to it THEN it gets nothing. */
import { expect, test } from '../fixtures/lab.ts';

test('the page comes with the same policy as in the window, and the host only with the token', async ({ served }) => {
  const { page, problems, program } = served;
  problems.expect(/WebSocket connection to .* failed/);
  await expect(page.getByRole('main')).toBeVisible();
  const policy = await page.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain('unsafe');

  const opened = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/host?token=guessed`);
        socket.onopen = () => resolve('opened');
        socket.onerror = () => resolve('refused');
      }),
  );
  expect(opened).toBe('refused');

  const { origin } = new URL(program.address);
  const foreign = await fetch(origin, { headers: { origin: 'https://example.invalid' } });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});
