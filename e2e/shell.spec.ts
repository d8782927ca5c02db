/** What the shell itself does for a user: menu, dialogs, files from outside, a window that comes back, a program that ends in order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Desktop } from '../main/shell/desktop.ts';
import type { DesktopProgram } from './fixtures/desktop.ts';
import { expect, test } from './fixtures/lab.ts';
import { Frame } from './pages/Frame.ts';
import { Home } from './pages/Home.ts';
import { RawHost } from './probes/rawHost.ts';

type Bridge = { readonly desktop: Desktop };
type Heard = { heard: (string | undefined)[][] };

/** A page of ours in which nothing runs but this test. */
async function listening({ page }: DesktopProgram): Promise<() => Promise<Heard['heard']>> {
  await RawHost.on(page);
  await page.evaluate(() => {
    const own = window as unknown as Bridge & Heard;
    own.heard = [];
    own.desktop.onCommand((...what) => own.heard.push(what));
  });
  return () => page.evaluate(() => (window as unknown as Heard).heard);
}

/** Clicks an item of the menu by its id. */
function choose({ application }: DesktopProgram, id: string): Promise<boolean> {
  return application.evaluate(({ Menu }, wanted) => {
    const item = Menu.getApplicationMenu()!.getMenuItemById(wanted)!;
    if (item.enabled) (item.click as () => void)();
    return item.enabled;
  }, id);
}

test('the menu sends commands, shows recent sessions and the theme, and the theme is painted at the next start', async ({ desktop }) => {
  const heard = await listening(desktop);
  await desktop.page.evaluate(() =>
    (window as unknown as Bridge).desktop.setMenu({
      enabled: ['session.open', 'run.start'],
      theme: 'dark',
      recent: [{ name: 'First', path: '/sessions/first.gatescope' }],
    }),
  );
  await expect.poll(() => choose(desktop, 'run.start')).toBe(true);
  expect(await choose(desktop, 'run.cancel')).toBe(false);
  await choose(desktop, 'session.open:/sessions/first.gatescope');
  await expect.poll(heard).toEqual([['run.start'], ['session.open', '/sessions/first.gatescope']]);

  await desktop.close();
  expect(JSON.parse(await readFile(join(desktop.home, 'data', 'shell.json'), 'utf8'))).toMatchObject({ theme: 'dark' });
  await desktop.open([], ['firstColour.cjs']);
  // The page may have said otherwise by now.
  const first = await desktop.application.evaluate(() => (globalThis as { firstColour?: string }).firstColour);
  expect(first).toBe('#0e1013');
});

test('dialogs begin where the last one ended, and an export is written whole', async ({ desktop }) => {
  await listening(desktop);
  const folder = join(desktop.home, 'figures');
  await mkdir(folder);
  await desktop.application.evaluate(({ dialog }, place) => {
    const asked: (string | undefined)[] = [];
    Object.assign(globalThis, { asked });
    dialog.showSaveDialog = ((_window: unknown, { defaultPath }: Electron.SaveDialogOptions) => {
      asked.push(defaultPath);
      return Promise.resolve({ canceled: false, filePath: `${place}/loss.png` });
    }) as typeof dialog.showSaveDialog;
    dialog.showOpenDialog = ((_window: unknown, { defaultPath }: Electron.OpenDialogOptions) => {
      asked.push(defaultPath);
      return Promise.resolve({ canceled: true, filePaths: [] });
    }) as unknown as typeof dialog.showOpenDialog;
  }, folder);
  const answers = await desktop.page.evaluate(async () => {
    const { desktop } = window as unknown as Bridge;
    return [await desktop.saveFile('../../loss.png', new Uint8Array([1, 2, 3])), await desktop.chooseSession()];
  });
  expect(answers).toEqual([join(folder, 'loss.png'), undefined]);
  expect([...(await readFile(join(folder, 'loss.png')))]).toEqual([1, 2, 3]);
  const asked = await desktop.application.evaluate(() => (globalThis as unknown as { asked: string[] }).asked);
  expect(asked).toEqual([join(desktop.sessionsFolder, 'loss.png'), folder]);
});

test('a window comes back where it was', async ({ desktop }) => {
  const place = { x: 40, y: 60, width: 1234, height: 777 };
  const bounds = (): Promise<object> =>
    desktop.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].getNormalBounds());
  await desktop.application.evaluate(({ BrowserWindow }, wanted) => BrowserWindow.getAllWindows()[0].setBounds(wanted), place);
  await expect.poll(bounds).toEqual(place);
  await desktop.close();
  await desktop.open();
  expect(await bounds()).toEqual(place);
});

