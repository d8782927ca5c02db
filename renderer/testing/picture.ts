/**
 * Pictures as text: a specimen is mounted in a box of its size, and its markup is put into a form in which only what is drawn differs:
 * numbers to three decimals, ids and hashes of styles by order, comments gone. Also how a test or the gallery mounts one.
 */
import { mount, unmount, type Component } from 'svelte';
import TestApp from './TestApp.svelte';
import type { App } from '../state/app.svelte.ts';

export interface Specimen {
  /** Names the picture's file. */
  readonly id: string;
  readonly title: string;
  /** Its props are those of `props`: `specimen` sees to it. */
  readonly component: Component;
  readonly props: Readonly<Record<string, unknown>>;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** A specimen of a component with props that fit it. */
export const specimen = <Props extends object>(
  id: string,
  title: string,
  component: Component<Props>,
  props: NoInfer<Props>,
  { width, height }: { readonly width: number; readonly height: number },
): Specimen => {
  const known: unknown = component;
  return { id, title, component: known as Component, props: props as Readonly<Record<string, unknown>>, width, height };
};

export interface Mounted {
  readonly box: HTMLElement;
  readonly remove: () => Promise<void>;
}

/** @param app what `useApp()` gives inside; most figures need none */
export async function place({ component, props, width, height }: Specimen, parent: HTMLElement, app?: App): Promise<Mounted> {
  const box = document.createElement('div');
  box.style.cssText = `width:${width}px;height:${height}px;position:relative;overflow:hidden;background:var(--surface)`;
  parent.append(box);
  const mounted = mount(TestApp, { target: box, props: { app, component, props } });
  await settled();
  return {
    box,
    remove: async () => {
      await unmount(mounted);
      box.remove();
    },
  };
}

/** Observers of size have spoken and what they changed is drawn. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** The drawing as text, for `toMatchFileSnapshot('./__pictures__/<id>.html')`. */
export async function picture(one: Specimen, app?: App): Promise<string> {
  const { box, remove } = await place(one, document.body, app);
  const text = normalised(box);
  await remove();
  return text;
}

/** Markup in which only what is drawn differs. */
export function normalised(element: Element): string {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`);
    return ids.get(id)!;
  };
  for (const { id } of element.querySelectorAll('[id]')) idOf(id);
  const known = [...ids.keys()].sort((a, b) => b.length - a.length);
  const renamed = (text: string): string => known.reduce((all, id) => all.replaceAll(id, idOf(id)), text);
  const lines: string[] = [];
  const write = (node: Node, depth: number): void => {
    const indent = '  '.repeat(depth);
    if (node instanceof Text) {
      const text = node.data.replace(/[ \n\t]+/g, ' ').trim();
      if (text) lines.push(indent + escaped(text));
    } else if (node instanceof Element) {
      const name = node.localName;
      const attributes = [...node.attributes]
        .map(({ name: key, value }) => [key, key === 'class' ? withoutHashes(value) : rounded(renamed(value))] as const)
        .filter(([key, value]) => !(key === 'class' && value === ''))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ` ${key}="${escaped(value)}"`)
        .join('');
      const only =
        node.childNodes.length === 1 && node.firstChild instanceof Text ? node.firstChild.data.replace(/[ \n\t]+/g, ' ').trim() : undefined;
      const inside = [...node.childNodes].some((child) => child instanceof Element || (child instanceof Text && child.data.trim()));
      if (!inside) lines.push(`${indent}<${name}${attributes} />`);
      else if (only !== undefined) lines.push(`${indent}<${name}${attributes}>${escaped(only)}</${name}>`);
      else {
        lines.push(`${indent}<${name}${attributes}>`);
        for (const child of node.childNodes) write(child, depth + 1);
        lines.push(`${indent}</${name}>`);
      }
    }
  };
  for (const child of element.childNodes) write(child, 0);
  return `${lines.join('\n')}\n`;
}

const rounded = (text: string): string => text.replace(/-?\d+\.\d+(e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(3)) + 0));

const withoutHashes = (classes: string): string =>
  classes
    .split(/\s+/)
    .filter((name) => name && !/^(s|svelte)-[\w-]+$/.test(name))
    .join(' ');

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
