import { createHash } from 'node:crypto';
export type { PlannedPriority } from './extensions.ts';
export { extensionKey } from './extensionKey.ts';
import { readExtensions } from './extensions.ts';
import type { PlannedPriority } from './extensions.ts';
import { Findings } from './finding.ts';
import type { Finding } from './finding.ts';
import { type Need, Needs } from './needs.ts';
import { FolderReading, type Load } from './reading.ts';
import { Sections } from './sections.ts';
import type { DialplanWorld } from './world.ts';

/** A dialplan folder as Asterisk would read it. */
export type DialplanReading = {
  readonly findings: readonly Finding[];
  /** What Asterisk would register, as far as it reads. */
  readonly priorities: readonly PlannedPriority[];
  /** Every file that is read, each time that it is read, in order. */
  readonly loads: readonly Load[];
  /** The folder's files, and what they include, as far as they are read; in order. */
  readonly files: ReadonlySet<string>;
  /** Files that Asterisk does not come to, after a break. */
  readonly unread: ReadonlySet<string>;
  /** Which file leans on which. */
  readonly needs: readonly Need[];
  /** Where each section is defined first, by its name in lower case. */
  readonly sections: ReadonlyMap<string, string>;
  /** Something that can't be known was read: what a program printed, a file over the bound. */
  readonly hasUnknown: boolean;
  /** What the folder's own glob names was read from extensions.conf; otherwise what is outside is not known. */
  readonly isFromStart: boolean;
};

/** Whether Asterisk reads the file of this path, relative to the folder, without anybody including it by name. */
export function isDialplan(path: string): boolean {
  return !path.includes('/') && !path.startsWith('.');
}

/**
 * Reads a dialplan folder as Asterisk does, includes and all: in the order of names, as if all were one file. From
 * extensions.conf on where that is known and leads to the folder, otherwise the folder alone, with everything before
 * it unknown. Findings are about the folder's files and what they include.
 *
 * Follows Asterisk 16's configuration reader (main/config.c) and pbx_config; later ones differ in nothing here.
 */
export function readDialplan(world: DialplanWorld): DialplanReading {
  if (world.start !== undefined) {
    const reading = readFrom(world, world.start);
    if (reading.loads.some(({ path }) => isDialplan(path))) return reading;
  }
  return readFrom(world, undefined);
}

function readFrom(world: DialplanWorld, start: string | undefined): DialplanReading {
  const findings = new Findings();
  const needs = new Needs();
  const sections = new Sections(findings, needs, start === undefined);
  // Without extensions.conf, it counts as the first level all the same.
  const reading = new FolderReading(world, { findings, needs, sections }, start === undefined ? 1 : 0);
  reading.load(start ?? `${world.folder}/*`);
  const priorities = readExtensions(sections.all, findings, !sections.isOpaque);
  const list = needs.list();
  const ours = filesOfFolder([...reading.loads.map(({ path }) => path), ...reading.unread], list);
  const isOurs = ({ path }: { path: string }): boolean => ours.has(path);
  return {
    findings: findings.list().filter(isOurs),
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

/** The folder's files, and what they include. */
function filesOfFolder(paths: readonly string[], needs: readonly Need[]): Set<string> {
  const files = new Set(paths.filter((path) => !path.startsWith('/')));
  for (let grew = true; grew;) {
    const before = files.size;
    for (const { path, from, kind } of needs) if (kind === 'include' && files.has(path)) files.add(from);
    grew = files.size > before;
  }
  return files;
}

/** Equal exactly when Asterisk would read the same bytes in the same order. */
export function pictureOf({ loads }: DialplanReading): string {
  const hash = createHash('sha256');
  for (const { path, content } of loads) {
    const [bytes, size] = Buffer.isBuffer(content) ? [content, content.length] : [content.head, content.size];
    hash.update(`${path}\0${String(size)}\0`).update(bytes);
  }
  return hash.digest('hex');
}
