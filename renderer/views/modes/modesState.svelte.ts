/**
 * What the Modes workspace is looking at — foundation, mode, rival, form, place on the path, angle, forced units — and the findings that go with
 * it. Choices are kept in the session and undone by label, one step for a drag; findings are only asked for here, never computed.
 */
import { untrack } from 'svelte';
import type { Form, Forced, Model, UnitVectors, Work } from '../../../main/host/hostApi.ts';
import type { App } from '../../state/app.svelte.ts';
import type { Wanted } from '../../state/results.svelte.ts';
import { count, degrees, percent } from '../../words/numbers.ts';
import { adapterName } from '../../words/adapters.ts';
import { unitName } from './modelWords.ts';

/** Which network the figures are of. */
export type NetworkForm = 'base' | 'soft' | 'hard' | 'rival';
export type UnitState = 'open' | 'shut';
export type AnalyseWork = Extract<Work, { kind: 'analyse' }>;

/** What the workspace draws first; the adapters' comparison asks for its own. */
const essential = ['firing', 'categories', 'contributions', 'topImages', 'receptiveFields'] as const;

const byAge = (models: readonly Model[]): Model[] => [...models].sort((a, b) => b.at.localeCompare(a.at));

export class ModesState {
  readonly app: App;
  #draggedShare = $state<number | undefined>();
  #draggedAngle = $state<number | undefined>();
  #units = $state.raw<Readonly<Record<string, UnitVectors | Error>>>({});
  #seconds = $state.raw<Readonly<Record<string, number | null>>>({});
  readonly #asked = new Set<string>();

  constructor(app: App) {
    this.app = app;
  }

  // ── models ──

  readonly #models = $derived.by((): readonly Model[] => (this.app.session?.models ?? []).filter(({ hidden }) => !hidden));

