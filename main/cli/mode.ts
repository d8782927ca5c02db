/** `gatescope mode`: a point of the path from the base to a mode, or from one mode to another, kept as a mode of its own. */
import { Command, type OptionValues } from 'commander';
import { UserError } from '../../engine/base/errors.ts';
import { interpolateMode, interpolateOptions } from '../../engine/jobs/interpolateMode.ts';
import { dataOfModels } from '../host/dataOfModels.ts';
import { addCores, reworded, sessionOption } from './common.ts';
import { Flags } from './flags.ts';
import { findModel } from './names.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { trained } from './trained.ts';
import { workOn, type Surroundings } from './work.ts';

const modeFlags = new Flags(interpolateOptions, {
  omit: ['model', 'other', 'seed', 'data'],
  defaultTexts: { stage: "the adapter's id and the share" },
});

interface ModeOptions extends OptionValues {
  readonly session?: string;
  readonly model?: string;
  readonly other?: string;
  readonly cores: number;
  readonly json?: boolean;
}

export function modeCommand(surroundings: Surroundings): Command {
  const command = new Command('mode')
    .description('keep a mode between the base and a mode, or between two modes')
    .addOption(sessionOption('the session with the modes, which keeps the new one').makeOptionMandatory())
    .addOption(new OfferingOption('--model <id>', 'the mode: its title, or the beginning of its digest', { from: 'models' }))
    .addOption(
      new OfferingOption('--other <id>', 'where the path ends, if it is to begin at the mode and not at the base', { from: 'models' }),
    );
  modeFlags.addTo(command);
  return addCores(command, 'mode')
    .option('--json', 'print what was kept as one line of JSON')
    .action(async (given: ModeOptions) => {
      const { model: text, other: otherText } = given;
      if (text === undefined) throw new UserError('mode: --model', 'must be given: the mode that the path leads to, or begins at', text);
      if (given.share === undefined) throw new UserError('mode: --share', 'must be given: a number in [0, 1]', given.share);
      const told = await workOn(given.session!, { ...surroundings, cores: given.cores }, async (work) => {
        const { session } = work;
        const row = findModel(session, text, 'mode: --model');
        const rows = [row, ...(otherText === undefined ? [] : [findModel(session, otherText, 'mode: --other')])];
        const [model, other] = rows.map(({ digest }) => session.model(digest));
        // Checked with the models in their places, of which no flag says anything.
        const { stage, share } = modeFlags.parse('mode', given, { model });
        // So that it is analysed on the images of the mode it comes from, unless others are named.
        const data = dataOfModels(session, [row], 'mode: --model');
        const parameters = { share, model, ...(stage !== undefined && { stage }), ...(other && { other }), ...(data && { data }) };
        try {
          return await trained(work, 'interpolate', { kind: interpolateMode.id, parameters });
        } catch (error) {
          throw inWords(error, given);
        }
      });
      await print(given.json ? jsonLine(told) : `${told.digest}  ${told.title}\n`);
    });
}

/** What models/modes.ts refuses, in the words of the flags: two modes it speaks of are the other's mistake. */
function inWords(error: unknown, { model, other }: ModeOptions): unknown {
  if (!(error instanceof UserError) || !error.field.startsWith('interpolate: ')) return error;
  return reworded(
    error,
    `mode: --${other === undefined ? `model ${JSON.stringify(model)}` : `other ${JSON.stringify(other)}`}`,
    error.rule,
  );
}
