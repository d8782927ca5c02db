/**
 * An App with a host that answers from fixtures and keeps what it is told, in memory. Nothing is computed: what would run becomes a job that
 * waits for the test to say how it goes.
 */
import { UserError } from '../../engine/base/errors.ts';
import type { Findings } from '../../engine/base/findings.ts';
import type { HostApi, HostEvent, Job, ResultEntry, SessionEntry, Settings, Snapshot, UnitVectors, Work } from '../../main/host/hostApi.ts';
import type { Series } from '../../main/store/runs.ts';
import { App } from '../state/app.svelte.ts';
import type { Host } from '../state/connection.svelte.ts';
import * as data from './fakeData.ts';
import { FakeLink } from './fakeLink.svelte.ts';
import { fixture } from './fixtures.ts';

export interface FakeOptions {
  readonly settings?: Partial<Settings>;
  readonly sessions?: readonly SessionEntry[];
  readonly jobs?: readonly Job[];
  /** What `openSession` gives, whatever the path; by default the stored one. */
  readonly snapshot?: Snapshot;
  /** Answers of your own, by method. */
  readonly answers?: Partial<{ [Name in keyof Host]: Host[Name] }>;
  /** The host opens only when the test says so. */
  readonly closed?: boolean;
}

export interface Fake {
  readonly app: App;
  readonly link: FakeLink;
  /** What was asked, in order. */
  readonly calls: readonly { readonly method: string; readonly given: unknown }[];
  readonly emit: (event: HostEvent) => void;
  /** Changes the jobs and says so. */
  readonly setJobs: (jobs: readonly Job[]) => void;
  /** Changes the session that is open and says so. */
  readonly change: (changes: Partial<Snapshot>) => void;
}

