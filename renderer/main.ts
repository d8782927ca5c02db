/** The page: one window onto one host. */
import '@fontsource-variable/inter';
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import Window from './frame/Window.svelte';
import { App } from './state/app.svelte.ts';
import { Connection } from './state/connection.svelte.ts';

const app = new App((onEvent, onOpen) => {
  const connection = new Connection(onEvent, onOpen);
  queueMicrotask(() => connection.begin());
  return connection;
});

mount(Window, { target: document.getElementById('app')!, props: { app } });