  /** Newest first. */
  readonly foundations = $derived.by(() => byAge(this.#models.filter(({ kind }) => kind === 'foundation')));

  /** The chosen one, or else that of the newest gated mode, or the newest. */
  readonly foundation = $derived.by((): Model | undefined => {
    const chosen = this.app.view<string | undefined>('modes.foundation', undefined);
    const newest = byAge(this.#models.filter(({ gated }) => gated))[0]?.base;
    return this.#find(this.foundations, chosen) ?? this.#find(this.foundations, newest) ?? this.foundations[0];
  });

  /** Adapters on the chosen foundation, newest first. */
  readonly modes = $derived.by(() => byAge(this.#models.filter(({ base }) => base !== undefined && base === this.foundation?.digest)));

  /** The chosen one, or else the newest gated, or the newest. */
  readonly mode = $derived.by((): Model | undefined => {
    const chosen = this.app.view<string | undefined>('modes.mode', undefined);
    return this.#find(this.modes, chosen) ?? this.modes.find(({ gated }) => gated) ?? this.modes[0];
  });

  readonly rivals = $derived.by(() => this.modes.filter(({ digest }) => digest !== this.mode?.digest));

  /** What the mode is held against in the form switch: the chosen one, or else a LoRA, or another adapter without gates. */
  readonly rival = $derived.by((): Model | undefined => {
    const chosen = this.app.view<string | undefined>('modes.rival', undefined);
    const { rivals } = this;
    return (
      this.#find(rivals, chosen) ??
      rivals.find(({ adapter }) => adapter === 'lora-r4') ??
      rivals.find(({ adapter }) => adapter?.startsWith('lora')) ??
      rivals[0]
    );
  });

  /** Adapters of every foundation like the chosen one, for what compares over seeds. */
  readonly comparable = $derived.by((): readonly Model[] => {
    const { foundation } = this;
    if (!foundation) return [];
    const like = new Set(
      this.foundations
        .filter((one) => String(one.widths) === String(foundation.widths) && String(one.angles) === String(foundation.angles))
        .map(({ digest }) => digest),
    );
    return this.#models.filter(({ base }) => base !== undefined && like.has(base));
  });

  #find(models: readonly Model[], digest: string | undefined): Model | undefined {
    return digest === undefined ? undefined : models.find((model) => model.digest === digest);
  }

  // ── what is looked at ──

  readonly form = $derived.by((): NetworkForm => {
    const chosen = this.app.view<NetworkForm>('modes.form', 'soft');
    if (!this.mode) return 'base';
    if (chosen === 'hard' && !this.mode.gated) return 'soft';
    return chosen === 'rival' && !this.rival ? 'soft' : chosen;
  });

  /** On the path from base to mode; 1 is the mode. */
  readonly share = $derived.by(() => this.#draggedShare ?? this.app.view('modes.share', 1));

  /** Of what is shown: the base, and another adapter, have no place on the mode's path. */
  readonly place = $derived.by(() => (this.form === 'soft' || this.form === 'hard' ? this.share : 1));

  /** While a handle is held. */
  readonly moving = $derived.by(() => this.#draggedShare !== undefined);

  /** The angle that the mode was trained on: what analyses are of. */
  readonly ownAngle = $derived.by(() => this.mode?.adapterAngles?.[0] ?? this.foundation?.angles.at(-1) ?? 45);

  /** One that it was not trained on: what it should keep. */
  readonly oldAngle = $derived.by(() => {
    const own = this.mode?.adapterAngles ?? [];
    return this.foundation?.angles.find((angle) => !own.includes(angle)) ?? 0;
  });

  /** Of the dial. */
  readonly angle = $derived.by(() => this.#draggedAngle ?? this.app.view('modes.angle', this.ownAngle));

  /** The model whose figures are shown, and its form: the base has the mode's foundation. */
  readonly shown = $derived.by((): { readonly model: Model; readonly form: Form } | undefined => {
    const { form, mode, rival, foundation } = this;
    if (form === 'base') return foundation && { model: foundation, form: 'base' };
    const model = form === 'rival' ? rival : mode;
    return model && { model, form: form === 'hard' ? 'hard' : 'soft' };
  });

  /** What the figures of units are of: the mode, also while its base is shown, since they show both. */
  readonly subject = $derived.by((): Model | undefined => (this.form === 'rival' ? this.rival : this.mode) ?? this.foundation);

  readonly analysedForm = $derived.by((): 'soft' | 'hard' => (this.form === 'hard' ? 'hard' : 'soft'));

  // ── forced units ──

  /** Of the mode that is shown. */
  readonly forced = $derived.by((): Readonly<Record<string, UnitState>> => {
    const all = this.app.view<Readonly<Record<string, Readonly<Record<string, UnitState>>>>>('modes.forced', {});
    return (this.subject && all[this.subject.digest]) ?? {};
  });

  readonly forcedList = $derived.by((): readonly Forced[] => Object.entries(this.forced).map(([unit, state]) => ({ unit, state })));

  /** Only a gate can be held open. */
  readonly canOpen = $derived.by(() => (this.shown?.model.gated ?? false) && this.form !== 'base');

  force(unit: string, state: UnitState): void {
    this.#keepForced({ ...this.forced, [unit]: state }, `Force ${unitName(unit)} ${state}`);
  }

  free(unit: string): void {
    const { [unit]: before, ...others } = this.forced;
    if (before) this.#keepForced(others, `Free ${unitName(unit)}`);
  }

  freeAll(): void {
    if (this.forcedList.length > 0) this.#keepForced({}, 'Free all units');
  }

  /** Several at once, one step for undo. @param state undefined frees them */
  forceAll(units: readonly string[], state: UnitState | undefined): void {
    const others = Object.fromEntries(Object.entries(this.forced).filter(([unit]) => !units.includes(unit)));
    const held = state ? Object.fromEntries(units.map((unit) => [unit, state])) : {};
    this.#keepForced(
      { ...others, ...held },
      state ? `Force ${count(units.length, 'unit')} ${state}` : `Free ${count(units.length, 'unit')}`,
    );
  }

  #keepForced(units: Readonly<Record<string, UnitState>>, label: string): void {
    const { subject } = this;
    if (!subject) return;
    const all = this.app.view<Readonly<Record<string, unknown>>>('modes.forced', {});
    this.#keep('forced', { ...all, [subject.digest]: units }, label);
  }

  // ── choosing ──

  chooseFoundation(digest: string): void {
    this.#keep('foundation', digest, 'Choose another foundation');
  }

  chooseMode(digest: string): void {
    const model = this.#find(this.modes, digest);
    this.#keep('mode', digest, model?.adapter ? `Look at ${adapterName(model.adapter)}` : 'Choose another mode');
  }

  chooseRival(digest: string): void {
    const model = this.#find(this.modes, digest);
    this.#keep('rival', digest, model?.adapter ? `Compare with ${adapterName(model.adapter)}` : 'Compare with another adapter');
  }

  setForm(form: NetworkForm): void {
    const label = { base: 'Show the base', soft: 'Show the mode, soft', hard: 'Show the mode, hard', rival: 'Show the other adapter' }[
      form
    ];
    this.#keep('form', form, label);
  }

  /** While the handle is held: shown, not kept. */
  dragShare(share: number): void {
    this.#draggedShare = share;
  }

  setShare(share: number): void {
    this.#keep('share', share, `Move to ${percent(100 * share, 0)} of the mode`);
    this.#draggedShare = undefined;
  }

  dragAngle(angle: number): void {
    this.#draggedAngle = angle;
  }

  setAngle(angle: number): void {
    this.#keep('angle', angle, `Turn to ${degrees(angle)}`);
    this.#draggedAngle = undefined;
  }

  #keep(name: string, value: unknown, label: string): void {
    void this.app.setView({ name: `modes.${name}`, value, label });
  }

  // ── findings ──

  /** @param models digests; those of the subject unless told otherwise */
  workOf(analysis: string, options: Readonly<Record<string, unknown>> = {}, models?: readonly string[]): AnalyseWork | undefined {
    const those = models ?? (this.subject ? [this.subject.digest] : []);
    return those.length === 0 ? undefined : { kind: 'analyse', analysis, models: those, options };
  }

  work(analysis: string, options: Readonly<Record<string, unknown>> = {}, models?: readonly string[]): Wanted {
    const work = this.workOf(analysis, options, models);
    return work ? this.app.results.of(work) : { state: 'failed', reason: 'There is no model yet' };
  }

  readonly #angles = $derived.by(() => ({ oldAngle: this.oldAngle, newAngle: this.ownAngle }));

  readonly #essentialWorks = $derived.by((): readonly AnalyseWork[] => {
    const [angle, form] = [this.ownAngle, this.analysedForm];
    // Without an adapter there is no mode to fire in; what a single network does is still there to see.
    const wanted = this.subject?.adapter === undefined ? essential.slice(2) : essential;
    return wanted.flatMap(
      (analysis) =>
        this.workOf(analysis, analysis === 'firing' || analysis === 'categories' ? { angles: [angle], form } : { angle, form }) ?? [],
    );
  });

  #essential(analysis: (typeof essential)[number]): Wanted {
    const work = this.#essentialWorks.find((one) => one.analysis === analysis);
    return work ? this.app.results.of(work) : { state: 'failed', reason: 'A foundation alone has no mode' };
  }

  readonly firing = $derived.by((): Wanted => this.#essential('firing'));
  readonly categories = $derived.by((): Wanted => this.#essential('categories'));
  readonly contributions = $derived.by((): Wanted => this.#essential('contributions'));
  readonly topImages = $derived.by((): Wanted => this.#essential('topImages'));
  readonly receptiveFields = $derived.by((): Wanted => this.#essential('receptiveFields'));
  /** Drawn where it is stored; nobody has to run it. */
  readonly interchange = $derived.by((): Wanted =>
    this.work('interchange', { control: this.oldAngle, sensitive: this.ownAngle, form: this.analysedForm }),
  );

  /** Undefined while no unit is forced. */
  readonly forcedWork = $derived.by((): AnalyseWork | undefined => {
    const { forcedList, shown } = this;
    if (forcedList.length === 0 || !shown) return undefined;
    const angles = [...new Set([this.ownAngle, this.oldAngle])];
    return this.workOf('forced', { units: forcedList, angles, form: this.analysedForm }, [shown.model.digest]);
  });

  readonly forcedFindings = $derived.by((): Wanted | undefined => this.forcedWork && this.app.results.of(this.forcedWork));

  /** Forcing is asking: what is not there is run once, without another click. For an `$effect`. */
  followForced(): void {
    const { forcedWork, forcedFindings } = this;
    if (!forcedWork || forcedFindings?.state !== 'absent' || !this.app.session?.writable) return;
    const id = `run ${forcedFindings.key}`;
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    untrack(() => void this.measure([forcedWork]));
  }

  readonly #adapted = $derived.by(() => (this.mode ? [this.mode.digest] : []));
  readonly #adapters = $derived.by(() => this.comparable.filter(({ lambda }) => lambda === 0).map(({ digest }) => digest));
  readonly #sparse = $derived.by(() =>
    this.modes.filter(({ gated, adapter }) => gated && adapter === this.mode?.adapter).map(({ digest }) => digest),
  );

  readonly interpolation = $derived.by((): Wanted =>
    this.work('interpolation', { angles: [...new Set(Object.values(this.#angles))] }, this.#adapted),
  );
  readonly retention = $derived.by((): Wanted => this.work('retention', { ...this.#angles, form: this.analysedForm }, this.#adapted));
  readonly softHardGap = $derived.by((): Wanted =>
    this.work('softHardGap', { angles: [...new Set(Object.values(this.#angles))] }, this.#adapted),
  );
  readonly paired = $derived.by((): Wanted => this.work('paired', { angles: [...new Set(Object.values(this.#angles))] }, this.#adapters));
  readonly angleCurve = $derived.by((): Wanted =>
    this.work('angleCurve', {}, [...(this.foundation ? [this.foundation.digest] : []), ...this.modes.map(({ digest }) => digest)]),
  );
  /** Needs two modes of the same kind with different λ. */
  readonly frontier = $derived.by((): Wanted | undefined =>
    this.#sparse.length < 2 ? undefined : this.work('frontier', { angle: this.ownAngle }, this.#sparse),
  );

  /** What the figures need and is neither there nor under way. */
  readonly missing = $derived.by((): readonly AnalyseWork[] =>
    this.#essentialWorks.filter((work) => this.app.results.of(work).state === 'absent'),
  );

  /** Seconds that running them would take; undefined while nothing of the kind has run yet. */
  readonly missingSeconds = $derived.by((): number | undefined => {
    const each = this.missing.map((work) => this.#seconds[JSON.stringify(work)]);
    return each.length > 0 && each.every((seconds) => typeof seconds === 'number')
      ? each.reduce((sum, seconds) => sum + seconds, 0)
      : undefined;
  });

  /** Asks what the missing ones cost: for an `$effect` that follows {@link missing}. */
  async estimate(): Promise<void> {
    for (const work of this.missing) {
      const id = JSON.stringify(work);
      if (id in this.#seconds || this.#asked.has(id)) continue;
      this.#asked.add(id);
      const seconds = await this.app.host.plan(work).then(
        (plan) => plan.seconds ?? null,
        () => null, // what may not be run says so when it is looked up
      );
      this.#seconds = { ...this.#seconds, [id]: seconds };
    }
  }

  async measureAll(): Promise<void> {
    await this.measure(this.missing);
  }

  async measure(works: readonly Work[]): Promise<void> {
    await this.app.results.run(works).catch((error: unknown) => this.app.fail(error));
  }

  // ── vectors ──

  /** Thresholds and gains of the subject; undefined until they have come, an Error where there are none to be had. */
  readonly units = $derived.by((): UnitVectors | Error | undefined => {
    const { subject } = this;
    if (!subject) return undefined;
    this.#fetchUnits(subject.digest);
    return this.#units[subject.digest];
  });

  #fetchUnits(model: string): void {
    const id = `units ${model}`;
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    void this.#fetchUnitsNow(model);
  }

  /** Asked for at once, before anything that an effect asks: the marks of the first picture wait for nothing else. */
  async #fetchUnitsNow(model: string): Promise<void> {
    // The host may be gone already when it is asked for.
    const ask = async (): Promise<UnitVectors> => this.app.host.units({ model });
    const given = await ask().catch((error: unknown) => error as Error);
    this.#units = { ...this.#units, [model]: given };
  }
}