export function fakeApp(options: FakeOptions = {}): Fake {
  const calls: { method: string; given: unknown }[] = [];
  let settings: Settings = { ...data.settings, ...options.settings };
  let sessions = options.sessions ?? data.sessions;
  let jobs = options.jobs ?? [];
  let snapshot: Snapshot | undefined;
  let hear: (event: HostEvent) => void = () => undefined;

  const change = (changes: Partial<Snapshot>): void => {
    snapshot = { ...snapshot!, ...changes };
    hear({ type: 'session', snapshot });
  };
  const setJobs = (next: readonly Job[]): void => {
    jobs = next;
    hear({ type: 'jobs', jobs });
  };
  const at = (path: string): SessionEntry => {
    const found = sessions.find((one) => one.path === path);
    if (!found) throw new UserError('session', 'must be on the list', path);
    return found;
  };
  const edit = (path: string, changes: Partial<SessionEntry>): void => {
    at(path);
    sessions = sessions.map((one) => (one.path === path ? { ...one, ...changes } : one));
    hear({ type: 'sessions' });
  };
  const editJob = (id: number, changes: Partial<Job>): void => setJobs(jobs.map((one) => (one.id === id ? { ...one, ...changes } : one)));
  const stored = (work: Work): ResultEntry | undefined =>
    work.kind === 'analyse' ? snapshot?.results.find((result) => result.analysis === work.analysis && !result.hidden) : undefined;

  const api: { [Name in keyof HostApi]?: (given: Parameters<HostApi[Name]>[0]) => unknown } = {
    about: () => data.about,
    describe: () => data.description,
    checkDevices: () => data.devices,
    settings: () => settings,
    changeSettings: (changes) => (settings = { ...settings, ...changes }),
    sessions: () => sessions,
    preview: ({ path }) => data.previewOf(at(path)),
    createSession: ({ name = 'Untitled' }) =>
      (snapshot = {
        ...fixture<Snapshot>('snapshot'),
        name,
        path: `/home/ada/Gatescope/${name}.gatescope`,
        models: [],
        runs: [],
        results: [],
        notes: [],
        history: {},
        views: {},
      }),
    openSession: ({ path }) => {
      const entry = sessions.find((one) => one.path === path);
      if (entry?.state === 'damaged' || entry?.state === 'missing') throw new UserError('session', 'must be a whole session file', path);
      const whole = options.snapshot ?? fixture<Snapshot>('snapshot');
      return (snapshot = {
        ...whole,
        path,
        name: entry?.name ?? whole.name,
        writable: entry?.state !== 'locked' && entry?.state !== 'newer',
        ...(entry?.problem && { notice: entry.problem }),
      });
    },
    closeSession: () => void (snapshot = undefined),
    renameSession: ({ path, name }) => {
      if (!name.trim()) throw new UserError('session: name', 'must not be empty', name);
      edit(path, { name });
      if (snapshot?.path === path) change({ name });
    },
    noteSession: ({ path, text }) => edit(path, { note: text }),
    duplicateSession: ({ path }) => {
      const copy = { ...at(path), path: path.replace('.gatescope', ' copy.gatescope'), name: `${at(path).name} copy`, shipped: false };
      sessions = [...sessions, copy];
      hear({ type: 'sessions' });
      return { path: copy.path };
    },
    trashSession: ({ path }) => edit(path, { state: 'trashed' }),
    restoreSession: ({ path }) => edit(path, { state: 'ready' }),
    forgetSession: ({ path }) => {
      sessions = sessions.filter((one) => one.path !== path);
      hear({ type: 'sessions' });
    },
    browse: ({ folder = '/home/ada' }) => ({
      folder,
      ...(folder !== '/home/ada' && { parent: folder.slice(0, folder.lastIndexOf('/')) }),
      entries: [
        { name: 'Gatescope', path: `${folder}/Gatescope`, folder: true, fits: false },
        { name: 'Weekly.gatescope', path: `${folder}/Weekly.gatescope`, folder: false, fits: true },
        { name: 'notes.txt', path: `${folder}/notes.txt`, folder: false, fits: false },
      ],
    }),
    saveAs: ({ path }) => {
      change({ path });
      return { path };
    },
    shareCopy: ({ path }) => ({ path }),
    snapshot: () => snapshot,
    findings: ({ key }) => fixture<Findings>(snapshot!.results.find((result) => result.key === key)!.analysis),
    series: ({ run }) => fixture<Record<string, Series[]>>('series')[snapshot?.runs.find(({ key }) => key === run)?.label ?? ''] ?? [],
    units: () => unitVectors(),
    setView: ({ name, value, label }) =>
      change({ views: { ...snapshot!.views, [name]: value }, ...(label && { history: { undo: { label } } }) }),
    addNote: ({ subject, text = '', bookmark = false }) => {
      const note = { id: snapshot!.notes.length + 1, subject, text, bookmark, at: data.NOW, edited: undefined };
      change({ notes: [...snapshot!.notes, note] });
      return note;
    },
    editNote: ({ id, ...changes }) => change({ notes: snapshot!.notes.map((note) => (note.id === id ? { ...note, ...changes } : note)) }),
    removeNote: ({ id }) => change({ notes: snapshot!.notes.filter((note) => note.id !== id) }),
    undo: () => {
      const { undo } = snapshot!.history;
      change({ history: undo ? { redo: undo } : {} });
      return snapshot!.history;
    },
    redo: () => {
      const { redo } = snapshot!.history;
      change({ history: redo ? { undo: redo } : {} });
      return snapshot!.history;
    },
    plan: () => ({ stored: false, runs: 1, steps: 938, seconds: 6, bytes: 38_000_000 }),
    run: (work) => {
      const fresh = data.job(jobs.length + 1, { work, state: jobs.some(({ state }) => state === 'running') ? 'waiting' : 'running' });
      setJobs([...jobs, fresh]);
      return fresh;
    },
    lookUp: ({ works }) =>
      works.map((work) => ({ key: stored(work)?.key ?? JSON.stringify(work), state: stored(work) ? 'stored' : 'absent' })),
    jobs: () => jobs,
    cancel: ({ job }) => editJob(job, { state: 'cancelled', ended: data.NOW }),
    pause: ({ job }) => editJob(job, { state: 'paused' }),
    resume: ({ job }) => editJob(job, { state: 'running' }),
    dismiss: ({ job }) => setJobs(jobs.filter(({ id }) => id !== job)),
    log: () => [
      { at: '2026-11-26T14:51:00', text: 'begun on 2 threads' },
      { at: '2026-11-26T14:51:57', text: 'checkpoint after step 640' },
    ],
    commandLine: () => 'gatescope train --preset dopamine --seeds 0-4',
    answer: (request) => data.answer(request),
    drawImages: (request) => data.drawImages(request),
    pathAccuracy: ({ angles, share, images }) => ({
      angles,
      images,
      accuracy: Float64Array.from(angles, (angle) => 92 - angle / 20 + (share * angle) / 30),
    }),
    exportFile: ({ what, format }) => ({ name: `${what}.${format}`, bytes: new TextEncoder().encode('a,b\r\n') }),
  };

  const host = new Proxy({} as Host, {
    get: (_target, name) => {
      if (typeof name !== 'string' || name === 'then') return undefined;
      return async (given: never, called?: unknown) => {
        calls.push({ method: name, given });
        const own = options.answers?.[name as keyof Host] as ((given: never, called?: unknown) => unknown) | undefined;
        if (own) return own(given, called);
        const method = api[name as keyof HostApi];
        if (!method) throw new Error(`fake host: no method ${name}`);
        return method(given);
      };
    },
  });

  let link: FakeLink;
  const app = new App((onEvent, onOpen) => {
    hear = onEvent;
    link = new FakeLink(host, onOpen);
    if (!options.closed) queueMicrotask(() => link.open());
    return link;
  });
  return { app, link: link!, calls, emit: (event) => hear(event), setJobs, change };
}

/** The stored mode's vectors as the host gives them. */
function unitVectors(): UnitVectors {
  const { parameters } = fixture<{ adapter: { parameters: Readonly<Record<string, Float32Array>> } }>('units').adapter;
  const layers: { label: string; begin: number; end: number }[] = [];
  const units: string[] = [];
  const threshold: number[] = [];
  const gain: number[] = [];
  for (let layer = 0; parameters[`layers.${layer}.gate.threshold`]; layer++) {
    const thresholds = parameters[`layers.${layer}.gate.threshold`];
    layers.push({ label: `L${layer}`, begin: units.length, end: units.length + thresholds.length });
    thresholds.forEach((_value, i) => units.push(`L${layer}U${i}`));
    threshold.push(...thresholds);
    gain.push(...parameters[`layers.${layer}.gate.gain`]);
  }
  return { units, layers, threshold: Float32Array.from(threshold), gain: Float32Array.from(gain), contextual: false };
}
