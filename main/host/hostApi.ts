/**
 * What the window may ask of the host, and what it hears: the one statement of it. The methods are in api/, one file per subject, each
 * parsing its arguments by a schema before it does anything.
 *
 * Plain data only. A window is attached to at most one session at a time; several windows may be attached to one. Paths are the host's.
 */
import type { Failure } from '../../engine/base/errors.ts';
import type { Findings } from '../../engine/base/findings.ts';
import type { Progress } from '../../engine/contract.ts';
import type { CallContext } from '../rpc/wire.ts';
import type { Corpus } from '../store/corpora.ts';
import type { ModelRow } from '../store/models.ts';
import type { NewNote, Note } from '../store/notes.ts';
import type { ResultRow } from '../store/results.ts';
import type { RunRow, Series } from '../store/runs.ts';
import type { Description } from './hostForms.ts';
import type { Answer, AnswerRequest, DrawnImages, DrawRequest, PathAccuracy, PathRequest } from './hostLive.ts';

export type * from './hostForms.ts';
export type * from './hostLive.ts';

type Call<Given, Result> = (given: Given, context: CallContext) => Result | Promise<Result>;

export interface HostApi {
  // ── the program ──
  readonly about: Call<object, About>;
  /** What can be asked for: the forms of the window are made of it. */
  readonly describe: Call<object, Description>;
  /** The parity check of every executor; takes seconds. */
  readonly checkDevices: Call<object, readonly Device[]>;
  readonly settings: Call<object, Settings>;
  readonly changeSettings: Call<Partial<Settings>, Settings>;

  // ── sessions ──
  readonly sessions: Call<object, readonly SessionEntry[]>;
  /** Contents and file check of one that is not open. */
  readonly preview: Call<{ readonly path: string }, SessionPreview>;
  /** Makes and opens one; named `Untitled`, `Untitled 2`, … in the sessions folder unless told otherwise. */
  readonly createSession: Call<{ readonly name?: string; readonly path?: string }, Snapshot>;
  /** Attaches the window; one that another process writes to, or that is newer or not writable, is opened to be read. */
  readonly openSession: Call<{ readonly path: string }, Snapshot>;
  /** Lets the window go; work that runs goes on. */
  readonly closeSession: Call<object, void>;
  readonly renameSession: Call<{ readonly path: string; readonly name: string }, void>;
  readonly noteSession: Call<{ readonly path: string; readonly text: string }, void>;
  readonly duplicateSession: Call<{ readonly path: string }, { readonly path: string }>;
  /** Moves it into the trash of the sessions folder, from which it can come back. */
  readonly trashSession: Call<{ readonly path: string }, void>;
  readonly restoreSession: Call<{ readonly path: string }, void>;
  /** Takes it off the list; the file stays. */
  readonly forgetSession: Call<{ readonly path: string }, void>;
  /** Folders and files the window may choose from, in served mode below the root. */
  readonly browse: Call<{ readonly folder?: string; readonly kind: 'session' | 'images' }, Listing>;
  /** A new file: `.gatescope` is put to a name that does not end so. */
  readonly saveAs: Call<CopyTo, { readonly path: string }>;
  readonly shareCopy: Call<CopyTo, { readonly path: string }>;

  // ── the session that the window is attached to ──
  readonly snapshot: Call<object, Snapshot>;
  readonly findings: Call<{ readonly key: string }, Findings>;
  /** Of a run that is done, or as far as it has come: of one under way, with NaN for steps of which nothing has been heard. */
  readonly series: Call<{ readonly run: string }, readonly Series[]>;
  /** Vectors of a gated mode by unit, for those that have them. */
  readonly units: Call<{ readonly model: string }, UnitVectors>;

  // ── what a person does; every one can be undone ──
  readonly setView: Call<ViewChange, void>;
  readonly addNote: Call<NewNote, Note>;
  readonly editNote: Call<{ readonly id: number; readonly text?: string; readonly bookmark?: boolean }, void>;
  readonly removeNote: Call<{ readonly id: number }, void>;
  /** Computing is not undone: its result is hidden. */
  readonly undo: Call<object, History>;
  readonly redo: Call<object, History>;

  // ── work ──
  /** What a request would cost and where its result is, without running it. @throws UserError for what it may not be */
  readonly plan: Call<Work, Plan>;
  /** Begins, or queues behind what runs; resolves at once. */
  readonly run: Call<Work, Job>;
  /** The keys of requests, and what is there of them. */
  readonly lookUp: Call<{ readonly works: readonly Work[] }, readonly Known[]>;
  readonly jobs: Call<object, readonly Job[]>;
  readonly cancel: Call<{ readonly job: number }, void>;
  /** Stops it at its last checkpoint; `resume` goes on from there. */
  readonly pause: Call<{ readonly job: number }, void>;
  readonly resume: Call<{ readonly job: number }, void>;
  /** Takes a job that is over off the bar. */
  readonly dismiss: Call<{ readonly job: number }, void>;
  readonly log: Call<{ readonly job: number }, readonly LogLine[]>;
  /** The same work as a line for a terminal. */
  readonly commandLine: Call<Work, string>;

