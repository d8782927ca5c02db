/** GIVEN `gatescope serve` WHEN somebody else on this computer, or another site in the browser, comes to it THEN it gets nothing. */
import { request } from 'node:http';
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
  // The page itself is no secret, but nothing of it is for another site to read.
  const foreign = await fetch(origin, { headers: { origin: 'https://example.invalid' } });
  expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  expect(foreign.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  // By a name that another site may have made to stand for this machine not even that.
  expect(await statusOf(origin, '/', { host: 'example.invalid' })).toBe(403);
  const token = new URLSearchParams(new URL(program.address).hash.slice(1)).get('token')!;
  const socket = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const path = `/host?token=${token}`;
  expect(await statusOf(origin, path, { ...socket, origin: 'https://example.invalid' })).toBe(403);
  expect(await statusOf(origin, path, { ...socket, origin })).toBe(101);
});

/** With headers that no browser lets a page set. */
function statusOf(origin: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise<number | undefined>((resolve, reject) => {
    const asking = request(new URL(path, origin), { headers });
    asking.on('response', ({ statusCode }) => resolve(statusCode));
    asking.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    asking.on('error', reject);
    asking.end();
  });
}

test('a page that is open finds a server that was started again, by itself', async ({ served }) => {
  const { page, problems, program } = served;
  problems.expect(/WebSocket connection to .* failed/, /ERR_CONNECTION_REFUSED/);
  const heading = page.getByRole('main');
  await expect(heading).toBeVisible();
  const lost = page.getByRole('alertdialog');
  await program.close();
  await expect(lost).toBeVisible();
  await program.open();
  await expect(lost).toBeHidden();
  await expect(heading).toBeVisible();
});
