/** GIVEN the demonstration WHEN somebody saves a figure, its numbers and the model THEN the files hold what the window shows. */
import { expect, test } from '../fixtures/lab.ts';

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

test('figures leave as SVG, PNG and CSV, a model as safetensors', async ({ lab }) => {
  const { home, modes, frame } = lab;
  await home.open('Dopamine on MNIST');
  await frame.goTo('Modes');
  await expect(modes.drawing('Units')).toBeVisible();
  const figure = modes.figure('Units');
  const menu = figure.getByRole('button', { name: 'Units: table, export' });
  const save = (item: string) =>
    lab.saved(async () => {
      await menu.click();
      await frame.menuItem(item).click();
    });

  const caption = figure.locator('figcaption');
  await expect(caption).toContainText('10\u202f000 images');
  const told = await caption.innerText();
  const svg = await save('Export SVG');
  expect(svg.name).toBe('units.svg');
  const text = svg.bytes.toString('utf8');
  expect(text).toMatch(/^(<\?xml[^>]*>\s*)?<svg/);
  // Real text, of which the caption may be broken into lines.
  const words = (from: string): string => from.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  expect(text).toContain('<text');
  for (const word of told.split(/\s+/)) expect(words(text)).toContain(word.replace('&', '&amp;').replace('>', '&gt;').replace('<', '&lt;'));
  expect(text).not.toMatch(/var\(--|<foreignObject/);

  const png = await save('Export PNG');
  expect(png.name).toBe('units.png');
  expect([...png.bytes.subarray(0, 8)]).toEqual(PNG);
  expect(png.bytes.readUInt32BE(16)).toBeGreaterThan(900);

  const csv = await save('Export CSV');
  expect(csv.name).toBe('units.csv');
  const lines = csv.bytes
    .toString('utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  await menu.click();
  await frame.menuItem('Table').click();
  const table = figure.getByRole('table');
  await expect(table).toBeVisible();
  const shown = await table.evaluate((element) =>
    [...(element as HTMLTableElement).tBodies[0].rows]
      .filter((row) => !row.hidden && row.ariaHidden !== 'true')
      .map((row) => [...row.cells].map((cell) => cell.innerText.trim())),
  );
  expect(lines.length - 1).toBeGreaterThanOrEqual(shown.length);
  expect(shown.length).toBeGreaterThan(5);
  const rounded = (cell: string): string =>
    cell === '' || Number.isNaN(Number(cell)) ? cell : String(Number(Number(cell).toPrecision(6)));
  for (const [i, row] of shown.entries())
    expect(lines[i + 1].map(rounded).map((cell) => (cell === '' || cell === 'NaN' ? '–' : cell))).toEqual(
      row.map((cell) => cell.replace('\u2212', '-')),
    );

  const model = await lab.saved(async () => {
    await modes.inspector.getByRole('button', { name: 'Export the model' }).click();
    await frame.menuItem('Weights').click();
  });
  expect(model.name).toMatch(/\.safetensors$/);
  const size = Number(model.bytes.readBigUInt64LE(0));
  const header = JSON.parse(model.bytes.subarray(8, 8 + size).toString('utf8')) as Record<string, { data_offsets?: [number, number] }>;
  const ends = Object.entries(header).flatMap(([name, { data_offsets: at }]) => (name === '__metadata__' || !at ? [] : [at[1]]));
  expect(8 + size + Math.max(...ends)).toBe(model.bytes.length);
});
