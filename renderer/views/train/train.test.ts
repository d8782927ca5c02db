import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { UserError } from '../../../engine/base/errors.ts';
import type { HostApi, Work } from '../../../main/host/hostApi.ts';
import { tip } from '../../controls/tip.svelte.ts';
import type { Fake } from '../../testing/fakeHost.ts';
import { settled } from '../../testing/picture.ts';
import { removeAll, show, violations } from '../../testing/shown.ts';
import { runs } from './testing/sampleSession.ts';
import TrainSample from './testing/TrainSample.svelte';

type SampleProps = NonNullable<Parameters<typeof TrainSample>[1]>;

let fake: Fake;

async function open(props: Partial<SampleProps> = {}): Promise<HTMLElement> {
  const box = show(TrainSample, { ...props, onFake: (made: Fake) => (fake = made) });
  box.style.cssText = 'width:1356px;height:826px;background:var(--surface)';
  await expect.element(page.getByRole('form', { name: 'The next run' })).toBeVisible();
  await settled();
  return box;
}

const asked = (method: keyof HostApi): unknown[] => fake.calls.filter((call) => call.method === method).map(({ given }) => given);
const chart = (name: string) => page.getByRole('figure', { name, exact: true });
const rowsOfTable = (): string[] =>
  [...document.querySelectorAll('[role=treegrid] tbody tr')].map((row) =>
    [...row.children].map((cell) => (cell.textContent ?? '').replace(/\s+/g, ' ').trim()).join('|'),
  );
const row = (name: string, seed: number) => page.getByRole('row', { name: new RegExp(`${name.replace(/[+()]/g, '\\$&')} ${seed} `) });
const form = (): { values: Record<string, unknown>; seeds?: string; adapters?: string[]; trained?: string } =>
  fake.app.view('train.form', { values: {} });
const nothing = { runs: [], models: [], notes: [], views: {} };

afterEach(async () => {
  tip.release();
  await removeAll();
});

