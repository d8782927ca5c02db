/** GIVEN the window WHEN something hostile runs in it THEN it gets nowhere. */
import type { Page } from '@playwright/test';
import type { Desktop } from '../main/shell/desktop.ts';
import { expect, test } from './fixtures/lab.ts';

const outside = 'https://example.invalid/';

test('the page is in a sandbox, isolated, and has nothing but window.desktop', async ({ desktop }) => {
  const preferences = await desktop.application.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0].webContents as Electron.WebContents & { getLastWebPreferences(): object };
    return contents.getLastWebPreferences();
  });
  expect(preferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
  });
  const seen = await desktop.page.evaluate(() => ({
    types: ['require', 'process', 'module', 'Buffer', 'ipcRenderer'].map((name) => typeof (globalThis as Record<string, unknown>)[name]),
    desktop: Object.keys((globalThis as unknown as { desktop: object }).desktop).sort(),
    secure: isSecureContext,
    origin: location.href,
  }));
  expect(seen).toEqual({
    types: Array(5).fill('undefined'),
    desktop: [
      'chooseImages',
      'chooseSavePath',
      'chooseSession',
      'connect',
      'onCommand',
      'onHost',
      'onSettle',
      'pathOf',
      'platform',
      'restartHost',
      'saveFile',
      'setMenu',
      'setTitle',
      'showInFolder',
    ],
    secure: true,
    origin: 'app://gatescope/',
  });
});

test('the content security policy lets nothing in that is not ours', async ({ desktop }) => {
  desktop.problems.expect(/Content Security Policy|example\.invalid/);
  const policy = await desktop.page.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain('unsafe');

  const tried = await desktop.page.evaluate(async (address) => {
    const refused: string[] = [];
    const all = new Promise<void>((resolve) =>
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        refused.push(effectiveDirective);
        if (refused.length === 5) resolve();
      }),
    );
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    const styled = document.createElement('p');
    styled.setAttribute('style', 'color: red');
    const framed = document.createElement('iframe');
    framed.src = address;
    document.body.append(script, styled, framed);
    new Image().src = address;
    await fetch(address).catch(() => undefined);
    await all;
    return { refused: refused.sort(), ran: (window as { ran?: boolean }).ran };
  }, outside);
  expect(tried).toEqual({ refused: ['connect-src', 'frame-src', 'img-src', 'script-src-elem', 'style-src-attr'], ran: undefined });
});

test('there is no way out of its origin', async ({ desktop }) => {
  desktop.problems.expect(/Not allowed to load local resource|404|Failed to load|Fetch API cannot load|Content Security Policy/);
  const { page, application } = desktop;
  const statuses = await page.evaluate(async () => {
    const paths = ['/../../package.json', '/%2e%2e/%2e%2e/package.json', '/..%2f..%2fpackage.json', '/.%2f..%2fmain%2fmain.cjs'];
    const found = await Promise.all(paths.map(async (path) => (await fetch(path)).status));
    const file = await fetch('file:///etc/passwd').then(
      ({ status }) => String(status),
      () => 'refused',
    );
    return [...found, file];
  });
  expect(statuses).toEqual([404, 404, 404, 404, 'refused']);

  expect(await page.evaluate((address) => window.open(address) === null, outside)).toBe(true);
  await page.evaluate((address) => (location.href = address), outside);
  await page.evaluate(() => (location.href = 'file:///etc/passwd'));
  await page.evaluate((address) => {
    const link = Object.assign(document.createElement('a'), { href: address, target: '_blank', rel: 'opener' });
    document.body.append(link);
    link.click();
  }, outside);
  await settled(page);
  expect(page.url()).toBe('app://gatescope/');
  expect(await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
});

test('nothing is loaded from elsewhere, whatever the policy of a page says', async ({ desktop }) => {
  const result = await desktop.application.evaluate(
    async ({ session }, addresses) => {
      const tries = addresses.map((address) =>
        session.defaultSession.fetch(address).then(
          () => 'loaded',
          (error: Error) => error.message,
        ),
      );
      return Promise.all(tries);
    },
    [outside, 'http://127.0.0.1:9/'],
  );
  expect(result).toEqual(['net::ERR_BLOCKED_BY_CLIENT', 'net::ERR_BLOCKED_BY_CLIENT']);
});

test('permissions are denied', async ({ desktop }) => {
  const { page } = desktop;
  const answers = await page.evaluate(async () => ({
    notifications: Notification.permission,
    // A machine without a device says so first.
    microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).then(
      () => 'given',
      ({ name }: Error) => (name === 'NotFoundError' ? 'NotAllowedError' : name),
    ),
    place: await new Promise((resolve) =>
      navigator.geolocation.getCurrentPosition(
        () => resolve('given'),
        ({ code, PERMISSION_DENIED }) => resolve(code === PERMISSION_DENIED ? 'denied' : code),
      ),
    ),
    query: (await navigator.permissions.query({ name: 'geolocation' })).state,
  }));
  expect(answers).toEqual({ notifications: 'denied', microphone: 'NotAllowedError', place: 'denied', query: 'denied' });
});

test('text can be copied to the clipboard, and nothing read from it', async ({ desktop }) => {
  const { page, application } = desktop;
  await application.evaluate(async ({ BrowserWindow, clipboard }) => {
    await clipboard.writeText('before');
    BrowserWindow.getAllWindows()[0].focus();
  });
  await page.evaluate(() => navigator.clipboard.writeText('gatescope train --seed 7'));
  expect(await application.evaluate(({ clipboard }) => clipboard.readText())).toBe('gatescope train --seed 7');
  const read = await page.evaluate(() => navigator.clipboard.readText().then(String, ({ name }: Error) => name));
  expect(read).toBe('NotAllowedError');
});

test('the shell answers no page but its own', async ({ desktop }) => {
  desktop.problems.expect(/Electron Security Warning/);
  await desktop.application.evaluate(async ({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    await window.loadURL('data:text/html,<title>stranger</title>');
  });
  await expect(desktop.page).toHaveTitle('stranger');
  const answer = await desktop.page.evaluate(() => {
    const { desktop } = window as unknown as { desktop: Desktop };
    const port = new Promise((resolve) => window.addEventListener('message', () => resolve('a port')));
    desktop.connect();
    // What was said before has been heard when this is answered.
    const said = desktop.chooseSession().then(String, ({ message }: Error) => message);
    return Promise.race([port, said]);
  });
  expect(answer).toContain('must come from the page of this program');
});

/** A refused navigation leaves no trace but that nothing has come of it: a later task of the page has run. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 200))));
}
