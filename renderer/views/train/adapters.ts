/** Choices of adapters as the form offers them: those that take a number with some numbers. */
import type { AdapterChoice } from '../../../main/host/hostApi.ts';

/** What an open choice is offered with: ranks. */
const NUMBERS = ['1', '2', '4', '8', '16', '32'];

/** Of an open choice with its number: `lora-r<n>` becomes `lora-r4`. */
export const idOf = ({ id }: AdapterChoice, number: string): string => (id.includes('<n>') ? id.replace('<n>', number) : `${id}${number}`);

/** The choice that an id is of. */
export const choiceOf = (adapter: string, choices: readonly AdapterChoice[]): AdapterChoice | undefined =>
  choices.find(({ id }) => id === adapter) ??
  choices.find((choice) => choice.open && adapter.startsWith(idOf(choice, ''))) ??
  choices.find(({ id }) => id === adapter.split('+')[0]);

/** Every id that can be added. */
export const offeredIds = (choices: readonly AdapterChoice[]): string[] =>
  choices.flatMap((choice) => (choice.open ? NUMBERS.map((number) => idOf(choice, number)) : [choice.id]));
