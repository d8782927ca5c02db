/** Comma-separated values: the rules of RFC 4180 one by one, and a reader written from its grammar. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { readCsv, writeCsv, type CsvValue } from './csv.ts';

/** file = *(record CRLF), field = escaped or not: section 2 of RFC 4180, a character at a time. */
function parse(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inside) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else inside = false;
    } else if (character === '"') inside = true;
    else if (character === ',') {
      record.push(field);
      field = '';
    } else if (character === '\r' && text[i + 1] === '\n') {
      records.push([...record, field]);
      [record, field] = [[], ''];
      i++;
    } else field += character;
  }
  return records;
}

test('what it looks like', () => {
  const rows: CsvValue[][] = [
    ['dopamine', 0.1, true, null],
    ['lora, r8', NaN, false, -Infinity],
    ['say "a"', 1e21, undefined, 5e-324],
    [' two\r\nlines', -0, '', Infinity],
  ];
  expect(writeCsv(['adapter', 'value', 'soft', 'gap'], rows)).toBe(
    'adapter,value,soft,gap\r\ndopamine,0.1,true,\r\n"lora, r8",,false,-inf\r\n"say ""a""",1e+21,,5e-324\r\n" two\r\nlines",0,,inf\r\n',
  );
  expect(writeCsv(['a', ' b'], [['c ', 'd e']])).toBe('a," b"\r\n"c ",d e\r\n');
  expect(writeCsv(['only'], [[''], ['a']])).toBe('only\r\n""\r\na\r\n');
});

test('what is written is read again', () => {
  const value = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'a') }), fc.double(), fc.boolean());
  const table = fc.integer({ min: 1, max: 4 }).chain((width) => {
    const row = fc.array(value, { minLength: width, maxLength: width });
    return fc.tuple(fc.array(fc.string(), { minLength: width, maxLength: width }), fc.array(row));
  });
  fc.assert(
    fc.property(table, ([columns, rows]) => {
      const [names, ...read] = parse(writeCsv(columns, rows));
      expect(names).toEqual(columns);
      expect(read.length).toBe(rows.length);
      for (const [i, row] of rows.entries())
        for (const [j, given] of row.entries())
          if (typeof given !== 'number') expect(read[i][j]).toBe(String(given));
          else if (Number.isNaN(given)) expect(read[i][j]).toBe('');
          else expect(Number(read[i][j].replace('inf', 'Infinity'))).toBe(given + 0);
    }),
    { numRuns: 300 },
  );
});

test('a row of another width is refused', () => {
  expect(() => writeCsv(['a', 'b'], [[1, 2], [3]])).toThrow(UserError);
  expect(() => writeCsv(['a', 'b'], [[1, 2], [3]])).toThrow('writeCsv: row 1 must have 2 values, got 1');
});

test('what is written is read again', () => {
  const value = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\r', '\n', 'é', '\ufeff') });
  const tables = fc
    .integer({ min: 1, max: 4 })
    .chain((columns) => fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { minLength: 1 }));
  fc.assert(
    fc.property(tables, ([names, ...rows]) => {
      const written = writeCsv(names, rows);
      // A mark before the first line says how a file is encoded, and is no part of it.
      fc.pre(!written.startsWith('\ufeff'));
      expect(readCsv(written, 'a file')).toEqual([names, ...rows]);
    }),
    { numRuns: 500 },
  );
});

test.each<[string, string[][]]>([
  ['', []],
  ['\n\r\n', []],
  [
    '\ufeffa,b\r\n\r\n1,\n',
    [
      ['a', 'b'],
      ['1', ''],
    ],
  ],
  ['a,"b\nc","d""e"', [['a', 'b\nc', 'd"e']]],
  ['""\n', [['']]],
  ['a\rb\n', [['a\rb']]],
])('%j is read', (text, rows) => {
  expect(readCsv(text, 'a file')).toEqual(rows);
});

test.each<[string, string]>([
  ['a,"b', 'a file: line 1 must close its quotes'],
  ['a\n"b\nc"\nd"e', 'a file: line 4 must have quotes around a whole value, got "d\\"e"'],
  ['"a"b', 'a file: line 1 must have a comma or its end after closing quotes, got "\\"a\\"b"'],
  ['"a"\rb', 'must have a comma or its end after closing quotes'],
])('%j is refused', (text, message) => {
  expect(() => readCsv(text, 'a file')).toThrow(UserError);
  expect(() => readCsv(text, 'a file')).toThrow(message);
});
