/** The page's own fonts as rules with the font inside, for pictures that stand alone. */

/** @font-face rules of the subsets that the text needs; empty where the page has none or they cannot be read: the reader's fonts do then. */
export async function fontFaces(text: string): Promise<string> {
  const points = [...new Set([...text].map((letter) => letter.codePointAt(0)!))];
  const rules = [...document.styleSheets].flatMap(rulesOf).filter((rule) => {
    const family = rule.style.getPropertyValue('font-family');
    const style = rule.style.getPropertyValue('font-style') || 'normal';
    return (
      family.includes('Inter') && style === 'normal' && points.some((point) => covers(rule.style.getPropertyValue('unicode-range'), point))
    );
  });
  return (await Promise.all(rules.map(embedded))).join('\n');
}

function rulesOf(sheet: CSSStyleSheet): CSSFontFaceRule[] {
  try {
    return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule);
  } catch {
    return []; // of another origin
  }
}

/** @param range as `unicode-range` has it: `U+0370-0377, U+37A-37F`; empty covers all */
export function covers(range: string, point: number): boolean {
  if (range.trim() === '') return true;
  return range.split(',').some((part) => {
    const [low, high = low] = part.trim().replace(/^U\+/i, '').split('-');
    return point >= parseInt(low.replaceAll('?', '0'), 16) && point <= parseInt(high.replaceAll('?', 'F'), 16);
  });
}

async function embedded(rule: CSSFontFaceRule): Promise<string> {
  const address = /url\(["']?([^"')]+)/.exec(rule.style.getPropertyValue('src'))?.[1];
  if (address === undefined) return '';
  try {
    const blob = await (await fetch(new URL(address, rule.parentStyleSheet?.href ?? document.baseURI))).blob();
    const weight = rule.style.getPropertyValue('font-weight') || '100 900';
    return `@font-face { font-family: 'Inter Variable'; font-weight: ${weight}; src: url(${await dataAddress(blob)}) format('woff2'); unicode-range: ${rule.style.getPropertyValue('unicode-range') || 'U+0-10FFFF'}; }`;
  } catch {
    return '';
  }
}

const dataAddress = (blob: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error('the font could not be read'));
    reader.readAsDataURL(blob);
  });
