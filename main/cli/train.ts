/** `gatescope train` and `gatescope adapt`: a foundation, and what is trained on one that stays frozen. */
import { Command, type OptionValues } from 'commander';
import { UserError } from '../../engine/base/errors.ts';
import { trainClassifier, trainOptions } from '../../engine/jobs/trainClassifier.ts';
import { FOUNDATION_RATE, learningRateOf, learningRatesText } from '../../engine/models/adapters/learningRate.ts';
import { adapterIds } from '../../engine/models/adapters/index.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import { namedData } from '../host/describe/data.ts';
import { ADAPTER_SUGGESTIONS, addCores, dataSource, sessionOption } from './common.ts';
import { aboutData, dataOf } from './dataOfModels.ts';
import { Flags, type FlagSettings } from './flags.ts';
import { findModel } from './names.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { trained } from './trained.ts';
import { workOn, type Surroundings, type Work } from './work.ts';

const suggestions = { 'data.source': namedData, adapter: ADAPTER_SUGGESTIONS };
const adam = { 'optimiser.kind': 'adam' };
/** Nothing is measured until one of the flags is given. */
const measureTexts = {
  'measure.every': 'nothing is measured; 50 with another --measure flag',
  'measure.images': '2000, once anything is measured',
  'measure.angles': '0,45, once anything is measured',
};

const foundationFlags = new Flags(trainOptions, {
  omit: ['base', 'adapter', 'temperature', 'sparsity'],
  defaults: { ...adam, 'optimiser.learningRate': FOUNDATION_RATE, seed: 0, stage: 'foundation' },
  defaultTexts: measureTexts,
  suggestions,
});

const adapterSettings: FlagSettings = {
  omit: ['base'],
  hidden: ['hidden'],
  defaults: adam,
  defaultTexts: {
    seed: "the base's",
    'optimiser.learningRate': learningRatesText,
    stage: "the adapter's id, and λ if there is one",
    'data.source': 'what the base was trained on',
    angles: '',
    ...measureTexts,
  },
  suggestions,
};
const adapterFlags = new Flags(trainOptions, adapterSettings);

interface Common {
  readonly session?: string;
  readonly cores: number;
  readonly json?: boolean;
}

export function trainCommand(surroundings: Surroundings): Command {
  const command = new Command('train')
    .description('train a foundation and keep it in a session')
    .addOption(sessionOption('the session that keeps it').makeOptionMandatory());
  foundationFlags.addTo(command);
  // There for those who look for them here, who are told where to go.
  for (const name of ['base', 'adapter']) command.addOption(new OfferingOption(`--${name} <id>`, '', { from: 'models' }).hideHelp());
  return finish(command, 'train').action(async (given: Common & OptionValues) => {
    const misplaced = ['base', 'adapter'].find((name) => given[name] !== undefined);
    if (misplaced !== undefined)
      throw new UserError(`train: --${misplaced}`, 'must be given to adapt, which trains an adapter on a base', given[misplaced]);
    await trainAndTell(given, surroundings, 'train', async (work) => {
      const options = foundationFlags.parse('train', given);
      return {
        flags: foundationFlags,
        parameters: { ...options, data: await work.identify({ ...options.data, source: dataSource(options.data.source) }) },
      };
    });
  });
}

export function adaptCommand(surroundings: Surroundings): Command {
  const command = new Command('adapt')
    .description('train an adapter on a frozen foundation')
    .addOption(sessionOption('the session with the foundation, which keeps the mode').makeOptionMandatory())
    .addOption(new OfferingOption('--base <model>', 'the foundation: its title, or the beginning of its digest', { from: 'models' }));
  adapterFlags.addTo(command);
  return finish(command, 'adapt').action(async (given: Common & OptionValues & { base?: string; adapter?: string }) => {
    const { base, adapter } = given;
    if (adapter === undefined) throw new UserError('adapt: --adapter', `must be given: ${adapterIds}`, adapter);
    if (base === undefined) throw new UserError('adapt: --base', 'must be given: the foundation that the adapter is trained on', base);
    if (given.angles === undefined) throw new UserError('adapt: --angles', 'must be given: those of the mode, such as 45', given.angles);
    await trainAndTell(given, surroundings, 'adapt', async (work) => {
      const row = findModel(work.session, base, 'adapt: --base');
      const parsed = adapterFlags.parse('adapt', given, { 'optimiser.learningRate': learningRateOf(adapter), seed: row.seed });
      const { sparsity } = parsed;
      const stage = (given.stage as string | undefined) ?? `${parsed.adapter}${sparsity > 0 ? ` λ=${sparsity}` : ''}`;
      const data = await dataOf(work, [row], parsed.data, 'adapt', given);
      return { flags: adapterFlags, parameters: { ...parsed, stage, data, base: work.session.model(row.digest) } };
    });
  });
}

function finish(command: Command, place: string): Command {
  return addCores(command, place).option('--json', 'print what was trained as one line of JSON');
}

/** Prints digest and title, as `sha256sum` does. */
async function trainAndTell(
  given: Common & OptionValues,
  surroundings: Surroundings,
  place: string,
  requestOf: (work: Work) => Promise<{ flags: Flags<typeof trainOptions>; parameters: { readonly data: DataReference } }>,
): Promise<void> {
  const told = await workOn(given.session!, { ...surroundings, cores: given.cores }, async (work) => {
    const { flags, parameters } = await requestOf(work);
    try {
      return await trained(work, place, { kind: trainClassifier.id, parameters });
    } catch (error) {
      throw aboutData(flags.inWords(error, trainClassifier.id, place, given), parameters.data, place, given);
    }
  });
  await print(given.json ? jsonLine(told) : `${told.digest}  ${told.title}\n`);
}
