/** Pictures of every kind as Pillow wrote them against what they show; files made byte by byte for what Pillow does not write; what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { decodeImage, readImageFile } from './imageFile.ts';
import { png } from './testing/png.ts';
import { fixturesIn } from './testing/readers.ts';

const shown = JSON.parse(readFileSync(new URL('fixtures/images.json', import.meta.url), 'utf8')) as {
  height: number;
  width: number;
  images: Record<string, { grey: number[]; colour: boolean }>;
};
const fixture = (name: string) => Buffer.from(fixturesIn('images', name)[0].bytes);

describe('pictures Pillow wrote', () => {
  test.each(fixturesIn('images'))('$name', async ({ name, bytes }) => {
    const { height, width, pixels, colour } = await decodeImage(bytes, name);
    const { grey, colour: expected } = shown.images[name];
    expect([height, width, colour]).toEqual([shown.height, shown.width, expected]);
    // Rounded to a byte; decoders of JPEG differ by one or two steps (T.83 allows it), and once more through three channels.
    const tolerance = name.endsWith('.jpg') ? 2.5 : 0.5 + 1e-3;
    pixels.forEach((value, i) => expect(Math.abs(value - grey[i]), `pixel ${i}`).toBeLessThanOrEqual(tolerance));
  });

  test('each of them has a file', () => {
    expect(fixturesIn('images').map(({ name }) => name)).toEqual(Object.keys(shown.images).sort());
  });
});

describe('PNG', () => {
  test('interlaced, its passes laid out by hand', async () => {
    // Of 3 x 3, pass 1 has pixel 0, pass 4 pixel 2, pass 5 pixels 6 and 8, pass 6 pixels 1 and 7, pass 7 the middle row.
    const passes = [[[0]], [[2]], [[6, 8]], [[1], [7]], [[3, 4, 5]]];
    const data = passes.flat().flatMap((row) => [0, ...row.map((pixel) => 10 * pixel)]);
    const { pixels } = await decodeImage(png(3, 3, 8, 0, 1, [['IDAT', deflateSync(Uint8Array.from(data))]]), 'a file');
    expect([...pixels]).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
  });

  test('grey of 2 and 4 bits, rows padded to bytes, data in several chunks', async () => {
    const packed = deflateSync(Uint8Array.of(0, 0b00011011, 0b11000000, 0, 0b11100100, 0b01000000));
    const chunks: [string, Uint8Array][] = [packed.subarray(0, 3), packed.subarray(3)].map((piece) => ['IDAT', piece]);
    expect([...(await decodeImage(png(5, 2, 2, 0, 0, chunks), 'a')).pixels]).toEqual([0, 85, 170, 255, 255, 255, 170, 85, 0, 85]);
    const four = png(3, 1, 4, 0, 0, [['IDAT', deflateSync(Uint8Array.of(0, 0x1f, 0x80))]]);
    expect([...(await decodeImage(four, 'a')).pixels]).toEqual([17, 255, 136]);
  });

  test('16 bits with opacity, and with a transparent colour', async () => {
    const data = deflateSync(Uint8Array.of(0, 0x80, 0x80, 0xff, 0xff, 0x80, 0x80, 0x33, 0x33));
    expect([...(await decodeImage(png(2, 1, 16, 4, 0, [['IDAT', data]]), 'a')).pixels]).toEqual([128, 26]); // 128 and a fifth of it
    const clear = png(2, 1, 16, 0, 0, [
      ['tRNS', Uint8Array.of(0x80, 0x80)],
      ['IDAT', deflateSync(Uint8Array.of(0, 0x80, 0x80, 0x80, 0x81))],
    ]);
    expect([...(await decodeImage(clear, 'a')).pixels]).toEqual([0, 128]);
  });

  const pixels: [string, Uint8Array][] = [['IDAT', deflateSync(new Uint8Array(6))]];
  const good = png(2, 2, 8, 0, 0, pixels);
  test.each<[string, Uint8Array, string]>([
    [
      'a bomb',
      png(2, 2, 8, 0, 0, [['IDAT', deflateSync(new Uint8Array(1 << 24))]]),
      'must be a whole PNG image, got "Cannot create a Buffer',
    ],
    ['too little data', png(2, 3, 8, 0, 0, pixels), 'data must unpack to 9 bytes, got 6'],
    ['data that are none', png(2, 2, 8, 0, 0, [['IDAT', Buffer.from('hello')]]), 'must be a whole PNG image'],
    ['a filter that is none', png(2, 2, 8, 0, 0, [['IDAT', deflateSync(Uint8Array.of(9, 0, 0, 0, 0, 0))]]), 'got "Unsupported filter: 9"'],
    ['no data', png(2, 2, 8, 0, 0, []), 'must be a whole PNG image'],
    ['a file cut short', good.subarray(0, -20), 'must be a whole PNG image'],
    ['a changed byte', Buffer.from(good).fill(1, 45, 46), 'IDAT must be undamaged'],
    ['too many pixels', png(257, 256, 8, 0, 0, pixels), 'must have 1 to 65536 pixels, got "256 × 257"'],
    ['no pixels', png(0, 2, 8, 0, 0, pixels), 'must have 1 to 65536 pixels'],
    ['a depth of its colour type’s not', png(2, 2, 4, 2, 0, pixels), 'depth must be one of 8, 16 bits, got 4'],
    ['a colour type that is none', png(2, 2, 8, 5, 0, pixels), 'colour type must be 0, 2, 3, 4 or 6, got 5'],
    ['an interlacing that is none', png(2, 2, 8, 0, 2, pixels), 'interlacing must be 0 or 1, got 2'],
    ['few bits, interlaced', png(1, 1, 1, 0, 1, [['IDAT', deflateSync(new Uint8Array(2))]]), 'depth must be 8 or 16 bits where'],
    [
      'a colour the palette has not',
      png(2, 2, 8, 3, 0, [
        ['PLTE', Buffer.alloc(3)],
        ['IDAT', deflateSync(Uint8Array.of(0, 0, 1, 0, 0, 0))],
      ]),
      'pixel 1 must be one of the palette',
    ],
    ['no palette', png(2, 2, 8, 3, 0, pixels), 'pixel 0 must be one of the palette'],
    ['two headers', png(2, 2, 8, 0, 0, [['IHDR', Buffer.alloc(13)], ...pixels]), 'must have one IHDR chunk'],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(UserError);
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(message);
  });
});

describe('BMP', () => {
  /** Headers of 14 and `info` bytes, then what follows. */
  function bmp(
    width: number,
    height: number,
    bits: number,
    compression: number,
    rest: number[],
    { info = 40, colours = 0, begin = 54 } = {},
  ): Buffer {
    const header = Buffer.alloc(54);
    header.write('BM');
    header.writeUInt32LE(begin, 10);
    header.writeUInt32LE(info, 14);
    header.writeInt32LE(width, 18);
    header.writeInt32LE(height, 22);
    header.writeUInt16LE(1, 26);
    header.writeUInt16LE(bits, 28);
    header.writeUInt32LE(compression, 30);
    header.writeUInt32LE(colours, 46);
    return Buffer.concat([header, Buffer.from(rest)]);
  }
  const words = (...values: number[]) => values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);

  test('rows from the bottom up or from the top down, 4 bits with a palette, opacity', async () => {
    const rows = [9, 9, 9, 0, 200, 200, 200, 0];
    expect([...(await decodeImage(bmp(1, 2, 24, 0, rows), 'a')).pixels]).toEqual([200, 9]);
    expect([...(await decodeImage(bmp(1, -2, 24, 0, rows), 'a')).pixels]).toEqual([9, 200]);
    const four = bmp(3, 1, 4, 0, [...words(0x000000, 0x0000ff, 0xffffff), 0x12, 0x00, 0, 0], { colours: 3, begin: 66 });
    expect([...(await decodeImage(four, 'a')).pixels]).toEqual([29, 255, 0]); // blue is 0.114 of white
    const masks = words(0xff0000, 0xff00, 0xff, 0xff000000);
    const alpha = bmp(2, 1, 32, 3, [...masks, 100, 100, 100, 255, 100, 100, 100, 51], { info: 56, begin: 70 });
    expect([...(await decodeImage(alpha, 'a')).pixels]).toEqual([100, 20]);
  });

  test.each<[string, Uint8Array, string]>([
    ['a file cut in its headers', bmp(1, 1, 24, 0, []).subarray(0, 50), 'must have headers of 54 bytes'],
    ['a file cut in its pixels', bmp(2, 2, 24, 0, [1, 2, 3]), 'must hold 16 bytes of pixels from byte 54, got "57 bytes (truncated)"'],
    ['the old header', bmp(1, 1, 24, 0, [0, 0, 0, 0], { info: 12 }), 'header must have at least 40 bytes, got 12'],
    ['16 bits', bmp(1, 1, 16, 0, [0, 0, 0, 0]), 'bits a pixel must be 1, 4, 8, 24 or 32, got 16'],
    ['run lengths', bmp(1, 1, 8, 1, [0, 0, 0, 0]), 'compression must be 0 (none)'],
    [
      'other masks',
      bmp(1, 1, 32, 3, [...words(0xff, 0xff00, 0xff0000, 0), 0, 0, 0, 0], { begin: 70 }),
      'masks must be 16711680, 65280, 255',
    ],
    ['no masks', bmp(1, 1, 32, 3, [0, 0, 0, 0]), 'header must hold the masks'],
    ['too many pixels', bmp(70_000, 70_000, 24, 0, []), 'must have 1 to 65536 pixels, got "70000 × 70000"'],
    ['a height beyond all', bmp(1, -(2 ** 31), 24, 0, []), 'must have 1 to 65536 pixels'],
    [
      'a palette beyond the file',
      bmp(1, 1, 8, 0, [0, 0, 0, 0], { colours: 200 }),
      'palette must be of at most 256 colours within the file, got 200',
    ],
    ['a palette of more than there can be', bmp(1, 1, 1, 0, [0, 0, 0, 0], { colours: 200 }), 'palette must be of at most 2 colours'],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(UserError);
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(message);
  });
});

