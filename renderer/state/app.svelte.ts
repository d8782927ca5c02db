/** The window as a whole: its host, the session it shows, the jobs, the settings, and what can be done. One for a page. */
import { getContext, setContext } from 'svelte';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import type { About, Description, Device, HostEvent, Job, SessionEntry, Settings, Snapshot, ViewChange } from '../../main/host/hostApi.ts';
import { Disconnected } from '../../main/rpc/client.ts';
import { Actions } from './actions.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { type Host, type Link } from './connection.svelte.ts';
import { LiveSeries } from './liveSeries.svelte.ts';
import { Results } from './results.svelte.ts';
import { Selection } from './selection.svelte.ts';

export type Workspace = 'home' | 'train' | 'modes' | 'settings';

/** Something that went wrong or has to be known, until it is dismissed. */
export interface Notice {
  readonly id: number;
  readonly kind: 'mistake' | 'bug' | 'news';
  readonly title: string;
  /** What is kept, what to do. */
  readonly detail?: string;
  /** For a report. */
  readonly report?: string;
  /** A way on: `Undo`. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Among the window's settings: where one's own copy of the demonstration is. */
const DEMONSTRATION = 'demonstration';

const plain: Settings = { theme: 'system', diverging: 'red-blue', flip: false, toured: false, window: {} };

export class App {
  readonly actions = new Actions((error) => this.fail(error));
  readonly selection = new Selection();
  readonly results: Results;
  readonly series: LiveSeries;
  readonly #connection: Pick<Connection, 'link' | 'host' | 'restart'>;
  #workspace = $state<Workspace>('home');
  #about = $state.raw<About | undefined>();
  #description = $state.raw<Description | undefined>();
  #settings = $state.raw<Settings>(plain);
  #sessions = $state.raw<readonly SessionEntry[]>([]);
  #session = $state.raw<Snapshot | undefined>();
  #jobs = $state.raw<readonly Job[]>([]);
  #devices = $state.raw<readonly Device[] | undefined>();
  #checking = $state(false);
  #meeting = $state(false);
  #notices = $state.raw<readonly Notice[]>([]);
  #heard = $state('');
  #alert = $state('');
  #told = 0;
  /** What views were told and the host has not said to have heard: what it tells of the session meanwhile is older. */
  readonly #underway = new Set<ViewChange>();
  readonly #attempts = new Set<Promise<void>>();
  /** Sessions on their way in: nothing else may attach the window meanwhile. */
  #openings = 0;

  /** @param connect makes the connection: a test has one of its own */
  constructor(
    connect: (onEvent: (event: HostEvent) => void, onOpen: (host: Host) => void) => Pick<Connection, 'link' | 'host' | 'restart'>,
  ) {
    this.#connection = connect(
      (event) => this.#hear(event),
      (host) => void this.#meet(host),
    );
    this.results = new Results(() => this.host);
    this.series = new LiveSeries(() => this.host);
  }

  /** Open when the host knows which session is shown: before that it answers nothing about one. */
  get link(): Link {
    const { link } = this.#connection;
    return link.state === 'open' && this.#meeting ? { state: 'connecting' } : link;
  }

  get host(): Host {
    return this.#connection.host;
  }

  restartHost(): void {
    this.#connection.restart();
  }

  get workspace(): Workspace {
    return this.#workspace;
  }

  go(workspace: Workspace): void {
    if ((workspace === 'train' || workspace === 'modes') && !this.#session) return;
    this.#workspace = workspace;
    if (this.#session?.writable && workspace !== 'settings') void this.setView({ name: 'workspace', value: workspace });
  }

  get about(): About | undefined {
    return this.#about;
  }

  get description(): Description | undefined {
    return this.#description;
  }

  get settings(): Settings {
    return this.#settings;
  }

  async changeSettings(changes: Partial<Settings>): Promise<void> {
    this.#settings = { ...this.#settings, ...changes };
    this.#settings = await this.host.changeSettings(changes);
  }

  get sessions(): readonly SessionEntry[] {
    return this.#sessions;
  }

  /** The session that is shown. */
  get session(): Snapshot | undefined {
    return this.#session;
  }

  /** The demonstration that came with the program is opened as a copy of one's own, to be worked on like any other session. */
  async open(path: string): Promise<void> {
    await this.#opening(async () => {
      const own = path === this.#about?.demonstration ? await this.#ownDemonstration(path) : path;
      return this.host.openSession({ path: own });
    });
  }

