/** What is asked of networks at once and kept nowhere: answers to one image, images as they are drawn, accuracy on the path to a mode. */

export type Form = 'base' | 'soft' | 'hard';

export interface Forced {
  readonly unit: string;
  readonly state: 'open' | 'shut';
}

export interface AnswerRequest {
  readonly data: { readonly source: string; readonly digest?: string };
  /** A test image by its number, or pixels in [0, 1], row by row. */
  readonly image: { readonly index: number } | { readonly pixels: Float32Array };
  readonly angle: number;
  readonly contenders: readonly { readonly model: string; readonly form: Form }[];
  readonly forced?: readonly Forced[];
  /** Where on the path from base to mode; 1: the mode. */
  readonly share?: number;
}

export interface Answer {
  /** Turned: what the networks see. */
  readonly pixels: Float32Array;
  readonly label?: number;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly string[];
  readonly answers: readonly {
    readonly logits: Float32Array;
    readonly probabilities: Float32Array;
    readonly answer: number;
    /** What each hidden unit gives, and whether it is active. */
    readonly outputs: Float32Array;
    readonly active: Uint8Array;
    readonly on: number;
  }[];
}

export interface DrawRequest {
  readonly data: { readonly source: string; readonly digest?: string };
  readonly part: 'train' | 'test';
  /** At most 4096. */
  readonly indices: readonly number[];
  readonly angle: number;
}

export interface DrawnImages {
  readonly height: number;
  readonly width: number;
  /** Image by image, row by row, 0 … 255. */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

export interface PathRequest {
  readonly data: { readonly source: string; readonly digest?: string };
  readonly model: string;
  readonly share: number;
  readonly form: 'soft' | 'hard';
  readonly angles: readonly number[];
  /** First test images. */
  readonly images: number;
}

export interface PathAccuracy {
  readonly angles: readonly number[];
  /** % right, by angle. */
  readonly accuracy: Float64Array;
  /** How many there were of those asked for: what the accuracies are of. */
  readonly images: number;
}
