import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { UserError } from '../../../engine/base/errors.ts';
import { sessions } from '../../testing/fakeData.ts';
import { fakeApp, type Fake, type FakeOptions } from '../../testing/fakeHost.ts';
import { settled } from '../../testing/picture.ts';
import { removeAll, showWindow, violations } from '../../testing/shown.ts';
import { insideWords, shownSessions } from './sessions.ts';

afterEach(removeAll);

async function home(options: FakeOptions = {}): Promise<Fake> {
  const fake = fakeApp({ ...options, settings: { toured: true, ...options.settings } });
  showWindow(fake.app);
  await expect.poll(() => fake.app.about).toBeDefined();
  await settled();
  return fake;
}

const row = (name: string) => page.getByRole('row', { name });
const order = (): (string | null)[] => [...document.querySelectorAll('[role=row][data-path]')].map((one) => one.getAttribute('aria-label'));

describe('sessions', () => {
  it.each(['light', 'dark'] as const)('home has no violations in %s, with the hero and without', async (theme) => {
    await home({ settings: { theme, toured: false } });
    await expect.element(page.getByRole('slider')).toBeVisible();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Skip the tour' }).click();
    await expect.element(page.getByRole('heading', { name: 'Watch a network change its mode' })).not.toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('opens by Enter', async () => {
    const { app } = await home();
    (row('Dopamine on MNIST').element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}');
    await expect.element(row('Own photographs')).toHaveAttribute('aria-selected', 'true');
    await userEvent.keyboard('{ArrowUp}{ArrowUp}{Enter}');
    await expect.poll(() => app.session?.name).toBe('Dopamine on MNIST');
  });

  it('lets go of the check of a file when another is looked at', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    await home({
      answers: {
        preview: (_given, { signal } = {}) => {
          signals.push(signal);
          return new Promise(() => undefined);
        },
      },
    });
    await expect.poll(() => signals.length).toBe(1);
    (row('Dopamine on MNIST').element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowDown}');
    await expect.poll(() => signals.map((signal) => signal?.aborted)).toEqual([true, false]);
  });

  it('renames in place; a refused name says why and can be typed again', async () => {
    const fake = await home({
      answers: {
        renameSession: async ({ name }) => {
          if (name === 'a/b') throw new UserError('session: name', 'must not hold a slash', name);
          fake.emit({ type: 'sessions' });
        },
      },
    });
    (row('Dopamine on MNIST').element() as HTMLElement).focus();
    await userEvent.keyboard('{F2}');
    const name = page.getByRole('textbox', { name: 'Name' });
    await expect.element(name).toHaveValue('Dopamine on MNIST');
    await name.fill('a/b');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('alert')).toMatchTextContent('must not hold a slash');
    await expect.element(name).toHaveFocus();
    await name.fill('Dopamine again');
    await userEvent.keyboard('{Enter}');
    await expect.element(name).not.toBeInTheDocument();
    expect(fake.calls.filter(({ method }) => method === 'renameSession').map(({ given }) => given)).toEqual([
      { path: sessions[0].path, name: 'a/b' },
      { path: sessions[0].path, name: 'Dopamine again' },
    ]);
  });

  it('Esc leaves the name as it was', async () => {
    const fake = await home();
    (row('Dopamine on MNIST').element() as HTMLElement).focus();
    await userEvent.keyboard('{F2}');
    await page.getByRole('textbox', { name: 'Name' }).fill('Something else');
    await userEvent.keyboard('{Escape}');
    await expect.element(row('Dopamine on MNIST')).toHaveFocus();
    expect(fake.calls.some(({ method }) => method === 'renameSession')).toBe(false);
  });

  it('deletes with undo', async () => {
    await home();
    (row('Dopamine on MNIST').element() as HTMLElement).focus();
    await userEvent.keyboard('{Delete}');
    await expect.element(row('Dopamine on MNIST')).toMatchTextContent('“Dopamine on MNIST” deleted.');
    await row('Dopamine on MNIST').getByRole('button', { name: 'Undo' }).click();
    await expect.element(row('Dopamine on MNIST')).toMatchTextContent(/45 models, 214 results/);
  });

  it('what came with the program is neither renamed nor deleted', async () => {
    const fake = await home();
    (row('Watch a network change its mode').element() as HTMLElement).focus();
    await userEvent.keyboard('{Delete}{F2}');
    await settled();
    expect(fake.calls.some(({ method }) => method === 'trashSession')).toBe(false);
    await expect.element(page.getByRole('textbox', { name: 'Name' })).not.toBeInTheDocument();
  });

  it('duplicates by its menu, keeps a note', async () => {
    const fake = await home();
    await page.getByRole('button', { name: 'More about Dopamine on MNIST' }).click();
    await page.getByRole('menuitem', { name: 'Duplicate' }).click();
    await expect.element(row('Dopamine on MNIST copy')).toBeVisible();
    await row('Own photographs').click();
    await page.getByRole('textbox', { name: 'Note on the session' }).fill('Photographs from May');
    await userEvent.tab();
    await expect.element(row('Own photographs')).toMatchTextContent(/Photographs from May/);
    expect(fake.app.notices).toEqual([]);
  });

  it('sorts by a column, and back; searches names and notes', async () => {
    await home();
    await page.getByRole('button', { name: 'Name' }).click();
    expect(order()).toEqual([...sessions].map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en')));
    await expect.element(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
    await page.getByRole('button', { name: 'Name' }).click();
    expect(order()[0]).toBe('Watch a network change its mode');
    await page.getByRole('searchbox').fill('sweep five');
    await expect.poll(order).toEqual(['Dopamine on MNIST']);
  });

  it('says what a file lacks, and does not offer to open it', async () => {
    await home();
    await expect.element(row('Interrupted copy')).toMatchTextContent(/damaged.*2 of 31 tensors cannot be read/);
    await row('Interrupted copy').click();
    await expect.element(page.getByRole('complementary').getByRole('button', { name: 'Open to read' })).toBeDisabled();
  });

  it('without any it says how to begin', async () => {
    const { app } = await home({ sessions: [] });
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Begin a new session' }).click();
    await expect.poll(() => app.session?.name).toBe('Untitled');
    expect(app.workspace).toBe('train');
  });

  it('opens a file of the host by a list of its folders', async () => {
    const { app } = await home();
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.getByRole('button', { name: 'Gatescope', exact: true }).click();
    await expect.element(page.getByText('/home/ada/Gatescope', { exact: true }).first()).toBeVisible();
    await page.getByRole('button', { name: 'Weekly.gatescope' }).click();
    expect(await violations(page.getByRole('dialog').element())).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Open', exact: true }).click();
    await expect.poll(() => app.session?.path).toBe('/home/ada/Gatescope/Weekly.gatescope');
  });
});

describe('demonstration', () => {
  it('answers on Home before anything is opened, as the digit turns', async () => {
    const fake = await home({ settings: { toured: false } });
    const dial = page.getByRole('slider');
    await expect.element(dial).toBeVisible();
    (dial.element() as HTMLElement).focus();
    await userEvent.keyboard('{PageUp}{PageUp}');
    await expect.element(page.getByRole('button', { name: /^Base answers 1 .*wrong/ })).toBeVisible();
    await expect.element(page.getByRole('button', { name: /^Mode, soft answers 7 .*right/ })).toBeVisible();
    expect(fake.app.session).toBeUndefined();
  });

  it('the tour goes step by step and is not shown again', async () => {
    const { app } = await home({ settings: { toured: false } });
    await page.getByRole('button', { name: 'Start the demonstration' }).click();
    await expect.element(page.getByRole('dialog', { name: 'One network, several modes' })).toBeVisible();
    expect(app.workspace).toBe('modes');
    await userEvent.keyboard('{ArrowRight}');
    await expect.element(page.getByRole('dialog', { name: 'Turn a digit' })).toBeVisible();
    await page.getByRole('button', { name: 'Back' }).click();
    await expect.element(page.getByRole('dialog', { name: 'One network, several modes' })).toBeVisible();
    await page.getByRole('button', { name: 'Skip' }).click();
    await expect.element(page.getByRole('dialog')).not.toBeInTheDocument();
    await expect.poll(() => app.settings.toured).toBe(true);
    app.go('home');
    await expect.element(page.getByText('4 minutes · nothing to train or download')).toBeVisible();
  });
});

describe('words and order', () => {
  it('says what is inside, and nothing of what is not', () => {
    const none = { models: 0, runs: 0, results: 0, notes: 0, actions: 0 };
    expect(insideWords(none)).toBe('Nothing yet');
    expect(insideWords({ ...none, models: 1 })).toBe('1 model');
    expect(insideWords({ ...none, runs: 2, results: 1 })).toBe('2 runs, 1 result');
    expect(insideWords({ ...none, notes: 1 })).toBe('1 note');
  });

  it('shipped sessions stand last, unless sorted by name', () => {
    const largestFirst = shownSessions(sessions, '', { column: 'size', descending: true });
    expect(largestFirst.at(-1)?.shipped).toBe(true);
    const own = largestFirst.slice(0, -1).map(({ size }) => size);
    expect(own).toEqual([...own].sort((a, b) => b - a));
  });
});
