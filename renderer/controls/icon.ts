/** What a control takes as an icon: any component of `@lucide/svelte/icons/<name>`. */
import type { Component } from 'svelte';

export type Icon = Component<{ size?: number | string }>;
