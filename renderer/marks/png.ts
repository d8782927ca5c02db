/** An SVG as a PNG of 300 dots per inch. */
import { pictureText } from './picture.ts';
import { drawTexts } from './pictureTexts.ts';

const DOTS_PER_INCH = 300;

/** @param millimetres how wide the picture is on paper */
export async function pngOf(picture: SVGSVGElement, millimetres: number): Promise<Blob> {
  const wide = Math.round((millimetres / 25.4) * DOTS_PER_INCH);
  const { width, height } = picture.viewBox.baseVal;
  const whole = picture.cloneNode(true) as SVGSVGElement;
  whole.setAttribute('width', String(wide));
  whole.setAttribute('height', String(Math.round((wide * height) / width)));
  for (const text of whole.querySelectorAll('text')) text.remove();
  const address = URL.createObjectURL(new Blob([pictureText(whole)], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = wide;
    canvas.height = Math.round((wide * height) / width);
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    drawTexts(context, picture, wide / width);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (!blob) throw new Error(`the picture of ${canvas.width} × ${canvas.height} dots could not be made`);
    return new Blob([withDensity(new Uint8Array(await blob.arrayBuffer())) as BlobPart], { type: 'image/png' });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** With a pHYs chunk (PNG specification, 11.3.5.3), which must come before the first IDAT: here right after IHDR. */
export function withDensity(png: Uint8Array): Uint8Array {
  const AFTER_HEADER = 8 + 25;
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const perMetre = Math.round(DOTS_PER_INCH / 0.0254);
  view.setUint32(0, 9);
  chunk.set(
    [...'pHYs'].map((letter) => letter.charCodeAt(0)),
    4,
  );
  view.setUint32(8, perMetre);
  view.setUint32(12, perMetre);
  view.setUint8(16, 1);
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  const whole = new Uint8Array(png.length + chunk.length);
  whole.set(png.subarray(0, AFTER_HEADER));
  whole.set(chunk, AFTER_HEADER);
  whole.set(png.subarray(AFTER_HEADER), AFTER_HEADER + chunk.length);
  return whole;
}

/** PNG specification, annex D. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