  // ── at once, kept nowhere ──
  readonly answer: Call<AnswerRequest, Answer>;
  readonly drawImages: Call<DrawRequest, DrawnImages>;
  readonly pathAccuracy: Call<PathRequest, PathAccuracy>;

  // ── files ──
  /** Bytes of a file made of something in the session, for the window to save; of `py` an archive of the module and its weights. */
  readonly exportFile: Call<ExportRequest, ExportedFile>;
}

export type HostEvent =
  | { readonly type: 'session'; readonly snapshot: Snapshot }
  | { readonly type: 'jobs'; readonly jobs: readonly Job[] }
  /** New points of a run under way: `at` are steps done, `values` figures by series name. */
  | { readonly type: 'points'; readonly run: string; readonly points: readonly Point[] }
  | { readonly type: 'sessions' }
  /** Something nobody has asked about went wrong: a result that could not be kept, an engine that was started again. */
  | { readonly type: 'problem'; readonly failure: Failure; readonly kept: string };

export interface Point {
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface About {
  readonly version: string;
  readonly platform: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  /** Where sessions are made. */
  readonly sessionsFolder: string;
  /** Served mode: what lies outside is out of reach. */
  readonly root?: string;
  readonly served: boolean;
  /** Of the demonstration session, opened by the first-run tour. */
  readonly demonstration?: string;
  /** What the keyboard calls the key before K: `Ctrl` or `Cmd`. */
  readonly modifier: 'Ctrl' | 'Cmd';
}

export interface Settings {
  readonly theme: 'system' | 'light' | 'dark';
  readonly diverging: 'red-blue' | 'purple-green';
  /** Positive red instead of blue. */
  readonly flip: boolean;
  readonly toured: boolean;
  /** Panes, widths and the like of the window, by name. */
  readonly window: Readonly<Record<string, unknown>>;
}

export interface Device {
  readonly id: string;
  readonly title: string;
  readonly state: 'reference' | 'agrees' | 'disagrees' | 'unavailable';
  /** Largest relative differences from the reference, by part of the check. */
  readonly differences: Readonly<Record<string, number>>;
  readonly reason?: string;
}

// ── sessions ──

export interface SessionEntry {
  readonly path: string;
  readonly name: string;
  readonly note: string;
  readonly state: 'ready' | 'locked' | 'newer' | 'damaged' | 'missing' | 'trashed';
  /** In words, where the state needs them. */
  readonly problem?: string;
  /** Bytes. */
  readonly size: number;
  /** ISO time. */
  readonly changed: string;
  readonly inside: Inside;
  /** What was looked at last: `modes`. */
  readonly lastView?: string;
  /** A demonstration that came with the program. */
  readonly shipped: boolean;
}

export interface Inside {
  readonly models: number;
  readonly runs: number;
  readonly results: number;
  readonly notes: number;
  readonly actions: number;
}

export interface SessionPreview {
  readonly entry: SessionEntry;
  /** Of the newest runs and results, for the eye: title and one figure each. */
  readonly highlights: readonly { readonly title: string; readonly figure: string }[];
  readonly computedOn: string;
  /** What `check` finds wrong; empty if it is whole. */
  readonly problems: readonly string[];
}

export interface CopyTo {
  readonly path: string;
  /** A session that is there goes into the trash; it must not be open. */
  readonly replace?: boolean;
}

export interface Listing {
  readonly folder: string;
  readonly parent?: string;
  readonly entries: readonly { readonly name: string; readonly path: string; readonly folder: boolean; readonly fits: boolean }[];
}

export interface Snapshot {
  readonly path: string;
  readonly uuid: string;
  readonly name: string;
  readonly writable: boolean;
  /** What has to be said about how it was opened. */
  readonly notice?: string;
  readonly models: readonly Model[];
  readonly runs: readonly Run[];
  readonly results: readonly ResultEntry[];
  readonly corpora: readonly Corpus[];
  readonly notes: readonly Note[];
  readonly history: History;
  /** What views have kept, by name. */
  readonly views: Readonly<Record<string, unknown>>;
  /** ISO time of the last thing kept. */
  readonly saved?: string;
}

export interface Model extends ModelRow {
  /** `foundation, seed 0`, told apart from its neighbours. */
  readonly title: string;
  readonly gated: boolean;
  readonly lambda: number;
  /** Of gates, by hidden layer. */
  readonly temperature: readonly number[];
  /** Numbers the adapter has; of a foundation all. */
  readonly parameters: number;
  /** Of the data it was trained on. */
  readonly data?: { readonly source: string; readonly digest?: string };
  readonly hidden: boolean;
}

export interface Run extends RunRow {
  /** What was asked for, without models: they are named by digest. */
  readonly request: Work;
  /** Undone: not shown. */
  readonly hidden: boolean;
  /** Accuracies in % by angle, of the run's model and of its foundation, where they have been measured. */
  readonly summary: RunSummary;
}

export interface RunSummary {
  /** How many test images the accuracies are of, where that is one number for all of them. */
  readonly images?: number;
  /** How many each is of, by form and angle; NaN where it is not known. */
  readonly counts?: Readonly<Record<'base' | 'soft' | 'hard', Readonly<Record<string, number>>>>;
  readonly soft: Readonly<Record<string, number>>;
  readonly hard: Readonly<Record<string, number>>;
  readonly base: Readonly<Record<string, number>>;
  /** % of hidden units active on the images of the mode. */
  readonly on?: number;
  readonly loss?: number;
}

export interface ResultEntry extends ResultRow {
  readonly title: string;
  readonly hidden: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface UnitVectors {
  /** `L0U17`, layer by layer. */
  readonly units: readonly string[];
  /** Where each hidden layer begins. */
  readonly layers: readonly { readonly label: string; readonly begin: number; readonly end: number }[];
  /** Thresholds τ and gains γ; 0 and 1 where the adapter has none. */
  readonly threshold: Float32Array;
  readonly gain: Float32Array;
  /** Mode by mode if it is context-conditioned: `threshold` is then of the first. */
  readonly contextual: boolean;
}

// ── history ──

export interface History {
  readonly undo?: { readonly label: string };
  readonly redo?: { readonly label: string };
}

export interface ViewChange {
  /** `modes.forced`, `train.form`, … */
  readonly name: string;
  readonly value: unknown;
  /** What undo calls it: `Force unit L1U41 shut`. Without it the change is kept and cannot be undone, like the width of a pane. */
  readonly label?: string;
}

// ── work ──

/** Models by digest: the host puts them in. */
export type Work =
  | { readonly kind: 'train'; readonly parameters: Readonly<Record<string, unknown>>; readonly base?: string }
  | {
      readonly kind: 'analyse';
      readonly analysis: string;
      readonly models: readonly string[];
      readonly options?: Readonly<Record<string, unknown>>;
      readonly seed?: number;
      /** What the models were trained on unless told otherwise. */
      readonly data?: { readonly source: string; readonly digest?: string };
    }
  | { readonly kind: 'protocol'; readonly protocol: string; readonly options: Readonly<Record<string, unknown>> }
  /** The mode at `share` of the path from the base, or from another mode, kept as a model. */
  | { readonly kind: 'interpolate'; readonly model: string; readonly other?: string; readonly share: number; readonly stage?: string };

export interface Plan {
  /** Of the run or result; of a protocol none. */
  readonly key?: string;
  readonly stored: boolean;
  readonly runs: number;
  readonly steps?: number;
  /** Seconds, from what such work took before on this machine; absent until there is something to go by. */
  readonly seconds?: number;
  readonly bytes?: number;
}

export interface Known {
  readonly key: string;
  /** In the session, and shown; `hidden` if it was undone. */
  readonly state: 'absent' | 'running' | 'stored' | 'hidden';
}

export interface Job {
  readonly id: number;
  readonly title: string;
  readonly work: Work;
  readonly key?: string;
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  readonly progress?: Progress;
  /** How far the whole of it is, from 0 to 1: of a training with the measuring that follows its steps. */
  readonly share?: number;
  /** ISO time of the last state that it could go on from. */
  readonly checkpoint?: string;
  /** Steps that were done by then. */
  readonly kept?: number;
  /** Of running, without waiting and pauses, until it was last stopped or came to its end. */
  readonly seconds?: number;
  readonly began: string;
  readonly ended?: string;
  readonly failure?: Failure;
  /** How often an engine died over it and was replaced. */
  readonly restarts: number;
}

export interface LogLine {
  readonly at: string;
  readonly text: string;
}

// ── files ──

export type ExportRequest =
  | { readonly what: 'findings'; readonly key: string; readonly format: 'csv' | 'json' | 'npz' }
  | { readonly what: 'model'; readonly digest: string; readonly format: 'safetensors' | 'onnx' | 'py' }
  | { readonly what: 'series'; readonly runs: readonly string[]; readonly format: 'csv' | 'json' | 'npz' };

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}
