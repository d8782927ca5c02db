import { flushSync } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import type { Work } from '../../main/host/hostApi.ts';
import { Disconnected } from '../../main/rpc/client.ts';
import { sessions } from '../testing/fakeData.ts';
import { fakeApp } from '../testing/fakeHost.ts';
import { Actions, keysOf, shownKeys } from './actions.svelte.ts';
import { effectRoot } from '../testing/effectRoot.svelte.ts';
import { withoutGaps } from './liveSeries.svelte.ts';
import { Selection } from './selection.svelte.ts';

const press = (key: string, rest: KeyboardEventInit = {}): KeyboardEvent => new KeyboardEvent('keydown', { key, ...rest });

describe('actions', () => {
  it('names keys as they are pressed', () => {
    const cases: [string, KeyboardEventInit, string][] = [
      ['k', { ctrlKey: true }, 'Mod+K'],
      ['k', { metaKey: true }, 'Mod+K'],
      ['Z', { ctrlKey: true, shiftKey: true }, 'Mod+Shift+Z'],
      ['´', { ctrlKey: true, altKey: true, code: 'KeyE' }, 'Mod+Alt+E'],
      ['?', { shiftKey: true }, '?'],
      ['.', {}, '.'],
      [' ', {}, 'Space'],
      ['ArrowUp', { shiftKey: true }, 'Shift+ArrowUp'],
    ];
    expect(cases.map(([key, rest]) => keysOf(press(key, rest)))).toEqual(cases.map(([, , name]) => name));
    expect(shownKeys('Mod+Shift+ArrowUp', 'Cmd')).toBe('Cmd Shift ↑');
  });

  it('takes an id once, and gives it back', () => {
    const actions = new Actions(() => undefined);
    const one = { id: 'a', title: 'A', group: 'Run', run: () => undefined };
    const remove = actions.register([one]);
    expect(() => actions.register([one])).toThrow('a is there already');
    remove();
    actions.register([one]);
    expect(actions.all).toEqual([one]);
  });

  it('finds the one that can be done now, and leaves text to its field', () => {
    const actions = new Actions(() => undefined);
    let open = false;
    actions.register([
      { id: 'recent', title: '', group: '', keys: 'Mod+1', enabled: () => !open, run: () => undefined },
      { id: 'train', title: '', group: '', keys: 'Mod+1', run: () => undefined },
      { id: 'cancel', title: '', group: '', keys: '.', run: () => undefined },
    ]);
    expect(actions.forKey(press('1', { ctrlKey: true }), false)?.id).toBe('recent');
    open = true;
    expect(actions.forKey(press('1', { ctrlKey: true }), true)?.id).toBe('train');
    expect(actions.forKey(press('.'), false)?.id).toBe('cancel');
    expect(actions.forKey(press('.'), true)).toBeUndefined();
  });

  it('leaves undo and redo to the field that is typed in', () => {
    const actions = new Actions(() => undefined);
    for (const keys of ['Mod+Z', 'Mod+Shift+Z']) actions.register([{ id: keys, title: '', group: '', keys, run: () => undefined }]);
    const undo = press('z', { ctrlKey: true });
    const redo = press('Z', { ctrlKey: true, shiftKey: true });
    expect([undo, redo].map((event) => actions.forKey(event, false)?.id)).toEqual(['Mod+Z', 'Mod+Shift+Z']);
    expect([undo, redo].map((event) => actions.forKey(event, true))).toEqual([undefined, undefined]);
  });

  it('hands on what is thrown, at once or later', async () => {
    const heard = vi.fn();
    const actions = new Actions(heard);
    const now = new Error('now');
    const later = new Error('later');
    actions.register([
      {
        id: 'now',
        title: '',
        group: '',
        run: () => {
          throw now;
        },
      },
      { id: 'later', title: '', group: '', run: () => Promise.reject(later) },
    ]);
    actions.run('now');
    actions.run('later');
    await expect.poll(() => heard.mock.calls.map(([error]: unknown[]) => error)).toEqual([now, later]);
  });

  it('an effect that registers is not run again by others that do', () => {
    const actions = new Actions(() => undefined);
    let times = 0;
    const end = effectRoot(() => {
      times++;
      return actions.register([{ id: 'a', title: '', group: '', run: () => undefined }]);
    });
    actions.register([{ id: 'b', title: '', group: '', run: () => undefined }]);
    flushSync();
    expect(times).toBe(1);
    end();
    expect(actions.all.map(({ id }) => id)).toEqual(['b']);
  });
});

describe('selection', () => {
  it('brushes intersect; Esc clears them, then the unit, then the pins', () => {
    const selection = new Selection();
    expect(selection.brushed).toBeUndefined();
    selection.brush('scatter', new Set(['L0U1', 'L0U2']));
    selection.brush('classes', new Set(['L0U2', 'L0U3']));
    expect([...selection.brushed!]).toEqual(['L0U2']);
    selection.brush('classes', undefined);
    expect([...selection.brushed!]).toEqual(['L0U1', 'L0U2']);
    selection.select('L0U2');
    selection.togglePin('L0U3');
    const states = () => [selection.brushed?.size, selection.unit, selection.pinned.length];
    const seen = [];
    while (selection.clearInnermost()) seen.push(states());
    expect(seen).toEqual([
      [undefined, 'L0U2', 1],
      [undefined, undefined, 1],
      [undefined, undefined, 0],
    ]);
  });
});