test('a session file on the command line is opened, and that of a second start in the same window', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  const paths: string[] = [];
  for (const name of ['Harbour', 'Meadow']) paths.push(((await host.call('createSession', { name })) as { path: string }).path);
  await desktop.close();
  await desktop.open([paths[0]]);
  const { titleBar } = new Frame(desktop.page);
  await expect(titleBar).toContainText('Harbour');

  const second = spawn(desktop.executable, ['--no-sandbox', ...desktop.words, paths[1]], { stdio: 'ignore', env: desktop.environment });
  const [code] = (await once(second, 'exit')) as [number | null];
  expect(code).toBe(0);
  await expect(titleBar).toContainText('Meadow');
  expect(await desktop.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
});

test('a menu and a title that may not be are said no to, and the program goes on', async ({ desktop }) => {
  const heard = await listening(desktop);
  await desktop.application.evaluate(({ dialog }) => {
    const asked: string[] = [];
    Object.assign(globalThis, { asked });
    dialog.showErrorBox = (_title, content) => void asked.push(content);
  });
  await desktop.page.evaluate(() => {
    const { desktop } = window as unknown as Bridge;
    desktop.setTitle('a\0b');
    desktop.setMenu({ enabled: [], theme: 'light', recent: [{ name: 'a\0b', path: '/a' }] });
    desktop.setMenu({ enabled: ['run.start'], theme: 'light', recent: [] });
  });
  await expect.poll(() => choose(desktop, 'run.start')).toBe(true);
  await expect.poll(heard).toEqual([['run.start']]);
  expect(await desktop.application.evaluate(() => (globalThis as unknown as { asked: string[] }).asked)).toEqual([]);
  expect(desktop.log).toContain('window:title: must be without NUL');
});

test('before the host ends the page is let to keep what is being typed', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  const { path } = (await host.call('createSession', { name: 'Harbour' })) as { path: string };
  await desktop.page.evaluate((given) => {
    const own = window as unknown as Bridge & { port: MessagePort };
    own.desktop.onSettle(
      () =>
        new Promise((resolve) => {
          own.port.onmessage = ({ data }: MessageEvent<{ i: string }>) => {
            if (data.i === 'last') resolve();
          };
          own.port.postMessage({ t: 'q', i: 'last', m: 'call', a: [1, 'noteSession', { path: given, text: 'typed to the end' }] });
        }),
    );
  }, path);
  await desktop.close();
  await desktop.open();
  const again = await RawHost.on(desktop.page);
  await again.connect();
  const sessions = (await again.call('sessions')) as readonly { readonly path: string; readonly note: string }[];
  expect(sessions.find((one) => one.path === path)?.note).toBe('typed to the end');
});

test('a note that is being typed when the program is closed is there at the next start', async ({ desktop }) => {
  const { page } = desktop;
  const home = new Home(page);
  const frame = new Frame(page);
  await home.newSession();
  await expect(frame.titleBar).toContainText('Untitled');
  await frame.goTo('Home');
  await home.session('Untitled').click();
  await home.preview.getByRole('textbox', { name: 'Note on the session' }).click();
  await page.keyboard.type('Gates that stay open');
  await desktop.close();
  await desktop.open();
  await expect(new Home(desktop.page).session('Untitled')).toContainText('Gates that stay open');
});

test('with a job running the program asks before it ends, and can be told to wait', async ({ desktop }) => {
  const host = await RawHost.on(desktop.page);
  await host.connect();
  const session = (await host.call('createSession', { name: 'Busy' })) as { path: string };
  // Long enough to be running whatever the machine.
  await host.call('run', { kind: 'train', parameters: { stage: 'long', data: { source: 'mnist' }, epochs: 1000 } });
  await desktop.application.evaluate(({ app, dialog }) => {
    const asked: string[] = [];
    Object.assign(globalThis, { asked, answer: 0 });
    dialog.showMessageBox = ((_window: unknown, { message }: Electron.MessageBoxOptions) => {
      asked.push(message);
      return Promise.resolve({ response: (globalThis as unknown as { answer: number }).answer, checkboxChecked: false });
    }) as typeof dialog.showMessageBox;
    app.quit();
  });
  const asked = (): Promise<string[]> => desktop.application.evaluate(() => (globalThis as unknown as { asked: string[] }).asked);
  await expect.poll(asked).toEqual(['A job is still running']);
  expect(await host.call('jobs')).toHaveLength(1);

  await desktop.application.evaluate(() => void Object.assign(globalThis, { answer: 1 }));
  await desktop.close();
  // Closed in order: nothing is left beside the file.
  await expect(stat(`${session.path}-wal`)).rejects.toThrow('ENOENT');
});