describe('TIFF', () => {
  /** Where the entry of a tag is in a little-endian file. */
  const entryOf = (bytes: Buffer, tag: number) => {
    const begin = bytes.readUInt32LE(4);
    for (let i = 0; i < bytes.readUInt16LE(begin); i++) if (bytes.readUInt16LE(begin + 2 + 12 * i) === tag) return begin + 2 + 12 * i;
    throw new Error(`no tag ${tag}`);
  };
  /** With the value of one tag changed, or the tag itself. */
  const changed = (name: string, tag: number, value: number, other = tag) => {
    const bytes = fixture(name);
    const at = entryOf(bytes, tag);
    bytes.writeUInt16LE(other, at);
    bytes.writeUInt32LE(value, at + 8);
    return bytes;
  };

  test('white as zero, and a directory of EXIF that leads in a circle', async () => {
    const grey = (await decodeImage(fixture('grey-raw.tif'), 'a')).pixels;
    expect((await decodeImage(changed('grey-raw.tif', 262, 0), 'a')).pixels).toEqual(grey.map((value) => 255 - value));
    const circle = changed('grey-lzw.tif', 284, 8, 0x8769);
    expect((await decodeImage(circle, 'a')).pixels).toEqual(grey);
  });

  test.each<[string, Uint8Array, string]>([
    ['too many pixels', changed('grey-raw.tif', 256, 100_000), 'must have 1 to 65536 pixels'],
    ['12 bits', changed('grey-raw.tif', 258, 12), 'bits a sample must be 1, 8 or 16, got 12'],
    ['floats', changed('grey-raw.tif', 284, 3, 339), 'sample format must be 1 (unsigned integers), got 3'],
    ['YCbCr', changed('grey-raw.tif', 262, 6), 'colours must be 0 or 1 (grey), 2 (RGB) or 3 (palette), got 6'],
    ['planes', changed('rgb-raw.tif', 284, 2), 'planes must be 1 (pixel by pixel), got 2'],
    ['bits in reverse', changed('grey-raw.tif', 284, 2, 266), 'fill order must be 1, got 2'],
    ['packed bits', changed('grey-raw.tif', 259, 32773), 'got "Unsupported Compression: PackBits"'],
    ['a turned picture', changed('grey-raw.tif', 284, 6, 274), 'Unsupported orientation: 6'],
    ['grey as RGB', changed('grey-raw.tif', 262, 2), 'samples a pixel must be at least 3 for RGB, got 1'],
    ['a palette it has not', changed('grey-raw.tif', 262, 3), 'pixel 0 must be one of the palette'],
    ['a strip beyond the end', changed('grey-raw.tif', 273, 10_000), 'strip 0 must lie within the file'],
    ['too few strips', changed('grey-raw.tif', 278, 2), 'strips must be 4, got 1'],
    ['no directory', changed('grey-raw.tif', 273, 8).fill(255, 4, 8), 'directory must have 1 to 256 entries'],
    [
      'values beyond the end',
      Buffer.concat([fixture('grey-raw.tif')]).fill(
        255,
        entryOf(fixture('grey-raw.tif'), 273) + 4,
        entryOf(fixture('grey-raw.tif'), 273) + 7,
      ),
      'directory must have its values within the file',
    ],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(UserError);
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(message);
  });

  test('a bomb', async () => {
    const packed = deflateSync(new Uint8Array(1 << 20));
    const bytes = Buffer.concat([fixture('grey-deflate.tif'), packed]);
    bytes.writeUInt32LE(bytes.length - packed.length, entryOf(bytes, 273) + 8);
    bytes.writeUInt32LE(packed.length, entryOf(bytes, 279) + 8);
    await expect(decodeImage(bytes, 'a file')).rejects.toThrow(/^a file must be a whole TIFF image, got "Cannot create a Buffer/);
  });
});

describe('JPEG', () => {
  test('too many pixels, and scans that end early', async () => {
    const large = fixture('grey.jpg');
    large.fill(255, large.indexOf(Buffer.of(0xff, 0xc0)) + 5, large.indexOf(Buffer.of(0xff, 0xc0)) + 9);
    await expect(decodeImage(large, 'a file')).rejects.toThrow(
      /^a file must be a whole JPEG image of at most 65536 pixels, got "maxResolution/,
    );
    for (const name of ['grey.jpg', 'rgb.jpg', 'progressive.jpg'])
      for (const cut of [3, 10, 40, 100])
        await expect(decodeImage(fixture(name).subarray(0, -cut), 'a file'), `${name}, ${cut} bytes short`).rejects.toThrow(UserError);
    const grey = fixture('grey.jpg');
    const empty = Buffer.concat([grey.subarray(0, grey.indexOf(Buffer.of(0xff, 0xda))), Buffer.of(0xff, 0xd9)]);
    await expect(decodeImage(empty, 'a file')).rejects.toThrow('a file must hold a scan, got "none"');
  });
});

describe('readImageFile', () => {
  test('says what is wrong with other files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatescope-images-'));
    try {
      const write = (name: string, bytes: Uint8Array) => {
        writeFileSync(join(folder, name), bytes);
        return join(folder, name);
      };
      const text = write('a.png', Buffer.from('GIF89a'));
      await expect(readImageFile(text)).rejects.toThrow(
        `readImageFile: ${text} must be a PNG, JPEG, BMP or TIFF image, got "first bytes 47494638"`,
      );
      await expect(readImageFile(write('empty.png', Buffer.of()))).rejects.toThrow('got "first bytes "');
      await expect(readImageFile(join(folder, 'b.png'))).rejects.toThrow('must exist, got "no such file"');
      await expect(readImageFile(folder)).rejects.toThrow('must be a file, got "a directory"');
      await expect(readImageFile(write('large.png', Buffer.alloc(2 ** 20 + 1)))).rejects.toThrow(
        'must have at most 1048576 bytes, got 1048577',
      );
      // By content, whatever the name.
      const { grey } = shown.images['grey.png'];
      expect([...(await readImageFile(write('named.jpg', fixture('grey.png')))).pixels]).toEqual(grey);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
