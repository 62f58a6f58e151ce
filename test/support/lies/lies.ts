import type * as z from 'zod';

/** What the wire's schemas are made of, as zod 4 describes it. */
type Definition = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly items?: readonly z.ZodType[];
};

/** Texts of which one keeps to any rule that a schema has for texts. */
const TEXTS = ['moh', 'a'.repeat(64), '17', 'a'.repeat(32), '1.0', 'AAAA', '2026-01-01T00:00:00.000Z'];
const NUMBERS = [1, 0, 4096];

/** One thing that a peer may say wrongly: which field, how, and the message. */
export type Lie = { readonly field: string; readonly way: string; readonly message: unknown };

const LONG = 'x'.repeat(100_000);
const WAYS: Readonly<Record<string, unknown>> = {
  null: null,
  huge: 1e300,
  'minus huge': -1e300,
  negative: -1,
  fraction: 0.5,
  'NaN in words': 'NaN',
  'another type: object': { nonsense: true },
  'another type: list': [[]],
  'another type: boolean': true,
  empty: '',
  'too long': LONG,
  'control characters': '\u001b[2J\u0007\r\nforged: line\u0000',
  "another MDS's name": 'mds2',
  'out of its folder': '../../etc/passwd',
  'a number in words': '9'.repeat(400),
  'too many': Array.from({ length: 5_000 }, () => null),
};
const MISSING = 'missing';

function definitionOf(schema: z.ZodType): Definition {
  return schema.def;
}

/** Every variant of a message, each in a form that the schema takes. */
export function samplesOf(schema: z.ZodType): unknown[] {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case 'union':
      return (definition.options ?? []).flatMap(samplesOf);
    case 'object': {
      let samples: Record<string, unknown>[] = [{}];
      for (const [key, field] of Object.entries(definition.shape ?? {})) {
        const [first, ...others] = samplesOf(field);
        const fuller = samples.map((sample) => ({ ...sample, [key]: first }));
        const [whole] = fuller;
        samples = [...fuller, ...others.map((other) => ({ ...whole, [key]: other }))];
      }
      return samples;
    }
    case 'array':
      return [samplesOf(definition.element ?? schema)];
    case 'tuple':
      return [(definition.items ?? []).map((item) => samplesOf(item)[0])];
    case 'literal':
      return [...(definition.values ?? [])];
    case 'enum':
      return [Object.values(definition.entries ?? {})[0]];
    case 'boolean':
      return [true];
    case 'string':
      return [TEXTS.find((text) => schema.safeParse(text).success)];
    case 'number':
      return [NUMBERS.find((number) => schema.safeParse(number).success)];
    case 'optional':
    case 'nullable':
    case 'catch':
    case 'default':
      return samplesOf(definition.innerType ?? schema);
    case 'pipe':
      return samplesOf(definition.in ?? schema);
    default:
      return [null];
  }
}

/** Each field of a message wrong in each way, and no other. */
export function* liesIn(message: unknown): Generator<Lie, undefined> {
  for (const field of fieldsOf(message, [])) {
    if (field.length === 0) continue;
    for (const [way, value] of Object.entries(WAYS))
      yield { field: field.join('.'), way, message: changed(message, field, () => value) };
    yield { field: field.join('.'), way: MISSING, message: changed(message, field, () => undefined) };
  }
}

function* fieldsOf(value: unknown, at: readonly string[]): Generator<readonly string[], undefined> {
  // What a message is called is what it is.
  if (at.length === 1 && at[0] === 'type') return;
  yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* fieldsOf(inner, [...at, key]);
}

function changed(value: unknown, field: readonly string[], change: () => unknown): unknown {
  const [key, ...rest] = field;
  if (key === undefined) return change();
  if (Array.isArray(value))
    return value.map((each: unknown, i) => (String(i) === key ? changed(each, rest, change) : each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]): [string, unknown] => [
      name,
      name === key ? changed(inner, rest, change) : inner,
    ]),
  );
}
