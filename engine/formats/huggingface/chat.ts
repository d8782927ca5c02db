/** A prompt as the one thing a user says in a conversation, by the template a model brings along in its `tokenizer_config.json`. Jinja is rendered by @huggingface/jinja. */
import { Template } from '@huggingface/jinja';
import { UserError } from '../../base/errors.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** Of a template, in characters: the longest in use have some twenty thousand. */
const TEMPLATE_LIMIT = 2 ** 17;

/**
 * Texts come with every mark of the model's, the one of the beginning too, and end where the assistant is to speak.
 * @throws UserError if the model has no template, or one that cannot be read; what is returned throws one if it cannot be filled in
 */
export function chatRenderer(tokenizer: TextTokenizer, place = 'tokenizer'): (prompt: string) => string {
  const field = `${place}: chat_template`;
  const { chatTemplate: source, beginning, end } = tokenizer;
  if (source === undefined) throw new UserError(field, 'must be in tokenizer_config.json', 'none');
  if (source.length > TEMPLATE_LIMIT) throw new UserError(field, `must have at most ${TEMPLATE_LIMIT} characters`, source.length);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new UserError(field, 'must be a Jinja template of a conversation', error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  };
  const template = guarded(() => new Template(source));
  const marks = {
    bos_token: beginning === undefined ? '' : tokenizer.token(beginning),
    eos_token: end === undefined ? '' : tokenizer.token(end),
  };
  return (prompt) =>
    guarded(() => template.render({ messages: [{ role: 'user', content: prompt }], add_generation_prompt: true, ...marks }));
}
