/**
 * `gatescope completion <shell>`: a script that lets a shell complete our command lines. What may come next is worked out here, from the
 * commands themselves and, for ids, from the session that the line names, whenever the shell asks (`gatescope complete`): a script never
 * falls behind the program.
 */
import { Command, type Argument, type Option } from 'commander';
import { UserError } from '../../engine/base/errors.ts';
import { modelTitles } from '../host/modelTitles.ts';
import { Session } from '../store/session.ts';
import { completionScripts } from './completionScripts.ts';
import { OfferingArgument, OfferingOption, type Offer } from './offers.ts';
import { print } from './output.ts';
import { short } from './table.ts';

export function completionCommand(): Command {
  const shells = Object.keys(completionScripts);
  return new Command('completion')
    .description('print a script that completes command lines, for the shell to read')
    .addArgument(new OfferingArgument('<shell>', shells.join(', '), { from: 'values', values: shells }))
    .addHelpText('after', `\nFor instance, in ~/.bashrc:  source <(gatescope completion bash)`)
    .action(async (shell: string) => {
      if (!Object.hasOwn(completionScripts, shell)) throw new UserError('completion: shell', `must be one of ${shells.join(', ')}`, shell);
      await print(completionScripts[shell]);
    });
}

/** What the scripts ask: one candidate a line, and after a tab what it is. */
export function completeCommand(program: Command): Command {
  return new Command('complete')
    .description('print what may come next')
    .argument('[words...]', 'the line so far, without the command; the last word is the one to complete')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      await print(
        candidates(program, words)
          .map(({ value, about = '' }) => `${value}\t${about.split('\n')[0]}\n`)
          .join(''),
      );
    });
}

export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

/** @param words the last is the beginning of what is looked for, or empty */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const line = readLine(program, joined(words.slice(0, -1)));
  const [before, word = ''] = words.slice(-2).length === 2 ? words.slice(-2) : ['', words[0]];
  const last = word === '=' && before.startsWith('--') ? '' : word;
  const inline = /^(--[^=]+)=(.*)$/s.exec(last);
  if (inline) {
    const option = optionOf(line.command, inline[1]);
    return option ? matching(offered(option, line), inline[2]).map(({ value, about }) => candidate(`${inline[1]}=${value}`, about)) : [];
  }
  if (line.open) return matching(offered(line.open, line), last);
  if (last.startsWith('-') && !line.ended)
    return line.command
      .createHelp()
      .visibleOptions(line.command)
      .flatMap((option) => (option.long ? [candidate(option.long, option.description)] : []))
      .filter(({ value }) => value.startsWith(last));
  const commands = line.words.length > 0 ? [] : line.command.createHelp().visibleCommands(line.command);
  const argument = argumentAt(line.command, line.words.length);
  return [
    ...commands.map((command) => candidate(command.name(), command.description())).filter(({ value }) => value.startsWith(last)),
    ...(argument ? matching(offered(argument, line), last) : []),
  ];
}

const candidate = (value: string, about?: string): Candidate => ({ value, ...(about !== undefined && { about }) });

interface Line {
  readonly command: Command;
  /** Arguments of the command. */
  readonly words: readonly string[];
  /** Values of options, by their long names. */
  readonly values: ReadonlyMap<string, string>;
  /** The option whose value comes next. */
  readonly open?: Option;
  /** Whether `--` has come: nothing is an option any more. */
  readonly ended: boolean;
}

function readLine(program: Command, given: readonly string[]): Line {
  let command = program;
  const words: string[] = [];
  const values = new Map<string, string>();
  let open: Option | undefined;
  let ended = false;
  for (const word of given) {
    if (open) {
      values.set(open.long!, word);
      open = undefined;
    } else if (!ended && word === '--') ended = true;
    else if (!ended && word.startsWith('--')) {
      const [name, ...value] = word.split('=');
      const option = optionOf(command, name);
      if (value.length > 0) values.set(name, value.join('='));
      else if (option?.required) open = option;
    } else {
      const inner: Command | undefined = words.length === 0 ? command.commands.find((candidate) => candidate.name() === word) : undefined;
      if (inner) command = inner;
      else words.push(word);
    }
  }
  return { command, words, values, ended, ...(open && { open }) };
}

/** Bash takes `--name=value` apart. */
function joined(words: readonly string[]): string[] {
  return words.filter((word, i) => !(word === '=' && words[i - 1]?.startsWith('--')));
}

const optionOf = (command: Command, name: string): Option | undefined => command.options.find(({ long }) => long === name);

/** The last argument may stand for many. */
function argumentAt({ registeredArguments: known }: Command, index: number): Argument | undefined {
  return known[index] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
}

/** What a value may be. Files are left to the shell. */
function offered(of: Option | Argument, line: Line): { candidates: Candidate[]; list: boolean } {
  const offer: Offer | undefined = of instanceof OfferingOption || of instanceof OfferingArgument ? of.offer : undefined;
  if (!offer || offer.from === 'files') return { candidates: [], list: false };
  if (offer.from === 'values') return { candidates: offer.values.map((value) => candidate(value)), list: offer.list ?? false };
  return { candidates: inSession(offer.from, sessionOf(line)), list: false };
}

/** Of a list, the last entry is completed; those before it stay, and are not offered again. */
function matching({ candidates: all, list }: { candidates: readonly Candidate[]; list: boolean }, text: string): Candidate[] {
  const before = list ? text.slice(0, text.lastIndexOf(',') + 1) : '';
  const given = before.split(',');
  return all
    .filter(({ value }) => value.startsWith(text.slice(before.length)) && !given.includes(value))
    .map(({ value, about }) => candidate(before + value, about));
}

/** That of `--session`, or the first argument where that is a file. */
function sessionOf({ command, values, words }: Line): string | undefined {
  return values.get('--session') ?? (command.registeredArguments[0]?.name() === 'file' ? words[0] : undefined);
}

/** Nothing where there is no session to be read: a shell has no use for the error. */
function inSession(from: 'models' | 'everything' | 'notes', path: string | undefined): Candidate[] {
  if (path === undefined) return [];
  try {
    using session = Session.open(path, 'read');
    if (from === 'notes') return session.notes().map(({ id, text }) => candidate(String(id), text));
    const models = [...modelTitles(session.models())].map(([digest, title]) => candidate(short(digest), title));
    const languageModels = session.languageModels().map(({ digest, label }) => candidate(short(digest), `language model ${label}`));
    if (from === 'models') return models;
    return [
      ...models,
      ...languageModels,
      ...session.pairSets().map(({ digest, source }) => candidate(short(digest), `pairs ${source}`)),
      ...session.runs().map(({ key, label }) => candidate(short(key), `run ${label}`)),
      ...session.results().map(({ key, analysis }) => candidate(short(key), analysis)),
    ];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
