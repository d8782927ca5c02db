import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Snapshot } from '../../main/host/hostApi.ts';
import type { Command, Desktop, MenuState } from '../../main/shell/desktop.ts';
import { job, sessions } from '../testing/fakeData.ts';
import { fakeApp, type Fake, type FakeOptions } from '../testing/fakeHost.ts';
import { fixture } from '../testing/fixtures.ts';
import { settled } from '../testing/picture.ts';
import { removeAll, showWindow, violations } from '../testing/shown.ts';

afterEach(removeAll);

async function open(options: FakeOptions = {}): Promise<Fake> {
  const fake = fakeApp({ ...options, settings: { toured: true, ...options.settings } });
  showWindow(fake.app);
  await expect.poll(() => fake.app.about).toBeDefined();
  await settled();
  return fake;
}

/** With a session open, in a place of the frame's own. */
async function openSession(options: FakeOptions = {}): Promise<Fake> {
  const fake = await open(options);
  await fake.app.open(sessions[0].path);
  fake.app.go('settings');
  await settled();
  return fake;
}

const asked = (fake: Fake, method: string): unknown[] => fake.calls.filter((call) => call.method === method).map(({ given }) => given);

describe('window', () => {
  it.each(['light', 'dark'] as const)('has no violations in %s: frame, settings, palette, dialogs', async (theme) => {
    const fake = await openSession({ settings: { theme }, jobs: [job(1), job(2, { state: 'waiting' })] });
    await expect.poll(() => document.documentElement.dataset.theme).toBe(theme);
    expect(await violations()).toEqual([]);
    for (const action of ['help.keys', 'help.about', 'run.devices', 'session.rename']) {
      fake.app.actions.run(action);
      const dialog = page.getByRole('dialog');
      await expect.element(dialog).toBeVisible();
      await Promise.all(document.getAnimations().map((animation) => animation.finished));
      expect(await violations(dialog.element()), action).toEqual([]);
      await userEvent.keyboard('{Escape}');
      await expect.poll(() => document.querySelector('dialog')).toBeNull();
    }
    await userEvent.keyboard('{Control>}k{/Control}');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill('se');
    expect(await violations(page.getByRole('dialog').element())).toEqual([]);
  });

  it('goes where there is something to go to', async () => {
    const { app } = await open();
    await page.getByRole('button', { name: /^Train.*Open a session first$/ }).click({ force: true });
    expect(app.workspace).toBe('home');
    await page.getByRole('button', { name: /^Routing.*Comes with the next part$/ }).click({ force: true });
    expect(app.workspace).toBe('home');
    await page.getByRole('button', { name: 'Settings', exact: true }).click();
    expect(app.workspace).toBe('settings');
    await expect.element(page.getByRole('button', { name: 'Settings', exact: true })).toHaveAttribute('aria-current', 'page');
  });

  it('undo is there when there is something to undo, and says what', async () => {
    const fake = await openSession({ snapshot: { ...fixture<Snapshot>('snapshot'), history: {} } });
    await expect.element(page.getByRole('button', { name: 'Undo', exact: true })).toBeDisabled();
    await userEvent.keyboard('{Control>}z{/Control}');
    expect(asked(fake, 'undo')).toEqual([]);
    await fake.app.setView({ name: 'modes.forced', value: {}, label: 'Force unit L1U41 shut' });
    await expect.element(page.getByRole('button', { name: 'Undo: Force unit L1U41 shut' })).toBeEnabled();
    await userEvent.keyboard('{Control>}z{/Control}');
    await expect.element(page.getByRole('button', { name: 'Redo: Force unit L1U41 shut' })).toBeEnabled();
    expect(asked(fake, 'undo')).toHaveLength(1);
    await expect.element(page.getByText('Undone: Force unit L1U41 shut')).toBeInTheDocument();
  });

  it('a session that can only be read says so and undoes nothing', async () => {
    const { app } = await open();
    await app.open(sessions[1].path);
    app.go('settings');
    await expect.element(page.getByText('Read-only')).toBeVisible();
    await expect.element(page.getByText(sessions[1].problem!)).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Undo', exact: true })).toBeDisabled();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await expect.element(page.getByText(sessions[1].problem!)).not.toBeInTheDocument();
  });

  it('keys of the window do not reach into what is typed', async () => {
    const fake = await open({ jobs: [job(1)] });
    const search = page.getByRole('searchbox', { name: 'Search names and notes' });
    await search.click();
    await userEvent.keyboard('a.?');
    await expect.element(search).toHaveValue('a.?');
    expect(asked(fake, 'cancel')).toEqual([]);
    (document.activeElement as HTMLElement).blur();
    await userEvent.keyboard('.');
    await expect.poll(() => asked(fake, 'cancel')).toEqual([{ job: 1 }]);
    await userEvent.keyboard('?');
    await expect.element(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  });

  it('F6 goes round the panes', async () => {
    await open();
    const seen = new Set<string>();
    for (let i = 0; i < 8; i++) {
      await userEvent.keyboard('{F6}');
      seen.add(document.activeElement!.closest('[data-pane]')!.tagName);
    }
    expect([...seen].sort()).toEqual(['ASIDE', 'FOOTER', 'HEADER', 'NAV', 'SECTION']);
  });
});

describe('palette', () => {
  it('finds, marks and runs; Ctrl Enter stays', async () => {
    const { app } = await openSession();
    await userEvent.keyboard('{Control>}k{/Control}');
    const input = page.getByRole('combobox', { name: 'Search or run a command' });
    await expect.element(input).toHaveFocus();
    await input.fill('dark theme');
    await expect.element(page.getByRole('option', { name: 'Dark theme' })).toHaveAttribute('aria-selected', 'true');
    expect(document.querySelector('[role=option] mark')?.textContent).toBe('Dark');
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    await expect.poll(() => document.documentElement.dataset.theme).toBe('dark');
    await expect.element(input).toBeVisible();
    await input.fill('light theme');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => document.documentElement.dataset.theme).toBe('light');
    await expect.poll(() => document.querySelector('dialog')).toBeNull();
    expect(app.settings.theme).toBe('light');
  });

  it('goes to a unit, selects it, and takes the mode of a model', async () => {
    const fake = await openSession();
    await userEvent.keyboard('{Control>}k{/Control}');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill('L1U12');
    await page.getByRole('option', { name: /^L1U12 / }).click();
    expect(fake.app.workspace).toBe('modes');
    expect(fake.app.selection.unit).toBe('L1U12');
    fake.app.go('settings');
    await userEvent.keyboard('{Control>}k{/Control}');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill('threshold seed 1');
    const { digest, base } = fake.app.session!.models.find(({ title }) => title.startsWith('threshold') && title.endsWith('seed 1'))!;
    await page
      .getByRole('option', { name: /^threshold.*seed 1/ })
      .first()
      .click();
    expect(fake.app.view('modes.mode', '')).toBe(digest);
    expect(fake.app.view('modes.foundation', '')).toBe(base);
    fake.app.go('settings');
    await userEvent.keyboard('{Control>}k{/Control}');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill('gain seed 2');
    const run = fake.app.session!.runs.find(({ label, seed }) => label === 'gain' && seed === 2)!;
    const runs = page.getByRole('group', { name: 'Runs', exact: true });
    await runs
      .getByRole('option', { name: /^gain.*seed 2/ })
      .first()
      .click();
    expect(fake.app.workspace).toBe('train');
    expect(fake.app.view<{ pinned: string[] }>('train.table', { pinned: [] }).pinned).toEqual([run.key]);
  });

  it('find looks only through what is shown', async () => {
    await open();
    await userEvent.keyboard('{Control>}f{/Control}');
    await page.getByRole('combobox', { name: 'Find' }).fill('o');
    const groups = [...document.querySelectorAll('[role=listbox] [role=group]')].map((group) => group.firstElementChild?.textContent);
    expect(groups).toEqual(['Sessions']);
  });

  it('lists nothing that cannot be done', async () => {
    await open();
    await userEvent.keyboard('{Control>}k{/Control}');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill('close the session');
    await expect.element(page.getByRole('option', { name: 'Close the session' })).not.toBeInTheDocument();
  });
});

