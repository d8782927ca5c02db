/** Styles of the page written into a copy of an SVG as attributes, colours as plain sRGB: what any program that reads SVG understands. */

/** By attribute: whether children have it of their parents, and what it is where nobody says. */
const attributes: readonly { readonly name: string; readonly inherited: boolean; readonly initial: string; readonly colour?: boolean }[] = [
  { name: 'fill', inherited: true, initial: '', colour: true },
  { name: 'stroke', inherited: true, initial: 'none', colour: true },
  { name: 'fill-opacity', inherited: true, initial: '1' },
  { name: 'stroke-opacity', inherited: true, initial: '1' },
  { name: 'stroke-width', inherited: true, initial: '1px' },
  { name: 'stroke-dasharray', inherited: true, initial: 'none' },
  { name: 'stroke-linecap', inherited: true, initial: 'butt' },
  { name: 'stroke-linejoin', inherited: true, initial: 'miter' },
  { name: 'paint-order', inherited: true, initial: 'normal' },
  { name: 'font-size', inherited: true, initial: '' },
  { name: 'font-weight', inherited: true, initial: '400' },
  { name: 'font-style', inherited: true, initial: 'normal' },
  { name: 'text-anchor', inherited: true, initial: 'start' },
  { name: 'shape-rendering', inherited: true, initial: 'auto' },
  { name: 'visibility', inherited: true, initial: 'visible' },
  { name: 'opacity', inherited: false, initial: '1' },
  { name: 'dominant-baseline', inherited: false, initial: 'auto' },
  { name: 'stop-color', inherited: false, initial: 'rgb(0, 0, 0)', colour: true },
];
const kept = new Set(
  'id x y x1 x2 y1 y2 cx cy r rx ry width height d points transform viewBox href offset dx dy patternUnits patternTransform clip-path mask gradientUnits preserveAspectRatio'.split(
    ' ',
  ),
);

export interface PictureStyles {
  /** Of a token, where the element is. */
  readonly colour: (element: Element, token: string) => string;
  readonly copy: (original: SVGElement) => SVGElement;
}

export function pictureStyles(): PictureStyles {
  const known = new Map<string, string>();
  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;

  /** Whatever CSS calls a colour, as `#rrggbb` or `rgba(…)`. */
  function plain(colour: string): string {
    if (colour === 'none' || colour.startsWith('url(')) return colour.replaceAll('"', '');
    let found = known.get(colour);
    if (found === undefined) {
      probe.clearRect(0, 0, 1, 1);
      probe.fillStyle = colour;
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
      const hex = `#${[r, g, b].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
      found = a === 255 ? hex : a === 0 ? 'none' : `rgba(${r}, ${g}, ${b}, ${(a / 255).toFixed(3)})`;
      known.set(colour, found);
    }
    return found;
  }

  function copied(original: Element, inherited: Readonly<Record<string, string>>): SVGElement | undefined {
    if (!(original instanceof SVGElement) || original.tagName === 'foreignObject' || original.hasAttribute('data-unexported'))
      return undefined;
    const styles = getComputedStyle(original);
    if (styles.display === 'none') return undefined;
    const copy = original.cloneNode(false) as SVGElement;
    for (const { name } of [...copy.attributes]) if (!kept.has(name)) copy.removeAttribute(name);
    if (original.style.transform && styles.transform !== 'none') copy.setAttribute('transform', styles.transform);
    const passed: Record<string, string> = { ...inherited };
    for (const { name, inherited: isInherited, initial, colour } of attributes) {
      const value = styles.getPropertyValue(name);
      if (value === '' || value === (isInherited ? inherited[name] : initial)) continue;
      if (isInherited) passed[name] = value;
      if (name === 'stop-color' && original.tagName !== 'stop') continue;
      copy.setAttribute(name, colour ? plain(value) : value.replace(/px/g, ''));
    }
    for (const child of original.childNodes) {
      if (child instanceof Text) copy.append(child.data);
      else if (child instanceof Element) {
        const inner = copied(child, passed);
        if (inner) copy.append(inner);
      }
    }
    return copy;
  }

  return {
    colour: (element, token) => plain(getComputedStyle(element).getPropertyValue(token).trim()),
    copy: (original) => copied(original, Object.fromEntries(attributes.map(({ name, initial }) => [name, initial])))!,
  };
}
