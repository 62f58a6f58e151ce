import { createHash } from 'node:crypto';
export type { PlannedPriority } from './registered.ts';
export { extensionKey } from './extensionKey.ts';
import { readExtensions } from './extensions.ts';
import type { PlannedPriority } from './registered.ts';
import { Findings } from './finding.ts';
import type { Finding } from './finding.ts';
import { type Need, Needs } from './needs.ts';
import { FolderReading, type Load } from './reading.ts';
import { Sections } from './sections/sections.ts';
import type { Steps } from '../steps.ts';
import type { DialplanWorld } from './world.ts';

/** A dialplan folder as Asterisk would read it. */
export type DialplanReading = {
  readonly findings: readonly Finding[];
  /** Breaks in files around the folder, such as a template that extensions.conf uses and the folder defines no more. */
  readonly outside: readonly Finding[];
  /** The priorities that Asterisk would register. */
  readonly priorities: readonly PlannedPriority[];
  /** Every reading of a file, in order. */
  readonly loads: readonly Load[];
  /** The files that are read from the folder and through its includes, in order. */
  readonly files: ReadonlySet<string>;
  /** Files that Asterisk does not reach after a break. */
  readonly unread: ReadonlySet<string>;
  /** Which file depends on which. */
  readonly needs: readonly Need[];
  /** Where each section is defined first, by its name in lower case. */
  readonly sections: ReadonlyMap<string, string>;
  /** True when unknown content was included: a program's output, or a file over the size limit. */
  readonly hasUnknown: boolean;
  /** True when the folder was reached from extensions.conf; otherwise files outside are not known. */
  readonly isFromStart: boolean;
};

/** Whether Asterisk reads the file at this path in the folder without an include that names it. */
export function isDialplan(path: string): boolean {
  return !path.includes('/') && !path.startsWith('.');
}

/**
 * Reads a dialplan folder as Asterisk does, following includes, in the order of names, as if all were one file. It starts
 * at extensions.conf if that is known and includes the folder, otherwise at the folder, with everything before it unknown.
 * Findings are about the folder's files and the files that they include.
 *
 * Source: Asterisk 16's configuration reader (main/config.c) and pbx_config; later versions behave the same here.
 */
export function* dialplanSteps(world: DialplanWorld): Steps<DialplanReading> {
  if (world.start !== undefined) {
    const reading = yield* readFrom(world, world.start);
    if (reading.loads.some(({ path }) => isDialplan(path))) return reading;
  }
  return yield* readFrom(world, undefined);
}

function* readFrom(world: DialplanWorld, start: string | undefined): Steps<DialplanReading> {
  const findings = new Findings();
  const needs = new Needs();
  const sections = new Sections(findings, needs, start === undefined);
  // extensions.conf counts as the first level even when it is not known.
  const reading = new FolderReading(world, { findings, needs, sections }, start === undefined ? 1 : 0);
  yield* reading.load(start ?? `${world.folder}/*`);
  const priorities = yield* readExtensions(sections.all, findings, !sections.isOpaque);
  const list = needs.list();
  const ours = filesOfFolder([...reading.loads.map(({ path }) => path), ...reading.unread], list);
  const isOurs = ({ path }: { path: string }): boolean => ours.has(path);
  const found = findings.list();
  return {
    findings: found.filter(isOurs),
    outside: found.filter((each) => each.losesRest && each.severity === 'error' && !isOurs(each)),
    priorities: priorities.filter(({ unread, place }) => !unread && isOurs(place)),
    loads: reading.loads,
    files: new Set(reading.loads.filter(isOurs).map(({ path }) => path)),
    unread: reading.unread,
    needs: list,
    sections: sections.places(),
    hasUnknown: sections.hasUnknown,
    isFromStart: start !== undefined,
  };
}

/** The folder's files and the files that they include. */
function filesOfFolder(paths: readonly string[], needs: readonly Need[]): Set<string> {
  const files = new Set(paths.filter((path) => !path.startsWith('/')));
  for (let grew = true; grew;) {
    const before = files.size;
    for (const { path, from, kind } of needs) if (kind === 'include' && files.has(path)) files.add(from);
    grew = files.size > before;
  }
  return files;
}

/** A hash that is equal exactly when Asterisk would read the same bytes in the same order. */
export function pictureOf(reading: DialplanReading): string {
  const known = pictures.get(reading);
  if (known !== undefined) return known;
  const picture = hashOf(reading);
  pictures.set(reading, picture);
  return picture;
}

const pictures = new WeakMap<DialplanReading, string>();

function hashOf({ loads }: DialplanReading): string {
  const hash = createHash('sha256');
  for (const { path, content } of loads) {
    const [bytes, size] = Buffer.isBuffer(content) ? [content, content.length] : [content.head, content.size];
    hash.update(`${path}\0${String(size)}\0`).update(bytes);
  }
  return hash.digest('hex');
}