describe('job bar', () => {
  it('shows what runs, how far, how long; pauses and cancels', async () => {
    const fake = await openSession({ jobs: [job(7), job(8, { state: 'waiting', title: 'Adapters, seed 4' })] });
    const bar = page.getByRole('progressbar', { name: 'Dopamine τ + γ, seed 3' });
    await expect.element(bar).toHaveAttribute('aria-valuetext', '27 of 40');
    const footer = page.getByRole('contentinfo');
    await expect.element(footer).toMatchTextContent(/38\ss left/);
    await expect.element(footer).toMatchTextContent(/Checkpoint 3\ss ago/);
    await expect.element(footer).toMatchTextContent(/1 waiting/);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect.element(footer).toMatchTextContent(/paused/);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    expect(['pause', 'resume', 'cancel'].map((method) => asked(fake, method))).toEqual([[{ job: 7 }], [{ job: 7 }], [{ job: 7 }]]);
  });

  it('a failed job says why, what was kept, and how to go on', async () => {
    const failure = { kind: 'bug', message: 'NaN at step 212', stack: 'Error: NaN at step 212\n  at step' } as const;
    const fake = await openSession({
      jobs: [job(3, { state: 'failed', failure, kept: 45, progress: { stage: '', done: 52, total: 69 } })],
    });
    const footer = page.getByRole('contentinfo');
    await expect.element(footer).toMatchTextContent(/NaN at step 212.*45 of 69 steps kept/);
    await page.getByRole('button', { name: 'Go on' }).click();
    expect(asked(fake, 'resume')).toEqual([{ job: 3 }]);
  });

  it('a mistake is not run again', async () => {
    const failure = {
      kind: 'mistake',
      message: 'train: rank must be at most 128, got 512',
      field: 'rank',
      rule: '',
      value: '512',
    } as const;
    const fake = await openSession({ jobs: [job(3, { state: 'failed', failure })] });
    await expect.element(page.getByRole('button', { name: 'Run again' })).not.toBeInTheDocument();
    await page.getByRole('contentinfo').getByRole('button', { name: 'Dismiss' }).click();
    await expect.element(page.getByRole('contentinfo')).toMatchTextContent(/Ready/);
    expect(asked(fake, 'dismiss')).toEqual([{ job: 3 }]);
  });

  it('says how far the whole of it is, and the time that it ran', async () => {
    const fake = await openSession({ jobs: [job(7, { share: 0.95, progress: { stage: '', done: 938, total: 938 } })] });
    const bar = page.getByRole('progressbar');
    await expect.element(bar).toHaveAttribute('aria-valuenow', '95');
    await expect.element(bar).toHaveAttribute('aria-valuetext', '938 of 938');
    fake.setJobs([job(7, { state: 'done', began: '2026-11-26T10:00:00Z', ended: '2026-11-26T12:00:00Z', seconds: 6 })]);
    await expect.element(page.getByRole('contentinfo')).toMatchTextContent(/finished in 6\ss/);
  });

  it('shows the log, and that of another job only when it has come', async () => {
    let answer = (): void => undefined;
    const fake = await openSession({
      jobs: [job(1)],
      answers: {
        log: ({ job: id }) =>
          id === 1
            ? Promise.resolve([{ at: '2026-11-26T14:51:57', text: 'checkpoint after step 640' }])
            : new Promise((resolve) => (answer = () => resolve([{ at: '2026-11-26T14:51:57', text: 'of the second' }]))),
      },
    });
    await page.getByRole('button', { name: 'Log' }).click();
    const dialog = page.getByRole('dialog', { name: /^Log/ });
    await expect.element(dialog).toMatchTextContent(/checkpoint after step 640/);
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    fake.setJobs([job(2)]);
    await page.getByRole('button', { name: 'Log' }).click();
    await expect.element(dialog).toBeVisible();
    await expect.element(dialog).not.toMatchTextContent(/step 640/);
    answer();
    await expect.element(dialog).toMatchTextContent(/of the second/);
  });
});