describe('train', () => {
  it.each(['light', 'dark'])('has no violations in %s: in the middle of a batch, empty, refused', async (theme) => {
    document.documentElement.dataset.theme = theme;
    document.body.style.background = 'var(--surface)';
    for (const props of [{}, { jobs: [], snapshot: nothing }]) {
      const box = await open(props);
      // Its landmarks and its first heading are the window's.
      expect((await violations(box)).filter((one) => !/^(region|page-has-heading-one|landmark-one-main|heading-order)/.test(one))).toEqual(
        [],
      );
      await removeAll();
      document.documentElement.dataset.theme = theme;
    }
    document.body.style.background = '';
  });

  it('trains what the form says: foundations first, adapters remembered for when they are done', async () => {
    await open({ jobs: [], snapshot: nothing });
    await userEvent.fill(page.getByRole('textbox', { name: 'Seeds' }), '0-1');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('button', { name: 'Train 18 runs' })).toBeEnabled();
    await page.getByRole('button', { name: 'Train 18 runs' }).click();
    await expect.poll(() => asked('run').length).toBe(2);
    expect(asked('run').map((work) => (work as Extract<Work, { kind: 'train' }>).parameters.seed)).toEqual([0, 1]);
    expect(fake.app.view<{ parts: unknown[] } | null>('train.batch', null)!.parts).toHaveLength(2);
    expect(form().seeds).toBe('0-1');
  });

  it('keeps only what is changed, with a dot that puts it back, and a count that puts all back; undo knows each', async () => {
    await open({ jobs: [] });
    await expect.element(page.getByRole('button', { name: '6 changed: reset all' })).toBeVisible();
    await userEvent.fill(page.getByRole('textbox', { name: 'Epochs' }), '3');
    await userEvent.tab();
    expect(form().values.epochs).toBe(3);
    expect(asked('setView').at(-1)).toMatchObject({ name: 'train.form', label: 'Set epochs to 3' });
    await page.getByRole('button', { name: 'Reset Epochs, batch to 2 × 128' }).click();
    expect('epochs' in form().values).toBe(false);
    await page.getByRole('button', { name: /changed: reset all/ }).click();
    expect(form()).toEqual({ values: {} });
  });

  it('puts what the host refuses under its field, and does not run', async () => {
    await open({
      jobs: [],
      answers: {
        plan: async (work) => {
          const { epochs } = (work as Extract<Work, { kind: 'train' }>).parameters;
          if (epochs === 0) throw new UserError('trainClassifier: sparsity', 'must be a number in [0, 1000000]', -1);
          return { stored: false, runs: 1 };
        },
      },
    });
    await userEvent.fill(page.getByRole('textbox', { name: 'Epochs' }), '0');
    await userEvent.tab();
    await expect
      .element(page.getByRole('textbox', { name: 'Sparsity λ' }))
      .toHaveAccessibleDescription(/Must be a number in \[0, 1000000\], got -1/);
    await expect.element(page.getByRole('button', { name: /^Train/ })).toBeDisabled();
    await userEvent.fill(page.getByRole('textbox', { name: 'Seeds' }), 'many');
    await userEvent.tab();
    await expect.element(page.getByRole('textbox', { name: 'Seeds' })).toHaveAccessibleDescription(/Seeds must be whole numbers/);
  });

  it('chooses what is compared, and what is trained on which foundation', async () => {
    await open({ jobs: [] });
    await page.getByRole('button', { name: 'Leave out LoRA 1, 4, 8' }).click();
    expect(form().adapters).toEqual(['dopamine', 'threshold', 'gain', 'bias', 'full']);
    await page.getByRole('button', { name: 'Compare with another adapter' }).click();
    await page.getByRole('menuitem', { name: 'LoRA r = 16' }).click();
    expect(form().adapters).toContain('lora-r16');
    await page.getByRole('radio', { name: 'Adapters' }).click();
    await expect.element(page.getByRole('combobox', { name: 'Foundation' })).toBeInTheDocument();
    await expect.element(page.getByRole('button', { name: 'Train 30 runs' })).toBeEnabled();
    await page.getByRole('button', { name: 'Train 30 runs' }).click();
    await expect.poll(() => asked('run').length).toBe(30);
    expect(asked('run')[0]).toMatchObject({
      base: fake.app.session!.models.find(({ kind }) => kind === 'foundation')!.digest,
      parameters: { adapter: 'dopamine' },
    });
  });

  it('copies the form as lines for a terminal', async () => {
    const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    await open({
      jobs: [],
      snapshot: { views: { 'train.form': { trained: 'foundation', seeds: '0-1', values: {} } } },
      answers: {
        commandLine: async (work) => `gatescope train --seed ${String((work as Extract<Work, { kind: 'train' }>).parameters.seed)}`,
      },
    });
    await page.getByRole('button', { name: 'Copy as a command line' }).click();
    await expect.poll(() => write.mock.calls).toEqual([['gatescope train --seed 0\ngatescope train --seed 1\n']]);
    write.mockRestore();
  });

  it('checks rows by click, Ctrl, Shift and Space: the charts and the actions follow', async () => {
    await open();
    await row('Gain only', 3).click();
    await expect.element(page.getByText('1 selected')).toBeVisible();
    await row('Threshold only', 3).click({ modifiers: ['Control'] });
    await expect.element(page.getByText('2 selected')).toBeVisible();
    await row('LoRA r = 4', 3).click({ modifiers: ['Shift'] });
    await expect.element(page.getByText(/selected/)).toHaveTextContent('5 selected');
    await userEvent.keyboard(' ');
    await expect.element(page.getByText(/selected/)).toHaveTextContent('4 selected');
    await page.getByRole('button', { name: 'Compare' }).click();
    await expect
      .poll(() =>
        [...document.querySelectorAll('figure[aria-label^="Accuracy"] text')].some(({ textContent }) => textContent === 'LoRA r = 8'),
      )
      .toBe(false);
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect
      .poll(() =>
        [...document.querySelectorAll('figure[aria-label^="Accuracy"] text')].some(({ textContent }) => textContent === 'LoRA r = 8'),
      )
      .toBe(true);
  });

  it('moves in the table by keys: folds, pins, opens in Modes', async () => {
    await open();
    const grid = page.getByRole('treegrid', { name: 'Runs' });
    (grid.element() as HTMLElement).focus();
    const active = (): string =>
      document
        .getElementById(grid.element().getAttribute('aria-activedescendant') ?? '')
        ?.textContent?.replace(/\s+/g, ' ')
        .trim() ?? '';
    await userEvent.keyboard('{End}');
    expect(active()).toMatch(/^Seed 0/);
    const before = rowsOfTable().length;
    await userEvent.keyboard('{ArrowRight}');
    await expect.poll(() => rowsOfTable().length).toBe(before + 7);
    await userEvent.keyboard('{ArrowDown}p');
    const pinned = fake.app.view<{ pinned: string[] }>('train.table', { pinned: [] }).pinned;
    expect(pinned).toHaveLength(3);
    await userEvent.keyboard('{Home}{ArrowDown}{Enter}');
    expect(fake.app.workspace).toBe('modes');
  });

  it('opens what is selected in Modes: shown, and held against', async () => {
    await open();
    await row('Gain only', 3).click();
    await row('Bias only', 3).click({ modifiers: ['Control'] });
    const model = (label: string) => runs.find((run) => run.label === label && run.seed === 3)!.model;
    fake.change({ models: fake.app.session!.models.map((one, i) => (i < 2 ? { ...one, digest: model(['gain', 'bias'][i])! } : one)) });
    await page.getByRole('button', { name: 'Open in Modes' }).click();
    expect(fake.app.workspace).toBe('modes');
    expect(fake.app.view('modes.rival', '')).toBe(model('bias'));
  });

  it('sorts, groups, filters and hides columns, and keeps it with the session', async () => {
    await open();
    await page.getByRole('button', { name: '45° soft, %' }).click();
    await expect.element(page.getByRole('columnheader', { name: '45° soft, %' })).toHaveAttribute('aria-sort', 'descending');
    await userEvent.selectOptions(page.getByRole('combobox', { name: 'Group' }), 'none');
    await expect
      .poll(() =>
        rowsOfTable()
          .filter((line) => line.includes('|Done|'))
          .slice(2, 4)
          .map((line) => line.split('|')[1]),
      )
      .toEqual(['Full fine-tune', 'Full fine-tune']);
    await page.getByRole('button', { name: 'Filter' }).click();
    await userEvent.keyboard('bias');
    await expect.poll(() => rowsOfTable().map((line) => line.split('|')[1])).toEqual(['Bias only', 'Bias only', 'Bias only', 'Bias only']);
    await userEvent.keyboard('{Escape}');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('menuitemradio', { name: 'Parameters shown' }).click();
    await expect.element(page.getByRole('columnheader', { name: 'Parameters' })).not.toBeInTheDocument();
    expect(fake.app.view('train.table', {})).toMatchObject({
      group: 'none',
      hidden: ['parameters'],
      sort: { column: 'soft', falling: true },
    });
  });

  it('shows one step in all five charts; keys move it, zoom all, and give it back', async () => {
    await open();
    (chart('Loss').element().querySelector('[data-drawing]') as HTMLElement).focus();
    await userEvent.keyboard('{Home}{ArrowRight}');
    const lines = (): number => document.querySelectorAll('figure g[data-unexported] line').length;
    await expect.poll(lines).toBe(5);
    await expect.element(page.getByText(/^Step 75: .*Dopamine τ \+ γ \.\d+\snats/)).toBeInTheDocument();
    await userEvent.keyboard('{Shift>}{ArrowUp}{/Shift}');
    await expect.element(page.getByText('steps 30 … 2281')).toBeVisible();
    await userEvent.keyboard('{Shift>}{ArrowRight}{/Shift}');
    await expect.element(page.getByText('steps 255 … 2506')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.poll(lines).toBe(0);
    await page.getByRole('button', { name: 'Show all steps' }).click();
    await expect.element(page.getByText('steps 255')).not.toBeInTheDocument();
  });

  it('tells new points as they come, and ends in what was stored', async () => {
    await open();
    const { key } = runs.find(({ label, state }) => label === 'dopamine' && state === 'unfinished')!;
    fake.emit({ type: 'points', run: key, points: [{ at: 2400, values: { 'accuracy 45°': 96.66 } }] });
    await expect
      .poll(() => [...document.querySelectorAll('figure[aria-label^="Accuracy"] text')].map(({ textContent }) => textContent))
      .toContain('96.7 Dopamine τ + γ');
    await expect.poll(() => rowsOfTable().find((line) => /Dopamine τ \+ γ\|3\|63/.test(line))).toContain('96.66');
  });

  it('a note that cannot be kept stays to be tried again', async () => {
    let full = true;
    await open({
      answers: {
        addNote: (given) =>
          full ? Promise.reject(new UserError('session', 'must have room', 'a full disk')) : Promise.resolve({ ...given } as never),
      },
    });
    await row('Gain only', 3).click();
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Note…' }).click();
    await userEvent.fill(page.getByRole('textbox', { name: 'Note' }), 'Try with a lower rate');
    await page.getByRole('button', { name: 'Keep the note' }).click();
    await expect.poll(() => fake.app.notices.map(({ title }) => title)).toEqual([expect.stringContaining('session must have room')]);
    await expect.element(page.getByRole('textbox', { name: 'Note' })).toHaveValue('Try with a lower rate');
    full = false;
    await page.getByRole('button', { name: 'Keep the note' }).click();
    await expect.element(page.getByRole('textbox', { name: 'Note' })).not.toBeInTheDocument();
  });

  it('says of how many images its curves are only where that is one number', async () => {
    const [first, ...others] = runs;
    const request = first.request as Extract<Work, { kind: 'train' }>;
    const fewer = { ...request, parameters: { ...request.parameters, measure: { every: 50, images: 500, angles: [0, 45] } } };
    await open({ jobs: [] });
    await expect.poll(() => document.body.textContent).toMatch(/n = 2000/);
    await removeAll();
    await open({ jobs: [], snapshot: { runs: [{ ...first, request: fewer }, ...others] } });
    await expect.poll(() => document.body.textContent).not.toMatch(/n = (2000|500)/);
  });

  it('keeps notes and bookmarks on runs', async () => {
    await open();
    await row('Gain only', 3).click();
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Note…' }).click();
    await userEvent.fill(page.getByRole('textbox', { name: 'Note' }), 'Try with a lower rate');
    await page.getByRole('button', { name: 'Keep the note' }).click();
    await expect.poll(() => fake.app.session!.notes.at(-1)).toMatchObject({ text: 'Try with a lower rate', subject: { kind: 'run' } });
    await expect.element(page.getByRole('dialog')).not.toBeInTheDocument();
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Bookmark' }).click();
    await expect.poll(() => fake.app.session!.notes.at(-1)!.bookmark).toBe(true);
  });

  it('pauses, cancels and goes on with the selected runs', async () => {
    await open();
    await row('LoRA r = 4', 3).click();
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await expect.poll(() => asked('pause')).toEqual([{ job: 2 }]);
    await expect.poll(() => rowsOfTable().find((line) => line.includes('LoRA r = 4|3|'))).toMatch(/41.%.paused/);
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Go on' }).click();
    await expect.poll(() => asked('resume')).toEqual([{ job: 2 }]);
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Cancel' }).click();
    await expect.poll(() => asked('cancel')).toEqual([{ job: 2 }]);
  });

  it('fills the form with a run that was', async () => {
    await open({ jobs: [] });
    await row('Threshold only', 3).click();
    await page.getByRole('button', { name: 'Selected runs' }).click();
    await page.getByRole('menuitem', { name: 'Fill the form with it' }).click();
    expect(form()).toMatchObject({
      trained: 'adapters',
      adapters: ['threshold'],
      seeds: '3',
      values: { epochs: 8, 'temperature.end': 0.02 },
    });
  });

  it('teaches before the first run, and one click begins', async () => {
    await open({ jobs: [], snapshot: nothing });
    await expect.element(page.getByRole('heading', { name: 'Train a foundation and modes on it' })).toBeVisible();
    await page.getByRole('button', { name: 'Start from Annealed gates soft to hard' }).click();
    expect(fake.app.view('train.form', {})).toEqual({ preset: 'Annealed gates', values: {} });
    await page.getByRole('button', { name: /Train what the form says 2 runs/ }).click();
    await expect.poll(() => asked('run').length).toBe(1);
  });
});
