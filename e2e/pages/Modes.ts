/** The Modes workspace: what is looked at, its figures, the live digit, the inspector. */
import type { Locator, Page } from '@playwright/test';
import { Frame } from './Frame.ts';

export class Modes {
  readonly page: Page;
  readonly frame: Frame;
  readonly bar: Locator;
  readonly inspector: Locator;
  /** Which analyses the figures lack. */
  readonly lacking: Locator;
  /** One of each network. */
  readonly answers: Locator;
  readonly dial: Locator;

  constructor(page: Page) {
    this.page = page;
    this.frame = new Frame(page);
    this.bar = page.getByRole('toolbar', { name: 'Modes: what is shown' });
    this.inspector = page.getByRole('complementary', { name: 'Inspector' });
    this.lacking = page.getByText(/^Not measured yet/);
    this.answers = page.getByRole('group', { name: /^Answers/ }).getByRole('button');
    this.dial = page.getByRole('slider', { name: 'Angle', exact: true });
  }

  /** `45° 93.4 % +5.1`: by angle, the mode's own first. */
  get accuracies(): Locator {
    return this.bar.getByText(/^\d+°\s[–\d]/);
  }

  form(name: 'Base' | 'Mode, soft' | 'Mode, hard'): Locator {
    return this.bar.getByRole('radiogroup', { name: 'Network' }).getByRole('radio', { name });
  }

  forced(count: number): Locator {
    return this.bar.getByText(count === 1 ? '1 unit forced' : `${count} units forced`);
  }

  figure(title: string): Locator {
    return this.page.getByRole('figure', { name: title, exact: true });
  }

  /** What a figure draws: its one tab stop. */
  drawing(title: string): Locator {
    return this.figure(title).getByRole('application');
  }

  hold(state: 'Free' | 'Open' | 'Shut'): Locator {
    return this.inspector.getByRole('radiogroup', { name: 'Force' }).getByRole('radio', { name: state });
  }

  get note(): Locator {
    return this.inspector.getByRole('textbox', { name: /^Note on/ });
  }

  get unit(): Locator {
    return this.inspector.getByRole('heading', { level: 2 });
  }

  async write(note: string): Promise<void> {
    await this.note.fill(note);
    await this.note.press('Tab');
  }

  /** By keyboard, in the field: the first unit, or one that many arrows to the right of it. */
  async selectUnit(steps = 0): Promise<void> {
    const field = this.drawing('Units');
    await field.focus();
    await field.press('Home');
    for (let step = 0; step < steps; step++) await field.press('ArrowRight');
    await field.press('Enter');
  }

  async measure(): Promise<void> {
    await this.frame.main
      .getByRole('button', { name: /^Measure \d+ analys[ei]s/ })
      .first()
      .click();
  }
}
