/** Outcomes of answers, and the labels of pairs that they are told by. */
import { expect, test } from 'vitest';
import { outcomeRule, outcomesOf } from './outcomes.ts';
import { checkPairs, selectPairs } from './pairs.ts';
import { policyPairs } from './policyPairs.ts';
import { policyTask } from './policyRouting.ts';

const task = policyTask({ topics: 12, high: 4, middle: 3, keys: 1 });
const pairsOfTask = () => policyPairs(task, { pairs: 'all', dialect: 'ordered' });

test('outcomes are told from what the pairs say, or from the metric', () => {
  const set = pairsOfTask();
  const { refuse, evade } = set.labels!.policy!;
  const known = outcomesOf(set, 'sensitive');
  const answer = set.labels!.answer!.sensitive![0];
  expect([refuse[0], evade[0], answer, set.labels!.answer!.control![0], 0].map((token) => known(0, token))).toEqual([
    'REFUSE',
    'EVADE',
    'ANSWER',
    'OTHER',
    'OTHER',
  ]);
  const { labels: _labels, ...bare } = set;
  const told = outcomesOf(bare, 'sensitive');
  expect([refuse[0], evade[0], answer, set.labels!.answer!.control![0], 0].map((token) => told(0, token))).toEqual([
    'REFUSE',
    'OTHER',
    'ANSWER',
    'ANSWER',
    'OTHER',
  ]);
  expect(outcomeRule(bare)).toContain('unknown to these pairs');
  expect(() => known(0, NaN)).toThrow('outcome: token must be a token, got NaN');
});

test('the labels go with their pairs, and are held against the vocabulary', () => {
  const set = pairsOfTask();
  const some = selectPairs(set, [7, 0]);
  const answer = set.labels!.answer!.sensitive!;
  expect([...some.labels!.answer!.sensitive!]).toEqual([answer[7], answer[0]]);
  expect(some.labels!.policy).toEqual(set.labels!.policy);
  checkPairs(some, task.vocabulary);
  const evade = { ...set, labels: { ...set.labels, policy: { refuse: [1], evade: [task.vocabulary] } } };
  expect(() => checkPairs(evade, task.vocabulary)).toThrow(`pairs: labels.policy.evade must hold integers in [0, ${task.vocabulary - 1}]`);
  const wrong = { ...set, labels: { ...set.labels, answer: { sensitive: answer.slice(1) } } };
  expect(() => checkPairs(wrong, task.vocabulary)).toThrow(`pairs: labels.answer.sensitive must hold ${set.pairs} tokens, got ${set.pairs - 1}`);
});
