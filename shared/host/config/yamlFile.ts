import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { isAlias, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import { codeOf } from '../fs/errno.ts';
import { ConfigError, type ConfigProblem } from './configError.ts';
import { type KeyPath, keyPathText, lineOfKey } from './keyLines.ts';
import { type Merged, mergeSources } from './mergeSources.ts';

/** Far above any real configuration; a larger file is a mistake or an attack. */
const MAX_CONFIG_BYTES = 1024 * 1024;

export type LoadedConfig<T> = {
  readonly config: T;
  /** False when there is no such file, so that the configuration consists of defaults. */
  readonly found: boolean;
  /** Every file that was read, in order of precedence, lowest first. */
  readonly files: readonly string[];
  /** Where the value of a key was written, for a problem with it that the schema does not know of. */
  readonly placeOf: PlaceOf;
};

type PlaceOf = (path: KeyPath) => Omit<ConfigProblem, 'message'>;

/** Lists whose entries are merged by name across files. */
const NAMED = new Set(['directories']);

type ReadFile = {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly value: unknown;
};

/**
 * Reads a configuration and checks it: the file, and over it the `*.yml` of the folder beside it (`NAME.d` beside
 * `NAME.yml`), in the order of their names. Missing files give the schema's defaults.
 * @throws ConfigError naming file, line and key
 */
export function loadYamlFile<S extends z.ZodType>(file: string, schema: S): LoadedConfig<z.output<S>> {
  const text = readText(file);
  const read = [readYaml(file, text ?? '')];
  for (const each of dropIns(file)) read.push(readYaml(each, readText(each) ?? ''));
  const { config, placeOf } = check(read, schema);
  return { config, found: text !== undefined, files: read.map(({ file }) => file), placeOf };
}

/**
 * Checks the text of a configuration file; an empty one gives the schema's defaults.
 * @param file only named in errors
 * @throws ConfigError naming file, line and key
 */
export function parseYamlConfig<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
  return check([readYaml(file, text)], schema).config;
}

/** The `.d` folder of a configuration file; undefined for a file that is not called `*.yml`. */
export function dropInFolder(file: string): string | undefined {
  return /\.ya?ml$/.test(file) ? file.replace(/\.ya?ml$/, '.d') : undefined;
}

/** Files of that folder in order of precedence, without hidden ones such as an editor's. */
export function dropIns(file: string): string[] {
  const folder = dropInFolder(file);
  if (folder === undefined) return [];
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw cannotRead(folder, error);
  }
  return names
    .filter((name) => name.endsWith('.yml') && !name.startsWith('.'))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

function readYaml(file: string, text: string): ReadFile {
  const lines = new LineCounter();
  const document = parse(file, text, lines);
  refuse(file, [...syntaxProblems(document, text), ...aliasProblems(document, lines)]);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  return { file, document, lines, value };
}

function check<S extends z.ZodType>(
  read: readonly ReadFile[],
  schema: S,
): { config: z.output<S>; placeOf: PlaceOf } {
  const { value, originOf } = mergeSources(read, NAMED);
  const result = schema.safeParse(value, { ...interpreted(), reportInput: true });
  if (result.success) return { config: result.data, placeOf: (path) => placeIn(read, originOf, path) };
  const problems = result.error.issues.flatMap((issue) => fromIssue(issue, read, originOf));
  throw new ConfigError(
    read[0]?.file ?? '',
    problems.sort((a, b) => a.order - b.order || (a.line ?? 0) - (b.line ?? 0)),
  );
}

function parse(file: string, text: string, lines: LineCounter): Document {
  try {
    return parseDocument(text, { lineCounter: lines, prettyErrors: true, version: '1.2', stringKeys: true });
  } catch (error) {
    // The parser recurses once per level of nesting.
    if (error instanceof RangeError) throw new ConfigError(file, [{ message: 'nested too deeply' }]);
    throw error;
  }
}

function refuse(file: string, problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) throw new ConfigError(file, problems);
}

/** A warning (an unknown tag) changes what a value means, so it counts as an error too. */
function syntaxProblems(document: Document, text: string): ConfigProblem[] {
  return [...document.errors, ...document.warnings].map((error) => {
    const line = error.linePos?.[0].line;
    const source = text.split('\n')[(line ?? 0) - 1] ?? '';
    const hint = /:\s+\[[0-9a-f:]*:[0-9a-f:]*\]/i.test(source)
      ? ' (an IPv6 address in brackets needs quotes: "[::]:9443")'
      : '';
    // The rest of the parser's message is a drawing of the line.
    const message = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
    return { line, message: `not valid YAML: ${message}${hint}` };
  });
}

/** Aliases are refused altogether: they have no use here, and a few lines of them expand to gigabytes. */
function aliasProblems(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, (_, node) => {
    if (!isAlias(node)) return;
    const line = node.range ? lines.linePos(node.range[0]).line : undefined;
    problems.push({
      line,
      message: `"*${node.source}": aliases are not allowed here, write the value itself`,
    });
  });
  return problems;
}

function fromIssue(
  issue: z.core.$ZodIssue,
  read: readonly ReadFile[],
  originOf: Merged['originOf'],
): (ConfigProblem & { order: number })[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
  return paths.map((at) => ({ ...placeIn(read, originOf, at), message: issue.message }));
}

/** Where a value of the merged configuration is; `order` is that of the files. */
function placeIn(
  read: readonly ReadFile[],
  originOf: Merged['originOf'],
  merged: KeyPath,
): Omit<ConfigProblem, 'message'> & { order: number } {
  const { source, path } = originOf(merged);
  const from = read[source];
  return {
    order: source,
    file: from?.file,
    line: from && lineOfKey(from.document, from.lines, path),
    key: path.length === 0 ? undefined : keyPathText(path),
  };
}

function readText(file: string): string | undefined {
  let bytes: Buffer | undefined;
  try {
    bytes = readBytes(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
  if (bytes === undefined) return undefined;
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new ConfigError(file, [{ message: 'larger than 1 MiB; this is not a configuration file' }]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigError(file, [{ message: 'not valid UTF-8; save it as UTF-8' }], { cause: error });
  }
}

function readBytes(file: string): Buffer | undefined {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a fifo waits for a writer.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    if (!fstatSync(fd).isFile()) throw new ConfigError(file, [{ message: 'not a regular file' }]);
    const buffer = Buffer.alloc(MAX_CONFIG_BYTES + 1);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function cannotRead(file: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  return new ConfigError(file, [{ message: `can't be read: ${codeOf(error) ?? String(error)}` }], {
    cause: error,
  });
}
