/** Names of places in models, spelled as in TransformerLens: one address for reading, patching and ablating. */

/** `blocks.1.attn.hook_z` */
export const blockSite = (layer: number, name: string): string => `blocks.${layer}.${name}`;

/** Head outputs before W_O, [rows, positions, heads, d_head]. */
export const headOutput = (layer: number): string => blockSite(layer, 'attn.hook_z');

/** `L1H0` */
export const headLabel = (layer: number, head: number): string => `L${layer}H${head}`;

/**
 * Whether a site says something about a model on which nothing depends (the scale of a norm, the margin of a choice): it can be read, and
 * what is written to it goes nowhere.
 */
export const isReading = (name: string): boolean => /(^|\.)hook_(scale|margin)$/.test(name);
