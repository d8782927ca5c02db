/** What training and analysing take, as the host describes it: the forms of the window are made of it. */
import type { Arm } from '../../engine/tasks/pairs.ts';

export interface Description {
  readonly training: readonly FormField[];
  readonly adapters: readonly AdapterChoice[];
  readonly analyses: readonly AnalysisChoice[];
  readonly protocols: readonly { readonly id: string; readonly title: string; readonly fields: readonly FormField[] }[];
  /** Work on language models. */
  readonly routing: RoutingDescription;
  /** Data there is without naming a file. */
  readonly data: readonly { readonly source: string; readonly title: string }[];
  /** What a person would start from: values by the paths of the form's fields, and `adapters`, `modeAngles` and `seeds` to train. */
  readonly presets: readonly { readonly name: string; readonly help: string; readonly values: Readonly<Record<string, unknown>> }[];
}

export interface RoutingDescription {
  readonly analyses: readonly {
    readonly id: string;
    readonly title: string;
    /** Arms the pairs must have. */
    readonly arms: readonly Arm[];
    readonly others: { readonly least: number; readonly most: number };
    readonly fields: readonly FormField[];
  }[];
  readonly protocols: readonly { readonly id: string; readonly title: string; readonly fields: readonly FormField[] }[];
}

/** One input of a form, from the schema that validates it. */
export interface FormField {
  /** `optimiser.learningRate` */
  readonly path: string;
  readonly label: string;
  readonly kind: 'integer' | 'number' | 'text' | 'choice' | 'flag' | 'list' | 'choices';
  readonly help: string;
  readonly unit?: string;
  readonly least?: number;
  readonly most?: number;
  readonly choices: readonly string[];
  readonly fallback?: unknown;
  /** A list of integers in which `0-4` stands for all between. */
  readonly range?: boolean;
  /** Only where another field has one of these values: `optimiser.kind` is `adam`. */
  readonly when?: { readonly path: string; readonly values: readonly string[] };
  /** The section of the form: `Foundation`, `Gate`, `Run`, `More`. */
  readonly section: string;
}

export interface AdapterChoice {
  readonly id: string;
  readonly title: string;
  readonly help: string;
  readonly gated: boolean;
  readonly learningRate: number;
  /** `lora-r<n>`: takes a number. */
  readonly open: boolean;
}

export interface AnalysisChoice {
  readonly id: string;
  readonly title: string;
  readonly models: { readonly least: number; readonly most?: number; readonly adapter: 'gated' | 'any' | 'optional' };
  readonly fields: readonly FormField[];
}
