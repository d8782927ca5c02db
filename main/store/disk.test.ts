/** Sessions on disks that are full or read-only: real ones, in a mount namespace of their own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fill, Folder } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

describe.skipIf(!canMount())('a disk', () => {
  /** Runs a script of its own on a tmpfs, in a mount namespace of its own. */
  const on = (options: string, script: string, prepare = '') => {
    const target = folder.at('disk');
    mkdirSync(target);
    const shell = `mount -t tmpfs tmpfs "${target}" && ${prepare || 'true'} && mount -o remount,${options} "${target}" && exec "$0" --input-type=module -e "$SCRIPT"`;
    const imports = `import { Session } from ${JSON.stringify(new URL('session.ts', import.meta.url).href)};
      import { analysis, fill } from ${JSON.stringify(new URL('testing/sessions.ts', import.meta.url).href)};
      const path = ${JSON.stringify(join(target, 'a.gatescope'))};
      const attempt = (work) => { try { return work(); } catch (error) { return error.name + ' ' + error.message; } };`;
    return execFileSync('unshare', ['-m', 'sh', '-c', shell, process.execPath], {
      encoding: 'utf8',
      env: { ...process.env, SCRIPT: imports + script },
    });
  };

  test('that is full loses nothing that was stored, and is told', () => {
    const said = on(
      'size=1m',
      `const session = Session.open(path, 'create');
      session.saveAnalysis(analysis(1));
      session.saveCheckpoint('a', new Uint8Array(100_000));
      console.log(attempt(() => session.saveCheckpoint('a', new Uint8Array(900_000))));
      console.log(attempt(() => session.saveAnalysis({ ...analysis(2), findings: new Uint8Array(900_000) })));
      console.log(session.loadCheckpoint('a').value.length, session.results().length);
      session.saveAnalysis(analysis(3));
      session.close();
      const again = Session.open(path, 'read');
      console.log(again.loadCheckpoint('a').value.length, again.results().length, again.check().length);`,
    );
    expect(said).toMatch(
      /^(UserError session: file must (have space left on its disk|be on a working disk with space left) \(.*\), got ".*a.gatescope"\n){2}100000 1\n100000 2 0\n$/,
    );
  });

  test('that is full from the start is told', () => {
    const said = on(
      'size=64k',
      `console.log(attempt(() => Session.open(path, 'create')));
      console.log((await import('node:fs')).readdirSync(path.slice(0, path.lastIndexOf('/'))).length);`,
    );
    expect(said).toMatch(/^UserError session: file must have space left on its disk \(.*\), got ".*a\.gatescope"\n0\n$/);
  });

  test('that is read-only can be read from, and is told', () => {
    copyFileSync(folder.filled(), folder.at('whole'));
    const said = on(
      'ro',
      `console.log(attempt(() => Session.open(path, 'write')));
      console.log(attempt(() => Session.open(path + '2', 'create')));
      const session = Session.open(path, 'read');
      console.log(session.results().length);
      console.log(attempt(() => session.rename('x')));
      session.close();`,
      `cp "${folder.at('whole')}" "${folder.at('disk/a.gatescope')}"`,
    );
    expect(said.split('\n')).toEqual([
      expect.stringMatching(/^UserError session: file must not be on a read-only file system \(EROFS: .*\), got ".*a\.gatescope"$/),
      expect.stringMatching(/^UserError session: file must not be on a read-only file system \(EROFS: .*\), got ".*a\.gatescope2"$/),
      '1',
      expect.stringMatching(/^UserError session: file must be open to writing/),
      '',
    ]);
  });

  test('that is read-only does not give what an open session had there, part of which may be in its log', () => {
    const session = folder.session();
    fill(session);
    const copies = ['', '-wal'].map((suffix) => `cp "${session.path}${suffix}" "${folder.at(`disk/a.gatescope${suffix}`)}"`);
    const said = on('ro', `console.log(attempt(() => Session.open(path, 'read')));`, copies.join(' && '));
    expect(said).toMatch(
      /^UserError session: file must be in a folder that is open to writing, since it was not closed and part of it may/,
    );
  });
});

function canMount(): boolean {
  return spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs "$0"', tmpdir()]).status === 0;
}
