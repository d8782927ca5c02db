/** What the palette lists: every action there is, and everything of the session one can go to. How it is searched and ordered. */
import type { Icon } from '../controls/icon.ts';
import Activity from '@lucide/svelte/icons/activity';
import ArrowRight from '@lucide/svelte/icons/arrow-right';
import ChartLine from '@lucide/svelte/icons/chart-spline';
import CircleDot from '@lucide/svelte/icons/circle-dot';
import FileText from '@lucide/svelte/icons/file-text';
import ImageDown from '@lucide/svelte/icons/image-down';
import LifeBuoy from '@lucide/svelte/icons/life-buoy';
import Network from '@lucide/svelte/icons/network';
import Pencil from '@lucide/svelte/icons/pencil';
import Play from '@lucide/svelte/icons/play';
import Settings from '@lucide/svelte/icons/settings-2';
import Table from '@lucide/svelte/icons/table-2';
import type { App } from '../state/app.svelte.ts';
import { showModel, showRun } from '../state/places.ts';
import { when } from '../words/numbers.ts';
import { fuzzy, type Match } from './fuzzy.ts';

export interface Entry {
  readonly id: string;
  readonly title: string;
  /** Beside it in small; searched too. */
  readonly about?: string;
  readonly group: string;
  readonly icon: Icon;
  readonly keys?: string;
  readonly cost?: string;
  readonly run: () => void;
}

export interface Found {
  readonly entry: Entry;
  /** Of the title; empty if it was found by what is beside it. */
  readonly at: readonly number[];
}

export interface Group {
  readonly name: string;
  readonly found: readonly Found[];
}

/** Those on the selection first. */
const order = [
  'Selection',
  'Run',
  'Go to',
  'Session',
  'Sessions',
  'Models',
  'Runs',
  'Results',
  'Units',
  'Notes',
  'Figure',
  'Edit',
  'Window',
  'Help',
];
/** In a group, so that none hides the others. */
const MOST = 6;
/** Units are listed only when they are looked for. */
const onlyFound = new Set(['Models', 'Runs', 'Results', 'Units', 'Notes']);

const icons: Readonly<Record<string, Icon>> = {
  Selection: CircleDot,
  Run: Play,
  'Go to': ArrowRight,
  Session: FileText,
  Figure: ImageDown,
  Edit: Pencil,
  Window: Settings,
  Help: LifeBuoy,
};

export function entriesOf(app: App, now: Date): Entry[] {
  return [...actionEntries(app), ...sessionEntries(app, now), ...placeEntries(app, now)];
}

/** What find looks through: what the shown workspace has. */
export function findEntries(app: App, now: Date): Entry[] {
  const groups = { home: ['Sessions'], settings: [], train: ['Runs', 'Models'], modes: ['Units', 'Models', 'Results', 'Notes'] }[
    app.workspace
  ];
  return [...sessionEntries(app, now), ...placeEntries(app, now)].filter(({ group }) => groups.includes(group as never));
}

const actionEntries = (app: App): Entry[] =>
  app.actions.all
    .filter((action) => !action.hidden && action.id !== 'view.palette' && app.actions.isEnabled(action))
    .map((action) => ({
      id: action.id,
      title: action.title,
      group: action.group,
      icon: icons[action.group] ?? Activity,
      ...(action.keys !== undefined && { keys: action.keys }),
      ...(action.cost !== undefined && { cost: action.cost }),
      run: () => void app.actions.run(action.id),
    }));

const sessionEntries = (app: App, now: Date): Entry[] =>
  app.sessions
    .filter(({ state, path }) => (state === 'ready' || state === 'locked' || state === 'newer') && path !== app.session?.path)
    .map(({ path, name, changed, shipped }) => ({
      id: `session ${path}`,
      title: name,
      about: shipped ? 'demonstration' : when(changed, now),
      group: 'Sessions',
      icon: FileText,
      run: () => app.attempt(() => app.open(path)),
    }));

function placeEntries(app: App, now: Date): Entry[] {
  const { session } = app;
  if (!session) return [];
  const models = session.models.filter(({ hidden }) => !hidden);
  const runs = session.runs.filter(({ hidden }) => !hidden);
  const results = session.results.filter(({ hidden }) => !hidden);
  return [
    ...models.map((model): Entry => ({
      id: `model ${model.digest}`,
      title: model.title,
      about: model.widths.join('-'),
      group: 'Models',
      icon: Network,
      run: () => void showModel(app, model.digest),
    })),
    ...runs.map((run): Entry => ({
      id: `run ${run.key}`,
      title: models.find(({ digest }) => digest === run.model)?.title ?? run.label,
      about: run.state === 'done' ? when(run.at, now) : 'unfinished',
      group: 'Runs',
      icon: ChartLine,
      run: () => showRun(app, run.key),
    })),
    ...results.map((result): Entry => ({
      id: `result ${result.key}`,
      title: result.title,
      about: when(result.at, now),
      group: 'Results',
      icon: Table,
      run: () => {
        const last = result.models[result.models.length - 1];
        if (!last || !showModel(app, last.digest)) app.go('modes');
      },
    })),
    ...unitsOf(app).map((unit): Entry => ({
      id: `unit ${unit}`,
      title: unit,
      about: 'unit',
      group: 'Units',
      icon: CircleDot,
      run: () => {
        app.go('modes');
        app.selection.select(unit);
      },
    })),
    ...session.notes
      .filter(({ text }) => text)
      .map((note): Entry => ({
        id: `note ${note.id}`,
        title: note.text.split('\n')[0],
        about: note.subject.unit ?? note.subject.kind,
        group: 'Notes',
        icon: Pencil,
        run: () => {
          if (note.subject.kind !== 'model' || !showModel(app, note.subject.key)) app.go('modes');
          if (note.subject.unit !== undefined) app.selection.select(note.subject.unit);
        },
      })),
  ];
}

/** Hidden units of the model that is looked at, or of the widest. */
function unitsOf(app: App): string[] {
  const models = app.session?.models ?? [];
  const shown = app.view<string | undefined>('modes.foundation', undefined);
  const widest = [...models].sort((a, b) => b.widths.reduce((x, y) => x + y, 0) - a.widths.reduce((x, y) => x + y, 0))[0];
  const widths = (models.find(({ digest }) => digest === shown) ?? widest)?.widths ?? [];
  return widths.slice(1, -1).flatMap((width, layer) => Array.from({ length: width }, (_entry, i) => `L${layer}U${i}`));
}

/** Groups in their order, the best of each first. Nothing typed: actions and sessions as they stand. */
export function search(query: string, entries: readonly Entry[]): Group[] {
  const wanted = query.trim();
  const found = entries.flatMap((entry): (Found & Match)[] => {
    if (wanted === '') return onlyFound.has(entry.group) ? [] : [{ entry, at: [], score: 0 }];
    const match = fuzzy(wanted, entry.title);
    if (match) return [{ entry, ...match }];
    const beside = entry.about === undefined ? undefined : fuzzy(wanted, entry.about);
    return beside ? [{ entry, at: [], score: beside.score / 2 }] : [];
  });
  const best = Math.max(0, ...found.map(({ score }) => score));
  // Letters strewn over a long title are no find where others have the word.
  const good = wanted === '' ? found : found.filter(({ score }) => score >= best / 2);
  const names = [...new Set([...order, ...good.map(({ entry }) => entry.group)])];
  return names
    .map((name) => ({
      name,
      found: good
        .filter(({ entry }) => entry.group === name)
        .sort((a, b) => b.score - a.score)
        .slice(0, MOST),
    }))
    .filter((group) => group.found.length > 0);
}
