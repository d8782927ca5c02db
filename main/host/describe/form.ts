/** Inputs of a form from the schema that validates them: what can be said of a field is read off the schema, what people call it is words.ts's. */
import { z } from 'zod';
import type { FormField } from '../hostApi.ts';
import { fieldsOf, isBoolean, isList, kindsOfValue, type Described, type Field } from './fields.ts';
import { labelOf, sectionOf } from './words.ts';

export interface FormSettings {
  /** Fields that are given by other means than the form. */
  readonly omit?: readonly string[];
  /** What is taken where nothing is given, by path; the schema's own unless said. */
  readonly fallbacks?: Readonly<Record<string, unknown>>;
  /** Choices where the schema lists none. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  /** Fields that mean something only where another field has one of some values. */
  readonly when?: Readonly<Record<string, NonNullable<FormField['when']>>>;
  /** Of all fields; by their paths unless given. */
  readonly section?: string;
}

export function formOf(schema: z.ZodType, settings: FormSettings = {}): FormField[] {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Described;
  return fieldsOf(described, settings.omit).map((field) => formField(field, settings));
}

function formField(field: Field, { fallbacks = {}, choices = {}, when = {}, section }: FormSettings): FormField {
  const path = field.path.join('.');
  const { schema } = field;
  const ofNumber = isList(schema) ? (schema.items ?? {}) : schema;
  const [least, most] = [ofNumber.minimum ?? ofNumber.exclusiveMinimum, ofNumber.maximum ?? ofNumber.exclusiveMaximum];
  const fallback = Object.hasOwn(fallbacks, path) ? fallbacks[path] : schema.default;
  const condition = when[path] ?? conditionOf(field);
  return {
    path,
    label: labelOf(path),
    kind: kindOf(field),
    help: schema.description ?? '',
    ...(schema.unit !== undefined && { unit: schema.unit }),
    ...(least !== undefined && { least }),
    ...(most !== undefined && { most }),
    choices: choices[path] ?? field.choices,
    ...(fallback !== undefined && { fallback }),
    ...(schema.range && { range: true }),
    ...(condition && { when: condition }),
    section: section ?? sectionOf(path),
  };
}

function kindOf({ schema, choices }: Field): FormField['kind'] {
  if (isList(schema)) return choices.length > 0 ? 'choices' : 'list';
  if (isBoolean(schema)) return 'flag';
  if (choices.length > 0) return 'choice';
  const kinds = kindsOfValue(schema);
  return kinds.includes('integer') ? 'integer' : kinds.includes('number') ? 'number' : 'text';
}

/** A field of some alternatives of a union: where the one that says which has their names. */
function conditionOf({ path, kinds }: Field): FormField['when'] | undefined {
  return kinds && { path: [...path.slice(0, -1), 'kind'].join('.'), values: kinds };
}
