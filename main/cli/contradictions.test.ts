/** What does not go together, means nothing, or is not there: one line that says so, and a session that is as it was. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { here } from './testing/here.ts';
import { writeOwnImages } from './testing/ownImages.ts';
import { done, expectRefused, overview, SMALL, Study } from './testing/study.ts';

let study: Study;
let session: string;
let images: string;
const at = (name: string) => study.at(name);
beforeAll(async () => {
  study = new Study();
  ({ session, images } = study);
  await study.work(session);
});
afterAll(() => study[Symbol.dispose]());

describe('what does not go together', () => {
  test('is told in words, and changes nothing', async () => {
    const before = await overview(session);
    const adapt = ['adapt', '--session', session];
    const gain = ['--adapter', 'gain', '--base', 'foundation', '--angles', '45'];
    const mistakes: [string[], string][] = [
      [
        ['train', '--session', session, '--adapter', 'gain'],
        'train: --adapter must be given to adapt, which trains an adapter on a base, got "gain"',
      ],
      [['train', '--session', session, '--epochs', '0'], 'train: --epochs must be an integer in [1, 1000], got "0"'],
      [['train', '--session', at('none.gatescope')], 'session: file must be there, got '],
      [['train', '--session', images], 'session: file must be a session (it is no SQLite file)'],
      [[...adapt, '--base', 'foundation', '--angles', '45'], 'adapt: --adapter must be given: dopamine, '],
      [
        [...adapt, '--adapter', 'gain', '--angles', '45'],
        'adapt: --base must be given: the foundation that the adapter is trained on, got undefined',
      ],
      [[...adapt, '--adapter', 'gain', '--base', 'foundation'], 'adapt: --angles must be given'],
      [[...adapt, '--adapter', 'gian', '--base', 'foundation', '--angles', '45'], 'adapt: --adapter must be dopamine, '],
      [
        [...adapt, '--adapter', 'gain', '--base', 'foundation', '--angles', '45', '--hidden', '8'],
        'adapt: --hidden must not be given with a base, which has its own, got "8"',
      ],
      [
        [...adapt, '--adapter', 'gain', '--base', 'foundation', '--angles', '45', '--sparsity', '1'],
        'adapt: --sparsity must be 0 where there are no gates (gain), got "1"',
      ],
      [
        [...adapt, '--adapter', 'gain', '--base', 'foundatoin', '--angles', '45'],
        'adapt: --base must be the label, or 4 or more digits, of a model of this session (nearest: "foundation")',
      ],
      [
        [...adapt, '--adapter', 'gain', '--base', 'gain', '--angles', '45'],
        'trainClassifier: base must be a foundation, got "a model with gain"',
      ],
      [
        [...adapt, ...gain, '--temperature-start', '1'],
        'adapt: --temperature-start must not be given where there are no gates (gain), got "1"',
      ],
      [
        [...adapt, ...gain, '--temperature', 'linear', '--temperature-end', '0.1'],
        'adapt: --temperature must not be given where there are no gates (gain), got "linear"',
      ],
      [['train', '--session', session, '--temperature-start', '1'], "unknown option '--temperature-start'"],
      [
        [...adapt, '--adapter', 'dopamine', '--base', 'foundation', '--angles', '45', '--temperature-end', '1'],
        'adapt: --temperature-end must not be given unless the kind is "geometric" or "linear", got "1"',
      ],
      [['train', '--session', session, '--angles', '45,0,45'], 'train: --angles must '],
      [[...adapt, '--adapter', 'gain', '--base', 'foundation', '--angles', '45,45'], 'adapt: --angles must '],
      [['train', '--session', session, '--stage', ''], 'train: --stage must not be empty, got ""'],
      [[...adapt, ...gain, '--stage', ''], 'adapt: --stage must not be empty, got ""'],
      [[...adapt, ...gain, '--rows', 'remaining'], 'adapt: --rows must be "all": the base was shown every image, got "remaining"'],
      [['analyse', 'frontier', '--session', session, '--model', 'all', '--lambdas', '0,1'], "unknown option '--lambdas'"],
      [
        ['analyse', 'frontier', '--session', session, '--model', 'dopamine+two-sided'],
        'analyse frontier: --model must be at least 2, got 1',
      ],
      [['analyse', 'acuracy'], 'analyse: analysis must be one of accuracy, '],
      [['analyse'], 'analyse: analysis must be given: --list tells which there are, got undefined'],
      [['analyse', 'accuracy', '--session', session], 'analyse accuracy: --model must be given'],
      [
        ['analyse', 'firing', '--session', session, '--model', 'foundation'],
        'analyse firing: --model "foundation 0°+45°, seed 3" must have an adapter, got "a foundation"',
      ],
      [
        ['analyse', 'softHardGap', '--session', session, '--model', 'gain'],
        'analyse softHardGap: --model "gain 45° on foundation 0°+45°, seed 3" must have gates, got "gain"',
      ],
      [['show', session, '--json', '--help'], '--json must not be given with help, which is text, got "--help"'],
      [['new', session], 'session: file must not be there yet, got '],
      [['ls', at('none')], 'ls: folder must be a folder that can be read, got '],
      [['completion', 'tcsh'], 'completion: shell must be one of bash, zsh, fish, got "tcsh"'],
    ];
    await expectRefused(mistakes);
    expect(await overview(session)).toEqual(before);
  });

  test('held-out images do not judge models that were shown them', async () => {
    const { code, stdout, stderr } = await here(['analyse', 'accuracy', '--session', session, '--model', 'gain', '--part', 'heldOut']);
    const message =
      'analyse accuracy: --model "gain 45° on foundation 0°+45°, seed 3" must have been trained with rows "remaining" to be judged by held-out images, got "all"';
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `gatescope: ${message}\n` });
  });

  test('other images that have come to lie where a model was trained are not taken for them', async () => {
    const moved = at('moved.npz');
    const file = at('moved.gatescope');
    writeOwnImages(moved);
    await done('new', file);
    await done('train', '--session', file, '--data', moved, ...SMALL);
    writeOwnImages(moved, 2);
    const { code, stderr } = await here(['analyse', 'accuracy', '--session', file, '--model', 'all']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/must have the digest/) as string });
    expect(stderr).toMatch(/^gatescope: analyse accuracy: --data must name where the images are now \(looked at .*moved\.npz, which /);
    rmSync(moved);
    const gone = `must name where the images are now (looked at ${moved}, where nothing is), got undefined\n`;
    for (const words of [
      ['analyse', 'accuracy', '--session', file, '--model', 'all'],
      ['adapt', '--session', file, '--base', 'foundation', '--adapter', 'gain', '--angles', '45'],
    ])
      expect((await here(words)).stderr).toBe(`gatescope: ${words[0] === 'adapt' ? 'adapt' : 'analyse accuracy'}: --data ${gone}`);
    writeOwnImages(moved, 2);
    await done('analyse', 'accuracy', '--session', file, '--model', 'all', '--data', moved);
  });
});
