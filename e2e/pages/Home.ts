/** The Home workspace: the demonstration, the list of sessions and the selected one beside it. */
import type { Locator, Page } from '@playwright/test';
import { Frame } from './Frame.ts';

export class Home {
  readonly frame: Frame;
  readonly demonstration: Locator;
  readonly list: Locator;
  readonly search: Locator;
  readonly preview: Locator;

  constructor(page: Page) {
    this.frame = new Frame(page);
    this.demonstration = page.getByRole('region', { name: 'Demonstration' });
    this.list = page.getByRole('grid', { name: 'Sessions' });
    this.search = page.getByRole('searchbox', { name: 'Search names and notes' });
    this.preview = page.getByRole('complementary', { name: 'Selected session' });
  }

  session(name: string): Locator {
    return this.list.getByRole('row', { name, exact: true });
  }

  async newSession(): Promise<void> {
    await this.frame.main.getByRole('button', { name: 'New session', exact: true }).click();
  }

  /** Opens one of the list, wherever the window is. */
  async open(name: string): Promise<void> {
    await this.frame.goTo('Home');
    await this.session(name).click();
    await this.session(name).press('Enter');
  }

  /** Of the dots at the end of a row. */
  async choose(name: string, item: string): Promise<void> {
    await this.session(name)
      .getByRole('button', { name: `More about ${name}` })
      .click();
    await this.frame.menuItem(item).click();
  }
}
