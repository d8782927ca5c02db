/** Messages of the page: whose are heard, and that one that may not be is told to the log and to nobody else. */
import type { WebContents } from 'electron';
import { expect, test, vi } from 'vitest';
import { menuState, PageChannels, Refused, text } from './ipc.ts';

/** A page that says what the test says. */
function page(isOurs = true) {
  const heard = new Map<string, (event: object, ...given: unknown[]) => unknown>();
  const keep = (channel: string, listener: (event: object, ...given: unknown[]) => unknown): void => void heard.set(channel, listener);
  const contents = { ipc: { on: keep, handle: keep } } as unknown as WebContents;
  return {
    channels: new PageChannels(contents, () => isOurs),
    say: (channel: string, ...given: unknown[]) => heard.get(channel)!({}, ...given),
  };
}

test('what is refused ends nothing, what is a bug is one', () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { channels, say } = page();
  const titles: string[] = [];
  channels.on('window:title', (title) => titles.push(text(title)));
  say('window:title', 'a\0b');
  say('window:title', 7);
  say('window:title', 'Harbour');
  expect(titles).toEqual(['Harbour']);
  expect(log.mock.calls.flat()).toEqual([
    'gatescope: window:title: must be without NUL, got "a\\u0000b"',
    'gatescope: window:title: must be text, got number',
  ]);
  channels.on('host:restart', () => {
    throw new RangeError('broken');
  });
  expect(() => say('host:restart')).toThrow(RangeError);
  log.mockRestore();
});

test('a stranger is not heard, and gets no answer', async () => {
  const { channels, say } = page(false);
  const told = vi.fn();
  channels.on('host:connect', told);
  say('host:connect');
  expect(told).not.toHaveBeenCalled();
  channels.answer('choose:session', () => Promise.resolve('/a'));
  await expect(say('choose:session')).rejects.toThrow('must come from the page of this program');
});

test('a menu is what it has to be', () => {
  const state = { enabled: ['run.start'], theme: 'dark', recent: [{ name: 'a', path: '/a' }] } as const;
  expect(menuState(state)).toEqual(state);
  for (const wrong of [undefined, { ...state, theme: 'blue' }, { ...state, recent: [null] }, { ...state, enabled: [1] }])
    expect(() => menuState(wrong)).toThrow(Refused);
});
