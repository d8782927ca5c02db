/** Templates of conversations: filled in as written; without one, or with one that is none, a mistake that says so. */
import { expect, test } from 'vitest';
import { chatRenderer } from './chat.ts';
import { settings, tokenizerJson } from './testing/tokenizers.ts';
import { makeTokenizer } from './tokenizer.ts';

const withTemplate = (chat_template: unknown) => makeTokenizer(tokenizerJson, { ...settings, chat_template });
const SOURCE =
  "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

test('a prompt is what the user says, and the assistant is to go on', () => {
  const render = chatRenderer(withTemplate(SOURCE));
  expect(render(' a {{ b }} ')).toBe('<s>[user] a {{ b }}</s>[assistant]');
});

test('of several templates the default one', () => {
  const named = [
    { name: 'tools', template: 'x' },
    { name: 'default', template: 'a {{ messages[0].content }}' },
  ];
  expect(chatRenderer(withTemplate(named))('b')).toBe('a b');
});

test.each<[string, unknown, string]>([
  ['no template', undefined, 'tokenizer: chat_template must be in tokenizer_config.json'],
  ['one that is not closed', '{% for a in b %}', 'tokenizer: chat_template must be a Jinja template of a conversation'],
  ['one without end', 'a'.repeat(2 ** 17 + 1), 'tokenizer: chat_template must have at most 131072 characters'],
])('refuses %s', (_name, template, message) => {
  expect(() => chatRenderer(withTemplate(template))).toThrow(message);
});

test('refuses one that will not have this conversation', () => {
  const render = chatRenderer(withTemplate("{{ raise_exception('only pairs') }}"));
  expect(() => render('a')).toThrow('must be a Jinja template of a conversation, got "only pairs"');
});
