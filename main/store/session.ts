/**
 * A session file: everything that was done with some models, in one SQLite file that reopens without computing. This is its door; what the
 * tables hold is said where each is read and written (tensors.ts, models.ts, runs.ts, results.ts, …), how a file comes to be open in
 * opening.ts, and what is found out of it before it is trusted in inspection.ts.
 *
 * A write is one transaction and on the disk when the call returns. There is one writer at a time (lock.ts) and any number of readers. While
 * it is written to, part of a session may lie in `<file>-wal` beside it; after `close` the one file is the whole session.
 */
import type { Findings } from '../../engine/base/findings.ts';
import type { Request } from '../../engine/contract.ts';
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import type { LanguageModel } from '../../engine/models/languageModel.ts';
import type { PairSet } from '../../engine/tasks/pairs.ts';
import { actionRows, dropLayout, getLayout, layoutRows, markUndone, putAction, putLayout, type Action } from './actions.ts';
import { canonicalDigest } from './canonical.ts';
import { problemsInSteps, sessionProblems } from './check.ts';
import { checkpointKeys, dropCheckpoint, getCheckpoint, putCheckpoint } from './checkpoints.ts';
import type { Connection } from './connection.ts';
import { copySession, shareSession } from './copies.ts';
import { corpusByFingerprint, corpusRows, putCorpus, type Corpus } from './corpora.ts';
import { find, type Found } from './find.ts';
import { describeLanguageModel, getLanguageModel, languageModelRows, putLanguageModel, putLoadedModel } from './languageModels.ts';
import type { LanguageModelRow, LoadedModel } from './languageModels.ts';
import { adapterSettings, getModel, modelRows, putModel, type AdapterSettings, type ModelNames, type ModelRow } from './models.ts';
import { editNote, noteRows, putNote, removeNote, restoreNote, type NewNote, type Note, type Subject } from './notes.ts';
import { sessionInfo, type SessionInfo } from './info.ts';
import { openSession, type Opened, type OpenMode, type OpenOptions } from './opening.ts';
import { getPairSet, pairSetRows, putPairSet, type PairSetRow } from './pairSets.ts';
import { removeSession } from './placing.ts';
import { fileError, trusting } from './problems.ts';
import { getRecord, outlineOf, type CurrentVersions } from './records.ts';
import { getResult, putResult, resultDigest, resultRows, type FinishedAnalysis, type Result, type ResultRow } from './results.ts';
import { getRunResult, putRun, putUnfinishedRun, runRows, seriesEnds, seriesOf } from './runs.ts';
import type { BegunTraining, FinishedTraining, RunRow, Series, SeriesEnd } from './runs.ts';
import { getTensor, type StoredTensor } from './tensors.ts';

/** In a box, since undefined may be stored too. */
export interface Stored {
  readonly value: unknown;
}

export class Session implements Disposable {
  /** Absolute, with links resolved. */
  readonly path: string;
  readonly writable: boolean;
  /** What has to be said about how it was opened: a newer schema, a backup that was made. */
  readonly notice: string | undefined;
  readonly #connection: Connection;
  readonly #clock: () => Date;
  readonly #release: () => void;
  #closed = false;

  /** Use {@link Session.open}. */
  private constructor({ connection, notice, release }: Opened, clock: () => Date) {
    this.path = connection.path;
    this.writable = connection.writable;
    this.notice = notice;
    this.#connection = connection;
    this.#release = release;
    this.#clock = clock;
  }

  /**
   * Opens a file, a large one as fast as a small one. One with an older schema is brought up to date by `write`, after a copy of it was made
   * beside it; one with a newer schema can only be read.
   * @throws DamagedSession for a file that is not whole or not ours, which is left as it is; UserError for everything else that is in the way
   */
  static open(path: string, mode: OpenMode, options: OpenOptions = {}): Session {
    return new Session(openSession(path, mode, options), options.clock ?? (() => new Date()));
  }

  /** Lets go of the file. What was written is safe already. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.writable) {
      try {
        this.#connection.pragma('busy_timeout = 0');
        this.#connection.pragma('journal_mode = DELETE');
      } catch {
        // A reader keeps it, or the disk is full: the log beside the file stays, and is part of it until the next writer comes.
      }
    }
    this.#letGo();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Closes the file and removes it, before anybody else can write to it. */
  discard(): void {
    this.#connection.requireWritable();
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo(() => removeSession(this.path));
  }

