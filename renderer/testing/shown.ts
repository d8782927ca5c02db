/** Mounting for tests, and what a person or a screen reader would find of it. */
import '../styles/tokens.css';
import '../styles/base.css';
import axe from 'axe-core';
import { mount, unmount, type Component } from 'svelte';
import Window from '../frame/Window.svelte';
import type { App } from '../state/app.svelte.ts';
import { clock } from '../state/clock.svelte.ts';
import { NOW } from './fakeData.ts';
import TestApp from './TestApp.svelte';

const mounted: { component: Record<string, unknown>; box: HTMLElement }[] = [];

function put(component: Component, props: Record<string, unknown>): HTMLElement {
  const box = document.createElement('div');
  document.body.append(box);
  mounted.push({ component: mount(component, { target: box, props }), box });
  return box;
}

/** A component alone, with an app to ask if it is given one. */
export function show<Props extends object>(component: Component<Props>, props: NoInfer<Props>, app?: App): HTMLElement {
  const harness: unknown = TestApp;
  return put(harness as Component, { app, component, props });
}

/** The whole window, at the time of the fake data. */
export function showWindow(app: App): HTMLElement {
  clock.stop(new Date(NOW));
  const whole: unknown = Window;
  return put(whole as Component, { app });
}

export async function removeAll(): Promise<void> {
  for (const { component, box } of mounted.splice(0)) {
    await unmount(component);
    box.remove();
  }
  delete document.documentElement.dataset.theme;
}

/** What axe finds wrong, in words; nothing is fine. */
export async function violations(element: Element = document.body): Promise<string[]> {
  const { violations: found } = await axe.run(element, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${String(target)} ${failureSummary ?? ''}`).join('\n')}`,
  );
}