describe('the shell', () => {
  afterEach(() => Reflect.deleteProperty(window, 'desktop'));

  async function inShell(options: FakeOptions = {}) {
    let settle = (): Promise<void> | void => undefined;
    let command: Parameters<Desktop['onCommand']>[0] = () => undefined;
    const menus: MenuState[] = [];
    const desktop: Partial<Desktop> = {
      platform: 'linux',
      setTitle: () => undefined,
      setMenu: (state) => menus.push(state),
      onCommand: (listener) => (command = listener),
      onSettle: (listener) => (settle = listener),
    };
    Object.assign(window, { desktop });
    const fake = await open(options);
    return { fake, menus, settle: () => settle(), command: (id: Command) => command(id) };
  }

  it('is told the menu when something of it has changed, not whenever a job goes on', async () => {
    const { fake, menus } = await inShell({ jobs: [job(1)] });
    await fake.app.open(sessions[0].path);
    await settled();
    const before = menus.length;
    for (let done = 1; done < 5; done++) {
      fake.setJobs([job(1, { progress: { stage: '', done, total: 40 } })]);
      await settled();
    }
    expect(menus.slice(before)).toEqual([]);
    fake.setJobs([]);
    await settled();
    expect(menus.at(-1)!.enabled).not.toContain('run.cancel');
  });

  it('is answered when what was being typed is with the host', async () => {
    const { fake, settle } = await inShell();
    const note = page.getByRole('textbox', { name: 'Note on the session' });
    await note.click();
    await userEvent.keyboard('to the end');
    expect(asked(fake, 'noteSession')).toEqual([]);
    await settle();
    expect(asked(fake, 'noteSession')).toMatchObject([{ text: expect.stringContaining('to the end') as string }]);
  });

  it('means the field when it says undo while somebody types', async () => {
    const { fake, command } = await inShell({ snapshot: { ...fixture<Snapshot>('snapshot'), history: { undo: { label: 'A' } } } });
    const note = page.getByRole('textbox', { name: 'Note on the session' });
    await note.fill('');
    await userEvent.keyboard('typed');
    await fake.app.peek(sessions[0].path);
    command('edit.undo');
    await expect.element(note).not.toHaveValue('typed');
    expect(asked(fake, 'undo')).toEqual([]);
  });
});