  #letGo(afterwards: () => void = () => undefined): void {
    try {
      this.#connection.close();
      afterwards();
    } finally {
      this.#release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get info(): SessionInfo {
    return sessionInfo(this.#connection);
  }

  rename(name: string): void {
    this.#connection.run('UPDATE session SET name = ?', name);
  }

  /** In the order they came. */
  models(): ModelRow[] {
    return modelRows(this.#connection);
  }

  /** What adapted models were trained with, by digest. */
  adapterSettings(): ReadonlyMap<string, AdapterSettings> {
    return adapterSettings(this.#connection);
  }

  /** @throws UserError if it is not there, or its weights are not; DamagedSession if it is not what its digest stands for */
  model(digest: string): ClassifierModel {
    return getModel(this.#connection, digest);
  }

  /** Keeps a model that comes from elsewhere. @returns its digest */
  putModel(model: ClassifierModel, names: ModelNames): string {
    return putModel(this.#connection, model, names, this.#now());
  }

  /** In the order they came; those of images are {@link models}. */
  languageModels(): LanguageModelRow[] {
    return languageModelRows(this.#connection);
  }

  /** @throws UserError if it is not there, or its weights are not, naming the folder; DamagedSession if it is not what its digest stands for */
  languageModel(digest: string): LanguageModel {
    return getLanguageModel(this.#connection, digest);
  }

  /** The same without weights, which need not be there. */
  languageModelWithoutWeights(digest: string): Omit<LanguageModel, 'parameters'> {
    return describeLanguageModel(this.#connection, digest);
  }

  /** Keeps a language model with its weights. @returns its digest */
  putLanguageModel(model: LanguageModel, names: ModelNames): string {
    return putLanguageModel(this.#connection, model, names, this.#now());
  }

  /** Makes a loaded model known by where it lies and which one it is. */
  putLoadedModel(model: LoadedModel, names: ModelNames): void {
    putLoadedModel(this.#connection, model, names, this.#now());
  }

  /** In the order they came. */
  pairSets(): PairSetRow[] {
    return pairSetRows(this.#connection);
  }

  /** @throws UserError if it is not there, or was left out of a copy made for sharing */
  pairSet(digest: string): PairSet {
    return getPairSet(this.#connection, digest);
  }

  /** @param source a file, or the task that wrote them @returns its digest */
  putPairSet(set: PairSet, source: string): string {
    return putPairSet(this.#connection, set, source, this.#now());
  }

  /** Done and unfinished, in the order they were begun. @param current versions of the kinds of job, by which older ones are marked */
  runs(current?: CurrentVersions): RunRow[] {
    return runRows(this.#connection, current);
  }

  series(runKey: string): Series[] {
    return seriesOf(this.#connection, runKey);
  }

  /** By run: how long its series are, and how they ended. */
  seriesEnds(): ReadonlyMap<string, readonly SeriesEnd[]> {
    return seriesEnds(this.#connection);
  }

  /** In the order they came. @param current versions of the analyses, by which older ones are marked */
  results(current?: CurrentVersions): ResultRow[] {
    return resultRows(this.#connection, current);
  }

  /** @throws UserError if it is not there */
  result(key: string, current?: CurrentVersions): Result {
    const result = getResult(this.#connection, key, current);
    if (!result) throw fileError(`must hold the result ${key.slice(0, 12)}`, this.path);
    return result;
  }

  /** What was asked for under the key of a run or a result: the same request gives the same numbers. @throws UserError if it is not there */
  request(key: string): Request {
    const { kind, json } = this.#requested(key);
    return { kind, parameters: getRecord(this.#connection, json, `request ${key.slice(0, 12)}`) };
  }

  /** The same with digests in the place of models, whose weights are not read for it. @throws UserError if it is not there */
  requestOutline(key: string): Request {
    const { kind, json } = this.#requested(key);
    return { kind, parameters: outlineOf(this.#connection, json, `request ${key.slice(0, 12)}`) };
  }

  #requested(key: string): { kind: string; json: string } {
    const row = this.#connection.get<{ kind: string; json: string }>(
      'SELECT kind, request AS json FROM runs WHERE key = ? UNION ALL SELECT analysis, request FROM results WHERE key = ?',
      key,
      key,
    );
    if (!row) throw fileError(`must hold a run or result ${key.slice(0, 12)}`, this.path);
    return row;
  }

  tensor(digest: string): StoredTensor {
    return getTensor(this.#connection, digest);
  }

  corpora(): Corpus[] {
    return corpusRows(this.#connection);
  }

  /** The data set that files with this fingerprint (names, sizes, times) were found to be. */
  corpusByFingerprint(fingerprint: string): Corpus | undefined {
    return corpusByFingerprint(this.#connection, fingerprint);
  }

  putCorpus(corpus: Corpus, fingerprint?: string): void {
    putCorpus(this.#connection, corpus, this.#now(), fingerprint);
  }

  /** @throws UserError that names the nearest match, or the candidates if there are several */
  find(text: string, kinds?: readonly Found['kind'][]): Found {
    return find(this.#connection, text, kinds);
  }

  notes(): Note[] {
    return noteRows(this.#connection);
  }

  addNote(note: NewNote): Note {
    return putNote(this.#connection, note, this.#now());
  }

  addBookmark(subject: Subject): Note {
    return this.addNote({ subject, bookmark: true });
  }

  editNote(id: number, changes: Pick<NewNote, 'text' | 'bookmark'>): Note {
    return editNote(this.#connection, id, changes, this.#now());
  }

  removeNote(id: number): void {
    removeNote(this.#connection, id);
  }

  /** Puts one back as it was, in the place of the one with its number if there is one. */
  restoreNote(note: Note): void {
    restoreNote(this.#connection, note);
  }

  /** Everything that was done, in order. */
  actions(): Action[] {
    return actionRows(this.#connection);
  }

  /** @param given plain data without arrays @returns the action's id */
  act(verb: string, given: unknown): number {
    return putAction(this.#connection, verb, given, this.#now());
  }

  setUndone(action: number, undone: boolean): void {
    markUndone(this.#connection, action, undone);
  }

  layout(name: string): unknown {
    return getLayout(this.#connection, name);
  }

  setLayout(name: string, value: unknown): void {
    putLayout(this.#connection, name, value);
  }

  /** Everything that was laid out, by name. */
  layouts(): Record<string, unknown> {
    return layoutRows(this.#connection);
  }

  dropLayout(name: string): void {
    dropLayout(this.#connection, name);
  }

  loadCheckpoint(key: string): Stored | undefined {
    return getCheckpoint(this.#connection, key);
  }

  /** @param training given for a training, which is then listed as unfinished */
  saveCheckpoint(key: string, state: unknown, training?: BegunTraining): void {
    this.#connection.transaction(() => {
      if (training) putUnfinishedRun(this.#connection, key, training, this.#now());
      putCheckpoint(this.#connection, key, state, this.#now());
    });
  }

  hasCheckpoints(): boolean {
    return checkpointKeys(this.#connection).length > 0;
  }

  dropCheckpoint(key: string): void {
    dropCheckpoint(this.#connection, key);
  }

  /** What {@link saveTraining} or {@link saveAnalysis} was given under this key, bit for bit; undefined if there is nothing. */
  loadResult(key: string): Stored | undefined {
    const findings = getResult(this.#connection, key);
    return findings ? { value: findings.findings } : getRunResult(this.#connection, key);
  }

  /** The run, its model and its series, in place of its checkpoint. */
  saveTraining(finished: FinishedTraining): void {
    this.#connection.transaction(() => {
      putRun(this.#connection, finished, this.#now());
      dropCheckpoint(this.#connection, finished.key);
    });
  }

  /** The findings and the models they are about, in place of a checkpoint. */
  saveAnalysis(finished: FinishedAnalysis): void {
    this.#connection.transaction(() => {
      putResult(this.#connection, finished, this.#now());
      dropCheckpoint(this.#connection, finished.key);
    });
  }

  /** What a protocol makes of other results, as a result of its own. One that is there stays, with its time, unless it found other numbers. */
  saveReport(key: string, protocol: string, version: number, findings: Findings, parameters: unknown = {}): void {
    const known = resultDigest(this.#connection, key);
    if (known !== canonicalDigest(findings, 'findings')) this.saveAnalysis({ key, analysis: protocol, version, findings, parameters });
  }

  /** All of what `work` writes here, or nothing of it. */
  together<T>(work: () => T): T {
    return this.#connection.transaction(work);
  }

  /** Reads the whole file. @returns what is wrong with it, in words; nothing if it is whole */
  check(): string[] {
    const { weights } = trusting(this.path, 'session', () => this.info);
    return sessionProblems(this.#connection, weights);
  }

  /** The same in steps, between which others may have their turn: what each of them found. */
  *checkInSteps(): Generator<string[]> {
    const { weights } = trusting(this.path, 'session', () => this.info);
    yield* problemsInSteps(this.#connection, weights);
  }

  /** A whole copy at another place. @throws UserError if something is there already */
  async saveAs(path: string): Promise<void> {
    await copySession(this.#connection, path);
  }

  /** A copy to hand to others: without weights, checkpoints and absolute paths. @throws UserError if something is there already */
  async shareCopy(path: string): Promise<void> {
    await shareSession(this.#connection, path);
  }

  #now(): string {
    return this.#clock().toISOString();
  }
}
