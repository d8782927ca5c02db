/** Findings in other programs' formats: every number comes back, from ours and, where there is one, from a Python. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cells } from '../../engine/base/findings.ts';
import { pythonWith } from '../../engine/export/testing/python.ts';
import { openNpz, writeNpz } from '../../engine/formats/npz.ts';
import { findingsArrays } from './findingsArrays.ts';
import { findingsCsv } from './findingsCsv.ts';
import { plainFindings } from './plainFindings.ts';
import { results } from './testing.ts';

const python = pythonWith('numpy');

/** @returns what the program printed, as JSON, about a file of this content */
function read(content: string | Uint8Array, script: string): unknown {
  if (typeof python === 'string') throw new Error(python);
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-export-'));
  try {
    writeFileSync(join(folder, 'file'), content);
    return JSON.parse(python.run(script, [join(folder, 'file')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('csv: one table of two results, a row for each number', () => {
  expect(findingsCsv(results).replaceAll('1'.repeat(64), '1…').replaceAll('2'.repeat(64), '2…').replaceAll('\r', ''))
    .toMatchInlineSnapshot(`
    "result,analysis,models,measure,model,form,angle,axis.unit,value,unit,n,seed,part,data,device
    1…,accuracy,"a, b",accuracy,"a, b",soft,0,,95.25,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"a, b",soft,-45.5,,0.1,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"a, b",hard,0,,,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"a, b",hard,-45.5,,80,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"the ""other""",soft,0,,inf,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"the ""other""",soft,-45.5,,-0.5,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"the ""other""",hard,0,,1e-300,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",accuracy,"the ""other""",hard,-45.5,,7,%,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",parameters,"a, b",,,,768,numbers,10000,3,test,mnist,onnxruntime-cpu
    1…,accuracy,"a, b",parameters,"the ""other""",,,,0,numbers,10000,3,test,mnist,onnxruntime-cpu
    2…,overlap,"a, b",share,,hard,,L0U0,0.10000000149011612,share,21,3,,,
    2…,overlap,"a, b",share,,hard,,L0U1,0.25,share,21,3,,,
    2…,overlap,"a, b",share,,hard,,L1U0,1,share,21,3,,,
    2…,overlap,"a, b",jaccard,,hard,,,0.5,,21,3,,,
    "
  `);
});

test('csv: every cell comes back, by the names of its columns', ({ skip }) => {
  if (typeof python === 'string') return skip(python);
  const rows = read(
    findingsCsv(results),
    'import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline="")))))',
  ) as Record<string, string>[];
  const expected = results.flatMap(({ findings }) => [...cells(findings)]);
  expect(rows).toHaveLength(expected.length);
  expected.forEach(({ measure, at, value, unit }, i) => {
    expect(rows[i]).toMatchObject({ measure, unit });
    for (const [axis, entry] of Object.entries(at)) expect(rows[i][axis === 'unit' ? 'axis.unit' : axis]).toBe(String(entry));
    expect(rows[i].value === '' ? NaN : Number(rows[i].value.replace('inf', 'Infinity'))).toBe(value);
  });
});

test('an axis of a name that facts have, too, is where the fact varies', () => {
  const [header, ...rows] = findingsCsv(results)
    .split('\r\n')
    .map((line) => line.split(','));
  expect(header.filter((name) => name === 'form')).toHaveLength(1);
  expect(rows.at(-2)![header.indexOf('form') + 1]).toBe('hard'); // the label before it has a comma
});

test('npz: arrays by measure, axes of numbers, and all that is text', ({ skip }) => {
  const arrays = findingsArrays([results[0]]);
  const archive = openNpz(writeNpz(arrays), 'test');
  expect(archive.names).toEqual(['accuracy', 'axis.angle', 'findings.json', 'parameters']);
  expect(archive.array('accuracy')).toEqual({ dtype: 'float64', shape: [2, 2, 2], data: results[0].findings.measures.accuracy.data });
  expect(archive.array('axis.angle').data).toEqual(Float64Array.of(0, -45.5));
  expect(Object.keys(findingsArrays(results))).toEqual([
    'accuracy-111111111111.accuracy',
    'accuracy-111111111111.parameters',
    'accuracy-111111111111.axis.angle',
    'overlap-222222222222.share',
    'overlap-222222222222.jaccard',
    'findings.json',
  ]);
  if (typeof python === 'string') return skip(python);
  const script = `
import json, sys, numpy
arrays = numpy.load(sys.argv[1])
text = json.loads(arrays["findings.json"].tobytes())[0]
print(json.dumps([list(arrays["accuracy"].shape), arrays["parameters"].tolist(), text["measures"]["accuracy"]["axes"], text["axes"]["model"]["values"], text["facts"]["images"]]))
`;
  expect(read(writeNpz(arrays), script)).toEqual([[2, 2, 2], [768, 0], ['model', 'form', 'angle'], ['a, b', 'the "other"'], 10_000]);
});

test('json: arrays, and null where there is no number', () => {
  const plain = JSON.parse(JSON.stringify(plainFindings(results[0].findings))) as ReturnType<typeof plainFindings>;
  expect(plain.measures.accuracy).toEqual({
    axes: ['model', 'form', 'angle'],
    unit: '%',
    definition: 'as "%"',
    data: [95.25, 0.1, null, 80, null, -0.5, 1e-300, 7],
  });
  const { measures: _, ...rest } = results[0].findings;
  expect(plain).toMatchObject(rest);
});