describe('leaving', () => {
  it('keeps what is being typed when the page goes', async () => {
    const fake = await open();
    await page.getByRole('textbox', { name: 'Note on the session' }).click();
    await userEvent.keyboard('!');
    dispatchEvent(new Event('pagehide'));
    await settled();
    expect(asked(fake, 'noteSession')).toHaveLength(1);
  });
});

describe('saving as', () => {
  it('goes on in the new file and says so', async () => {
    const fake = await openSession();
    fake.app.actions.run('session.saveAs', '/home/ada/Gatescope/Second.gatescope');
    await expect.poll(() => fake.app.session?.path).toBe('/home/ada/Gatescope/Second.gatescope');
    expect(asked(fake, 'openSession').at(-1)).toEqual({ path: '/home/ada/Gatescope/Second.gatescope' });
    expect(fake.app.workspace).toBe('settings');
    await expect
      .poll(() => fake.app.notices.map(({ kind, detail }) => [kind, detail]))
      .toEqual([['news', '/home/ada/Gatescope/Second.gatescope']]);
  });
});

describe('copying', () => {
  it('goes by the copy command where the page has no clipboard, also out of a dialog', async () => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });
    const written = vi.spyOn(DataTransfer.prototype, 'setData');
    try {
      const fake = await openSession({ jobs: [job(1)] });
      await page.getByRole('button', { name: 'Log' }).click();
      const dialog = page.getByRole('dialog', { name: /^Log/ });
      await expect.element(dialog).toMatchTextContent(/step 640/);
      await dialog.getByRole('button', { name: 'Copy' }).click();
      expect(written.mock.calls).toEqual([['text/plain', expect.stringContaining('checkpoint after step 640')]]);
      expect(fake.app.notices).toEqual([]);
    } finally {
      written.mockRestore();
      Reflect.deleteProperty(navigator, 'clipboard');
    }
  });
});

describe('what goes wrong', () => {
  it('a lost host says how, and is started again; the session comes back', async () => {
    const fake = await openSession();
    fake.link.lose('exit code 1: no space left on device');
    await expect.element(page.getByRole('alertdialog', { name: 'The host has ended' })).toMatchTextContent(/no space left on device/);
    expect(await violations(page.getByRole('alertdialog').element())).toEqual([]);
    await page.getByRole('button', { name: /^Undo: / }).click();
    await page.getByRole('button', { name: 'Start it again' }).click();
    await expect.element(page.getByRole('alertdialog')).not.toBeInTheDocument();
    expect(fake.link.restarts).toBe(1);
    await expect.poll(() => asked(fake, 'openSession')).toHaveLength(2);
    // That it was gone is said once, by the panel.
    expect(fake.app.notices).toEqual([]);
  });

  it('a bug can be copied with its stack, a mistake is only said', async () => {
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    const { app } = await open();
    app.fail(new TypeError('nothing there'));
    await page.getByRole('button', { name: 'Copy report' }).click();
    expect(written.mock.calls[0][0]).toMatch(/^Gatescope 0\.1\.0[^]*TypeError: nothing there[^]*at /);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await expect.element(page.getByRole('region', { name: 'Notices' })).not.toBeInTheDocument();
    written.mockRestore();
  });
});