describe('series', () => {
  it('keeps the steps at which there is a number', () => {
    const curve = withoutGaps('accuracy', '%', [NaN, 91.5, NaN, NaN, 92.25]);
    expect([[...curve.at], [...curve.values]]).toEqual([
      [1, 4],
      [91.5, 92.25],
    ]);
  });
});

describe('app', () => {
  const begun = async (options = {}) => {
    const fake = fakeApp(options);
    await expect.poll(() => fake.app.about).toBeDefined();
    return fake;
  };

  it('shows a mistake as one, a bug with its stack, a cancellation and a lost host not at all', async () => {
    const { app } = await begun();
    app.fail(new UserError('ablate: unit', 'must be an integer in [0, 63]', 64));
    app.fail(new Cancelled());
    app.fail(new Disconnected());
    app.attempt(() => Promise.reject(new TypeError('nothing there')));
    await expect.poll(() => app.notices.length).toBe(2);
    expect(app.notices.map(({ kind, title, report }) => [kind, title, report?.includes('TypeError')])).toEqual([
      ['mistake', 'ablate: unit must be an integer in [0, 63], got 64', undefined],
      ['bug', 'nothing there', true],
    ]);
  });

  it('peeks only where no session is open or on its way', async () => {
    const { app, calls } = await begun();
    const path = sessions[6].path;
    expect((await app.peek(path))?.path).toBe(path);
    expect(app.session).toBeUndefined();
    const opening = app.open(sessions[0].path);
    expect(await app.peek(path)).toBeUndefined();
    await opening;
    expect(await app.peek(path)).toBeUndefined();
    expect(calls.filter(({ method }) => method === 'openSession').map(({ given }) => given)).toEqual([
      { path },
      { path: sessions[0].path },
    ]);
  });

  it('one piece of work that is refused does not hide the others', async () => {
    const good: Work = { kind: 'analyse', analysis: 'firing', models: [] };
    const bad: Work = { kind: 'analyse', analysis: 'nonsense', models: [] };
    const { app } = await begun({
      answers: {
        lookUp: async ({ works }: { works: readonly Work[] }) => {
          if (works.some((work) => work.kind === 'analyse' && work.analysis === 'nonsense'))
            throw new UserError('analysis', 'must be known', 'nonsense');
          const key = app.session!.results.find(({ analysis }) => analysis === 'firing')!.key;
          return works.map(() => ({ key, state: 'stored' as const }));
        },
      },
    });
    await app.open(sessions[0].path);
    app.results.of(good);
    app.results.of(bad);
    await expect.poll(() => [app.results.of(good).state, app.results.of(bad).state]).toEqual(['ready', 'failed']);
  });

  it('a view is kept at once, and not written where nothing may be', async () => {
    const { app, calls } = await begun();
    await app.open(sessions[1].path);
    await app.setView({ name: 'modes.angle', value: 30 });
    expect(app.view('modes.angle', 45)).toBe(30);
    expect(calls.some(({ method }) => method === 'setView')).toBe(false);
  });
});

describe('the demonstration', () => {
  it("is opened as a copy of one's own, made once", async () => {
    const { app, calls } = fakeApp();
    await vi.waitFor(() => expect(app.about).toBeDefined());
    const shipped = app.about!.demonstration!;
    await app.open(shipped);
    const own = app.session!.path;
    expect(own).not.toBe(shipped);
    await app.open(shipped);
    expect(calls.filter(({ method }) => method === 'duplicateSession')).toHaveLength(1);
    expect(app.session!.path).toBe(own);
  });
});

describe('what changes on both sides at once', () => {
  it('what a view was told stays while the host tells of a session that does not know it yet', async () => {
    let heard = (): void => undefined;
    const { app, change } = fakeApp({ answers: { setView: () => new Promise<void>((resolve) => (heard = resolve)) } });
    await expect.poll(() => app.link.state).toBe('open');
    await app.open('/home/ada/Gatescope/A study.gatescope');
    const told = app.setView({ name: 'train.form', value: 'mine', label: 'Fill in' });
    change({ saved: '2026-01-01T00:00:00.000Z' });
    expect(app.view('train.form', 'none')).toBe('mine');
    heard();
    await told;
    change({ views: { 'train.form': 'undone' } });
    expect(app.view('train.form', 'none')).toBe('undone');
  });

  it('a result that comes while others are looked up is found all the same', async () => {
    const work: Work = { kind: 'analyse', analysis: 'firing', models: ['m'] };
    let state: 'running' | 'stored' = 'running';
    let answer = (): void => undefined;
    let asked = 0;
    const { app, change } = fakeApp({
      answers: {
        lookUp: ({ works }) => {
          const found = works.map(() => ({ key: 'k', state }));
          return ++asked > 1 ? Promise.resolve(found) : new Promise((resolve) => (answer = () => resolve(found)));
        },
        findings: () => Promise.resolve({ measures: {} } as never),
      },
    });
    await expect.poll(() => app.link.state).toBe('open');
    await app.open('/home/ada/Gatescope/A study.gatescope');
    expect(app.results.of(work)).toEqual({ state: 'unknown' });
    await expect.poll(() => asked).toBe(1);
    state = 'stored';
    change({});
    answer();
    await expect.poll(() => app.results.of(work).state).toBe('ready');
  });
});
