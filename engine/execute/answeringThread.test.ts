/** A thread that is asked: answers in order, what goes wrong there, its death, and its end. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { AnsweringThread } from './answeringThread.ts';
import { ExecutionError } from './executor.ts';
import type { Told } from './testing/answeringModule.ts';

const module = new URL('./testing/answeringModule.ts', import.meta.url);

function start() {
  const word = new Int32Array(new SharedArrayBuffer(8));
  return { word, thread: new AnsweringThread<Told, string>(module, word) };
}

test('answers come back to whoever asked, in order', async () => {
  const { thread } = start();
  const order: string[] = [];
  const asked = ['a', 'b', 'c'].map((say) => thread.ask({ say }).then((answer) => void order.push(answer)));
  await Promise.all(asked);
  expect(order).toEqual(['a', 'b', 'c']);
  thread.dispose();
});

test('a mistake is told as such, a bug with its stack there; it answers on', async () => {
  const { thread } = start();
  await expect(thread.ask({ mistake: 'x' })).rejects.toThrow(UserError);
  await expect(thread.ask({ mistake: 'x' })).rejects.toThrow('answering module: mistake must not be asked for, got "x"');
  const bug = await thread.ask({ bug: 'no such thing' }).catch((error: unknown) => error as Error);
  expect(bug).toMatchObject({ message: 'no such thing', stack: expect.stringContaining('answeringModule.ts') as unknown });
  expect(await thread.ask({ say: 'still here' })).toBe('still here');
  thread.dispose();
});

test('its death is told to everybody who waits, and to whoever asks later', async () => {
  const { thread } = start();
  const [first, second] = [thread.ask({ exit: 3 }), thread.ask({ say: 'never' })];
  await expect(first).rejects.toThrow(ExecutionError);
  await expect(second).rejects.toThrow('helper thread: has ended with code 3');
  await expect(thread.ask({ say: 'never' })).rejects.toThrow('has ended with code 3');
});

test('one that cannot begin says why', async () => {
  const thread = new AnsweringThread<Told, string>(new URL('./testing/noSuchModule.ts', import.meta.url), undefined);
  await expect(thread.ask({ say: 'a' })).rejects.toThrow(/helper thread: has died: .*noSuchModule/);
});

test("what cannot be sent is the asker's error, and nobody waits for it", async () => {
  const { thread } = start();
  expect(() => thread.ask({ say: (() => 'a') as unknown as string })).toThrow(/could not be cloned/);
  expect(await thread.ask({ say: 'b' })).toBe('b');
  thread.dispose();
});

test('disposed of while it is at something: whoever waits hears of it, and it ends once it is done', async () => {
  const { word, thread } = start();
  expect(await thread.ask({ say: 'begun' })).toBe('begun');
  const waits = thread.ask({ wait: true });
  thread.dispose();
  await expect(waits).rejects.toThrow('answering thread: has been disposed of');
  await expect(thread.ask({ say: 'a' })).rejects.toThrow('has been disposed of');
  expect(Atomics.load(word, 1)).toBe(0);
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
  await expect.poll(() => Atomics.load(word, 1)).toBe(1);
});

test('a program waits for answers, and ends when nobody waits', () => {
  const program = fileURLToPath(new URL('./testing/askOnce.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect({ stdout, stderr, status }).toEqual({ stdout: 'heard', stderr: '', status: 0 });
});