  async #ownDemonstration(shipped: string): Promise<string> {
    const { window } = this.#settings;
    const before = (await this.host.sessions({})).find(({ path, state }) => path === window[DEMONSTRATION] && state === 'ready');
    if (before) return before.path;
    const { path } = await this.host.duplicateSession({ path: shipped });
    await this.changeSettings({ window: { ...window, [DEMONSTRATION]: path } });
    return path;
  }

  async #opening(ask: () => Promise<Snapshot>): Promise<void> {
    this.#openings++;
    try {
      this.#enter(await ask());
    } finally {
      this.#openings--;
    }
  }

  /** Looks into a session without showing it, so that its networks answer. @returns undefined where another is open: a window has one at a time */
  async peek(path: string): Promise<Snapshot | undefined> {
    if (this.#session) return this.#session.path === path ? this.#session : undefined;
    if (this.#openings > 0) return undefined;
    return this.host.openSession({ path });
  }

  async create(name?: string): Promise<void> {
    await this.#opening(() => this.host.createSession(name === undefined ? {} : { name }));
    this.go('train');
  }

  async close(): Promise<void> {
    await this.host.closeSession({});
    this.#leave();
    this.#workspace = 'home';
  }

  /** What a view keeps, by name: what it had left when the session was closed. */
  view<T>(name: string, otherwise: T): T {
    return (this.#session?.views[name] as T | undefined) ?? otherwise;
  }

  /** Kept at once here and then in the file; with a label it can be undone. */
  async setView(change: ViewChange): Promise<void> {
    if (!this.#session) return;
    this.#session = { ...this.#session, views: { ...this.#session.views, [change.name]: change.value } };
    if (!this.#session.writable) return;
    this.#underway.add(change);
    try {
      await this.host.setView(change);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#underway.delete(change);
    }
  }

  async undo(): Promise<void> {
    const label = this.#session?.history.undo?.label;
    await this.host.undo({});
    if (label !== undefined) this.announce(`Undone: ${label}`);
  }

  async redo(): Promise<void> {
    const label = this.#session?.history.redo?.label;
    await this.host.redo({});
    if (label !== undefined) this.announce(`Redone: ${label}`);
  }

  /** Goes on in the new file; the old one stays as it is. */
  async saveAs(wanted: string): Promise<void> {
    // The system's dialog has asked whether to replace what is there; the host's folders have not.
    const { path } = await this.host.saveAs({ path: wanted, replace: window.desktop !== undefined });
    const { workspace } = this;
    await this.#opening(() => this.host.openSession({ path }));
    this.#workspace = workspace;
    this.tell({ kind: 'news', title: 'Saved as a new session, which is shown now', detail: path });
  }

  /** What the parity check found; undefined until it was run. */
  get devices(): readonly Device[] | undefined {
    return this.#devices;
  }

  get checkingDevices(): boolean {
    return this.#checking;
  }

  async checkDevices(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      this.#devices = await this.host.checkDevices({});
    } finally {
      this.#checking = false;
    }
  }

  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  dismiss(id: number): void {
    this.#notices = this.#notices.filter((notice) => notice.id !== id);
  }

  tell(notice: Omit<Notice, 'id'>): void {
    this.#notices = [...this.#notices, { ...notice, id: ++this.#told }];
    if (notice.kind === 'news') this.announce(notice.title);
    else this.#alert = notice.title;
  }

  /** Shows what went wrong; a cancellation says nothing. */
  fail(error: unknown): void {
    // That the host has gone is said by a panel of its own, once.
    if (error instanceof Cancelled || error instanceof Disconnected) return;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    if (error instanceof UserError) this.tell({ kind: 'mistake', title: message });
    else this.tell({ kind: 'bug', title: message, report: stack ?? message });
  }

  /** Asks for something and shows what goes wrong, also if the host is not there to be asked. */
  attempt(ask: () => unknown): void {
    const asked = async (): Promise<void> => void (await ask());
    const attempt = asked()
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#attempts.delete(attempt));
    this.#attempts.add(attempt);
  }

  /** @param leave leaves what is being typed @returns when the host has all that followed from it */
  async settle(leave: () => void): Promise<void> {
    const before = new Set(this.#attempts);
    leave();
    await Promise.all([...this.#attempts].filter((attempt) => !before.has(attempt)));
    // Views are told without being waited for: what is sent first is heard first.
    await this.host.settings({});
  }

  /** What screen readers say when they have time: the polite live region. */
  get heard(): string {
    return this.#heard;
  }

  get alert(): string {
    return this.#alert;
  }

  announce(text: string): void {
    this.#heard = text;
  }

  async #meet(host: Host): Promise<void> {
    this.#meeting = true;
    try {
      await this.#greet(host);
    } catch (error) {
      this.fail(error);
    } finally {
      // The next one may have come meanwhile: it is met by itself.
      if (this.#connection.link.state !== 'open' || this.#connection.host === host) this.#meeting = false;
    }
  }

  async #greet(host: Host): Promise<void> {
    const path = this.#session?.path;
    [this.#about, this.#description, this.#settings, this.#sessions] = await Promise.all([
      host.about({}),
      host.describe({}),
      host.settings({}),
      host.sessions({}),
    ]);
    // After a host that ended: where we were. Jobs are those of the session.
    if (path !== undefined) this.#take(await host.openSession({ path }));
    this.#jobs = await host.jobs({});
  }

  #hear(event: HostEvent): void {
    switch (event.type) {
      case 'session':
        if (event.snapshot.path === this.#session?.path) this.#take(event.snapshot);
        return;
      case 'jobs':
        this.#tellEnds(event.jobs);
        this.#jobs = event.jobs;
        return;
      case 'points':
        this.series.add(event.run, event.points);
        return;
      case 'sessions':
        void this.host
          .sessions({})
          .then((sessions) => (this.#sessions = sessions))
          .catch((error: unknown) => this.fail(error));
        return;
      case 'problem':
        this.tell({ kind: event.failure.kind === 'bug' ? 'bug' : 'mistake', title: event.failure.message, detail: event.kept });
        return;
      default:
        return event satisfies never;
    }
  }

  #tellEnds(jobs: readonly Job[]): void {
    for (const job of jobs) {
      const before = this.#jobs.find(({ id }) => id === job.id);
      if (before && before.state !== job.state && (job.state === 'done' || job.state === 'failed'))
        this.announce(job.state === 'done' ? `${job.title}: done` : `${job.title}: failed. ${job.failure?.message ?? ''}`);
    }
  }

  #enter(snapshot: Snapshot): void {
    this.#leave();
    this.#take(snapshot);
    const last = this.view<Workspace>('workspace', snapshot.models.length > 0 ? 'modes' : 'train');
    this.#workspace = last === 'home' ? 'train' : last;
  }

  #take(snapshot: Snapshot): void {
    const newer = Object.fromEntries([...this.#underway].map(({ name, value }) => [name, value]));
    this.#session = this.#underway.size > 0 ? { ...snapshot, views: { ...snapshot.views, ...newer } } : snapshot;
    void this.results.refresh();
    this.series.take(snapshot.runs);
  }

  #leave(): void {
    this.#session = undefined;
    this.#underway.clear();
    this.results.forget();
    this.series.forget();
    this.selection.clear();
  }
}

const KEY = Symbol('app');

export const provideApp = (app: App): App => setContext(KEY, app);
export const useApp = (): App => getContext<App>(KEY);
