import { describe, expect, it } from 'vitest';
import type { Answer, AnswerRequest } from '../../../../main/host/hostApi.ts';
import { Cancelled } from '../../../../engine/base/errors.ts';
import { inTurn, Latest } from './latest.svelte.ts';
import { firstWrong, isAlike } from './questions.ts';

interface Asked {
  readonly question: number;
  readonly answer: (value: string) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

/** Questions of one ten are about the same thing. */
function bench() {
  const asked: Asked[] = [];
  const latest = new Latest<number, string>(
    (question) =>
      new Promise((resolve, reject) => {
        const then = async (done: () => void): Promise<void> => {
          done();
          await new Promise((turn) => setTimeout(turn));
        };
        asked.push({ question, answer: (value) => then(() => resolve(value)), fail: (error) => then(() => reject(error)) });
      }),
    (one, other) => Math.floor(one / 10) === Math.floor(other / 10),
  );
  return { asked, latest, questions: () => asked.map(({ question }) => question) };
}

describe('latest', () => {
  it('has one question on its way, and asks only the newest of those that came meanwhile', async () => {
    const { asked, latest, questions } = bench();
    for (const question of [1, 2, 3, 4]) latest.ask(question);
    expect(questions()).toEqual([1]);
    await asked[0].answer('one');
    expect(questions()).toEqual([1, 4]);
    expect(latest.answered).toEqual({ question: 1, answer: 'one' });
    await asked[1].answer('four');
    expect(latest.answered).toEqual({ question: 4, answer: 'four' });
    expect(questions()).toEqual([1, 4]);
  });

  it('never shows an answer about something else than what was asked last', async () => {
    const { asked, latest } = bench();
    latest.ask(1);
    latest.ask(11);
    await asked[0].answer('of the digit before');
    expect(latest.answered).toBeUndefined();
    await asked[1].answer('eleven');
    expect(latest.answered?.answer).toBe('eleven');
  });

  it('asks again after asking itself has failed, as it does where the host has gone', async () => {
    let gone = true;
    const latest = new Latest<number, string>(
      (question) => {
        if (gone) throw new Error('the host has gone');
        return Promise.resolve(String(question));
      },
      () => true,
    );
    latest.ask(1);
    await expect.poll(() => latest.problem?.message).toBe('the host has gone');
    gone = false;
    latest.ask(2);
    await expect.poll(() => latest.answered?.answer).toBe('2');
    expect(latest.problem).toBeUndefined();
  });

  it('says what went wrong with the newest question only, and recovers', async () => {
    const { asked, latest } = bench();
    latest.ask(1);
    latest.ask(2);
    await asked[0].fail(new Error('overtaken'));
    expect(latest.problem).toBeUndefined();
    await asked[1].fail(new Error('the engine ended'));
    expect(latest.problem?.message).toBe('the engine ended');
    latest.ask(3);
    await asked[2].answer('three');
    expect(latest.problem).toBeUndefined();
    expect(latest.answered?.answer).toBe('three');
  });
});

describe('in turn', () => {
  it('asks one after the other, whoever asks, and goes on after a failure', async () => {
    const { asked, latest, questions } = bench();
    expect(latest.answered).toBeUndefined();
    const ask = inTurn<number, string>(
      (question) =>
        new Promise((resolve, reject) => {
          asked.push({ question, answer: async (value) => resolve(value), fail: async (error) => reject(error) });
        }),
    );
    const answers = [ask(1), ask(2), ask(3)];
    await Promise.resolve();
    expect(questions()).toEqual([1]);
    await asked[0].answer('one');
    expect(await answers[0]).toBe('one');
    await expect.poll(questions).toEqual([1, 2]);
    await asked[1].fail(new Error('no'));
    await expect(answers[1]).rejects.toThrow('no');
    await expect.poll(questions).toEqual([1, 2, 3]);
    await asked[2].answer('three');
    expect(await answers[2]).toBe('three');
  });

  it('a question that was called off says nothing', async () => {
    const { asked, latest } = bench();
    latest.ask(1);
    await asked[0].fail(new Cancelled());
    expect(latest.problem).toBeUndefined();
  });
});

describe('questions', () => {
  const request = (image: AnswerRequest['image'], angle = 0, model = 'm'): AnswerRequest => ({
    data: { source: 'mnist' },
    image,
    angle,
    contenders: [{ model, form: 'soft' }],
  });

  it('are alike if only the angle or the strokes differ', () => {
    expect(isAlike(request({ index: 3 }, 10), request({ index: 3 }, 11))).toBe(true);
    expect(isAlike(request({ index: 3 }), request({ index: 4 }))).toBe(false);
    expect(isAlike(request({ index: 3 }), request({ index: 3 }, 0, 'other'))).toBe(false);
    expect(isAlike(request({ pixels: new Float32Array(4) }), request({ pixels: Float32Array.of(1, 0, 0, 0) }))).toBe(true);
    expect(isAlike(request({ pixels: new Float32Array(4) }), request({ index: 3 }))).toBe(false);
  });

  it('find the next digit that is answered wrongly, round the end, and stop when called off', async () => {
    const asked: number[] = [];
    const ask = async (index: number): Promise<Answer> => {
      asked.push(index);
      const one = {
        logits: new Float32Array(2),
        probabilities: Float32Array.of(1, 0),
        answer: 0,
        outputs: new Float32Array(1),
        active: new Uint8Array(1),
        on: 0,
      };
      return { pixels: new Float32Array(1), label: index === 2 ? 1 : 0, height: 1, width: 1, classes: ['a', 'b'], answers: [one] };
    };
    const { signal } = new AbortController();
    const told: number[] = [];
    const given = { from: 35, count: 40, signal, onProgress: (done: number) => told.push(done) };
    expect(await firstWrong(ask, given)).toBe(2);
    expect(asked).toEqual([35, 36, 37, 38, 39, 0, 1, 2]);
    expect(await firstWrong(async (index) => ({ ...(await ask(index)), label: 0 }), given)).toBeUndefined();
    expect(told).toEqual([10, 20, 30, 40]);
    const called = new AbortController();
    called.abort();
    expect(await firstWrong(ask, { ...given, from: 2, signal: called.signal })).toBeUndefined();
  });
});
