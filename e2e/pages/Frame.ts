/** What surrounds every workspace: title bar, rail, inspector, job bar, dialogs. Found by what it is to a screen reader. */
import type { Locator, Page } from '@playwright/test';

export type Workspace = 'Home' | 'Train' | 'Modes' | 'Settings';

export class Frame {
  readonly page: Page;
  readonly titleBar: Locator;
  readonly workspaces: Locator;
  readonly main: Locator;
  readonly inspector: Locator;
  readonly jobs: Locator;
  readonly dialog: Locator;

  constructor(page: Page) {
    this.page = page;
    this.titleBar = page.getByRole('banner');
    this.workspaces = page.getByRole('navigation', { name: 'Workspaces' });
    this.main = page.getByRole('main');
    this.inspector = page.getByRole('complementary', { name: 'Inspector' });
    this.jobs = page.getByRole('contentinfo', { name: 'Jobs' });
    this.dialog = page.getByRole('dialog');
  }

  /** Of the menu that is open. */
  menuItem(name: string): Locator {
    return this.page
      .getByRole('menuitem', { name: new RegExp(`^${name}`) })
      .or(this.page.getByRole('menuitemradio', { name: new RegExp(`^${name}`) }));
  }

  get idle(): Locator {
    return this.jobs.getByText('No jobs running');
  }

  /** `12 results stored` */
  get stored(): Locator {
    return this.jobs.getByText(/results? stored$/);
  }

  get undo(): Locator {
    return this.titleBar.getByRole('button', { name: /^Undo/ });
  }

  get redo(): Locator {
    return this.titleBar.getByRole('button', { name: /^Redo/ });
  }

  async goTo(workspace: Workspace): Promise<void> {
    await this.workspaces
      .getByRole('button', { name: workspace, exact: true })
      .or(this.workspaces.getByRole('link', { name: workspace, exact: true }))
      .click();
  }
}
