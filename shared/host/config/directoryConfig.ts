import { MAX_SETTLE_MS } from '#protocol/limits.ts';
import * as z from 'zod';
import { defaultExcludes, MAX_PATTERNS, refusePattern } from '#core/path/excludes.ts';
import {
  absolutePath,
  bytes,
  directoryName,
  duration,
  list,
  oneOf,
  parsed,
  section,
  shown,
} from './fields.ts';

export type DirectoryConfig = {
  readonly name: string;
  /** Absolute and normalised, without the --root prefix. */
  readonly path: string;
  readonly direction: 'to-mds' | 'both';
  /** Which side's removals travel in a two-way directory; in a one-way directory `never` keeps files that Main removed. */
  readonly deletions: 'main' | 'both' | 'never';
  /** What Asterisk reloads after a change set in this directory. */
  readonly reload: 'dialplan' | 'moh' | 'none';
  /** Reload after every full pass, changed or not, as the old rsync job did. */
  readonly reloadAlways: boolean;
  readonly lint: 'block' | 'warn' | 'off';
  /** Excluded names, as patterns of a .gitignore file, the defaults first. */
  readonly exclude: readonly string[];
  /** How long a file must be still before it is read, in milliseconds. */
  readonly settleMs: number;
  /** Two-way only: size of the directory from which on MDS may add nothing, bytes. */
  readonly maxBytes?: number;
};

/** Most configured patterns: an agent's limit minus the defaults. */
const MAX_DEFAULTS = 32;

type Written = z.output<typeof entry>;
type WithPath = Written & { readonly path: string };

const entry = section({
  name: directoryName(),
  enabled: parsed(yesOrNo).optional(),
  path: absolutePath().optional(),
  direction: oneOf('to-mds', 'both').optional(),
  deletions: oneOf('main', 'both', 'never').optional(),
  reload: oneOf('dialplan', 'moh', 'none', 'always').optional(),
  lint: oneOf('block', 'warn', 'off').optional(),
  exclude: list(excludePattern())
    .max(MAX_PATTERNS - MAX_DEFAULTS)
    .optional(),
  settle: duration(0, MAX_SETTLE_MS).optional(),
  maxBytes: bytes(1).optional(),
});

/** The four directories of a XiVO. */
export const DEFAULT_DIRECTORIES: readonly WithPath[] = [
  {
    name: 'dialplan',
    path: '/etc/asterisk/extensions_extra.d',
    direction: 'to-mds',
    reload: 'dialplan',
    lint: 'block',
  },
  { name: 'moh', path: '/var/lib/xivo/moh', direction: 'to-mds', reload: 'moh' },
  { name: 'sounds', path: '/var/lib/xivo/sounds', direction: 'to-mds', reload: 'none' },
  {
    name: 'recordings',
    path: '/var/lib/xivo/sounds/recordings',
    direction: 'both',
    reload: 'none',
    settle: 2000,
  },
];

/**
 * Completes the configured directories: the four of a XiVO, each changed by the entry of its name, then the others.
 * `enabled: false` removes one.
 */
export const directoryEntries = list(entry)
  .superRefine((entries, context) => {
    if (entries.length === 0)
      context.addIssue({
        code: 'custom',
        message:
          'an empty list; leave the key out for the four directories of a XiVO, and write "enabled: false" in the entry of one that is not to be synchronised',
      });
    entries.forEach((written, i) => {
      for (const [key, message] of entryProblems(written)) {
        context.addIssue({ code: 'custom', path: key === '' ? [i] : [i, key], message });
      }
    });
    for (const [i, key, message] of repeatProblems(entries)) {
      context.addIssue({ code: 'custom', path: [i, key], message });
    }
    if (entries.length > 0 && together(entries).length === 0)
      context.addIssue({ code: 'custom', message: 'nothing is left to be synchronised' });
  })
  .transform(together);

