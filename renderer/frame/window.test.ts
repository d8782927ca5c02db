import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Snapshot } from '../../main/host/hostApi.ts';
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
    const fake = await openSession({ jobs: [job(3, { state: 'failed', failure, progress: { stage: '', done: 45, total: 69 } })] });
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

  it('shows the log', async () => {
    await openSession({ jobs: [job(1)] });
    await page.getByRole('button', { name: 'Log' }).click();
    await expect.element(page.getByRole('dialog', { name: /^Log/ })).toMatchTextContent(/checkpoint after step 640/);
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
