/** The twenty lines of Python in the README: they read what a session holds, with SQLite and NumPy alone. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pythonWith } from '../../engine/export/testing/python.ts';
import { Session } from '../store/session.ts';
import { plainFindings } from './plainFindings.ts';
import { results } from './testing.ts';

const script = new URL('../../fixtures/read_session.py', import.meta.url);

test('a Python of twenty lines reads every measure', ({ skip }) => {
  const python = pythonWith('numpy', 'sqlite3');
  if (typeof python === 'string') return skip(python);
  expect(
    readFileSync(script, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '').length,
  ).toBeLessThanOrEqual(20);
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-read-'));
  const path = join(folder, '50 % of #1?.gatescope');
  {
    using session = Session.open(path, 'create');
    for (const { key, analysis, version, findings } of results) session.saveAnalysis({ key, analysis, version, parameters: {}, findings });
  }
  // The script as it is, then the arrays it read as JSON, which has no NaN.
  const then = `
import contextlib, io, json, runpy, sys
sys.argv = sys.argv[1:]
with contextlib.redirect_stdout(io.StringIO()) as printed:
    names = runpy.run_path(sys.argv[0])
read = [
    [name, names["tensor"](measure["data"]["$tensor"]).tolist()]
    for payload, in names["session"].execute("SELECT payload FROM results ORDER BY rowid")
    for name, measure in json.loads(payload)["measures"].items()
]
print(json.dumps({"printed": printed.getvalue(), "read": read}).replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null"))
`;
  const { printed, read } = JSON.parse(python.run(then, [script.pathname, path])) as { printed: string; read: [string, unknown][] };
  const expected = results.flatMap(({ findings }) =>
    Object.entries(plainFindings(findings).measures).map(([name, { data }]) => [name, data]),
  );
  expect(read.map(([name, data]) => [name, [data].flat(9)])).toEqual(expected);
  for (const word of ['accuracy', "['model', 'form', 'angle']", '%', '9.525e+001']) expect(printed).toContain(word);
  rmSync(folder, { recursive: true });
});