function together(entries: readonly Written[]): Written[] {
  const ours = DEFAULT_DIRECTORIES.map(
    ({ name }) => entries.find((written) => written.name === name) ?? { name },
  );
  const others = entries.filter(({ name }) => defaultDirectory(name) === undefined);
  return [...ours, ...others].filter(({ enabled }) => enabled !== false).map(inherit);
}

/** The effective settings of a directory: its own entry over the file's general keys. */
export function completeDirectory(
  written: Written,
  general: { readonly settleMs: number; readonly reloadAlways: boolean },
): DirectoryConfig {
  const { name, path, direction, deletions, reload, lint, exclude, settle, maxBytes } = written;
  const kind = reload === 'always' ? reloadKind(name) : (reload ?? 'none');
  return {
    name,
    path: path ?? '',
    direction: direction ?? 'to-mds',
    deletions: deletions ?? 'main',
    reload: kind,
    reloadAlways: kind !== 'none' && (reload === 'always' || general.reloadAlways),
    lint: lint ?? (kind === 'dialplan' ? 'block' : 'off'),
    exclude: [...defaultExcludes(kind), ...(exclude ?? [])],
    settleMs: settle ?? general.settleMs,
    ...(maxBytes !== undefined && { maxBytes }),
  };
}

function inherit(written: Written): Written {
  return { ...defaultDirectory(written.name), ...written };
}

function entryProblems(written: Written): [key: string, message: string][] {
  const { name, path, direction, deletions, reload, maxBytes } = inherit(written);
  const problems: [string, string][] = [];
  if (path === undefined) problems.push(['', `"${name}" needs a path`]);
  if (direction !== 'both' && deletions === 'both') {
    problems.push(['deletions', '"both" is only possible with direction: both']);
  }
  if (direction !== 'both' && maxBytes !== undefined) {
    problems.push([
      'maxBytes',
      'only possible with direction: both; an MDS puts nothing into this directory',
    ]);
  }
  if (reload === 'always' && reloadKind(name) === 'none') {
    const message = `"always" does not say what to reload in "${name}"; write dialplan or moh here and "reload: always" at the top of the file`;
    problems.push(['reload', message]);
  }
  return problems;
}

function repeatProblems(entries: readonly Written[]): [index: number, key: string, message: string][] {
  const problems: [number, string, string][] = [];
  const names = new Map<string, number>();
  const paths = new Map<string, string>();
  for (const { name, path } of together(entries)) {
    if (path !== undefined && !entries.some((written) => written.name === name)) paths.set(path, `"${name}"`);
  }
  entries.forEach((written, i) => {
    const first = names.get(written.name);
    if (first === undefined) names.set(written.name, i);
    else problems.push([i, 'name', `"${written.name}" is already used by directories[${first}]`]);
    const { path, enabled } = inherit(written);
    if (path === undefined || enabled === false) return;
    const by = paths.get(path);
    if (by === undefined) paths.set(path, `directories[${i}]`);
    else problems.push([i, 'path', `"${path}" is already used by ${by}`]);
  });
  return problems;
}

function excludePattern(): z.ZodType<string> {
  return parsed((value) => {
    if (typeof value !== 'string') throw new RangeError(`${shown(value)} is not a pattern; put it in quotes`);
    const refusal = refusePattern(value);
    if (refusal === undefined) return value;
    throw new RangeError(`"${value}": ${refusal}`);
  });
}

function yesOrNo(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new RangeError(`${shown(value)} is neither true nor false`);
}

function reloadKind(name: string): 'dialplan' | 'moh' | 'none' {
  const reload = defaultDirectory(name)?.reload;
  return reload === 'dialplan' || reload === 'moh' ? reload : 'none';
}

/** The directory of a XiVO that has this name, with its usual path. */
export function defaultDirectory(name: string): WithPath | undefined {
  return DEFAULT_DIRECTORIES.find((directory) => directory.name === name);
}
