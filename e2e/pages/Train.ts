/** The Train workspace: the form of the next run, the curves, the table of runs. */
import { expect, type Locator, type Page } from '@playwright/test';
import { Frame } from './Frame.ts';

export class Train {
  readonly frame: Frame;
  readonly form: Locator;
  readonly table: Locator;
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.frame = new Frame(page);
    this.form = page.getByRole('form', { name: 'The next run' });
    this.table = page.getByRole('treegrid', { name: 'Runs' });
  }

  get start(): Locator {
    return this.form.getByRole('button', { name: /^(Train|Queue)/ });
  }

  field(label: string): Locator {
    return this.form.getByRole('textbox', { name: label, exact: true });
  }

  /** Types a value and leaves the field. */
  async set(label: string, value: string): Promise<void> {
    await this.field(label).fill(value);
    await this.field(label).press('Tab');
    await expect(this.field(label)).toHaveValue(value);
  }

  async preset(name: string): Promise<void> {
    await this.form.getByRole('combobox', { name: 'Preset' }).selectOption({ label: name });
  }

  async trained(what: 'Foundation' | 'Adapters' | 'Both'): Promise<void> {
    await this.form.getByRole('radiogroup', { name: 'What is trained' }).getByRole('radio', { name: what }).click();
  }

  /** A small network on real digits, and a mode of it. @param epochs of each */
  async fillIn({ widths = '32', epochs = 1 } = {}): Promise<void> {
    await this.preset('Quick look');
    await this.set('Hidden widths', widths);
    if (epochs !== 1) await this.set('Epochs', String(epochs));
  }

  /** Of runs: other rows say what they group. */
  get rows(): Locator {
    return this.table.getByRole('row', { name: /^(not )?checked/ });
  }

  row(name: string | RegExp): Locator {
    return this.rows.filter({ hasText: name });
  }

  curve(title: string): Locator {
    return this.page.getByRole('figure', { name: title, exact: true });
  }

  /** Until every one of the table's runs is done. */
  async done(count: number): Promise<void> {
    await expect(this.row(/Done/)).toHaveCount(count);
  }

  /** What can be done with a run, in its menu. */
  async choose(name: string | RegExp, item: string): Promise<void> {
    await this.row(name).click({ button: 'right' });
    await this.frame.menuItem(item).click();
  }

  async openInModes(name: string | RegExp): Promise<void> {
    await this.row(name).click();
    await this.frame.main.getByRole('button', { name: 'Open in Modes' }).click();
  }
}
