import { structuredPatch } from 'diff';
import type { NumberedRow } from '#sync/state/history.ts';
import type { Versions } from '../versions/versions.ts';
import type { ChangeSetDetails, DiffLine } from './overview.ts';
import { isFile, pathOf } from './saves.ts';

/** Files of a change set whose difference is shown. */
const MOST_FILES = 20;
/** Lines of one difference. */
const MOST_LINES = 400;
/** A text of more bytes is not compared. */
const MOST_BYTES = 256 * 1024;
/** Lines around a difference. */
const CONTEXT = 3;

/**
 * The text differences of a change set, file by file, if the older versions are kept.
 * @param rows the rows of the change set in the history
 */
export function diffsOf(
  versions: Versions,
  directory: string,
  changeSet: string,
  rows: readonly NumberedRow[],
): ChangeSetDetails['diffs'] {
  const from = versions.isCompact(directory)
    ? versions.appliedRevisions.numberOf(directory, changeSet)
    : undefined;
  if (from === undefined) return [];
  return [...new Set(rows.filter(isFile).map(pathOf))].slice(0, MOST_FILES).flatMap((path) => {
    const number = versions.log.firstAfter(directory, path, from - 1);
    const revision = number === undefined ? undefined : versions.log.get(number);
    if (revision === undefined) return [];
    const before = textOf(versions, revision.before);
    const after = textOf(versions, revision.after);
    if (before === undefined || after === undefined || before === after) return [];
    return [{ path: `${directory}/${path}`, lines: diffLines(before, after) }];
  });
}

function diffLines(before: string, after: string): DiffLine[] {
  const { hunks } = structuredPatch('before', 'after', before, after, '', '', { context: CONTEXT });
  return hunks
    .flatMap(({ lines }) => lines)
    .slice(0, MOST_LINES)
    .map((line) => ({ sign: signOf(line), text: line.slice(1) }));
}

function signOf(line: string): DiffLine['sign'] {
  if (line.startsWith('+')) return '+';
  return line.startsWith('-') ? '-' : ' ';
}

/** @returns '' for no file; undefined when the content is not text, too long, or no longer kept */
function textOf(
  versions: Versions,
  entry: { readonly type: string; readonly hash?: string } | null,
): string | undefined {
  if (entry?.type !== 'file' || entry.hash === undefined) return entry === null ? '' : undefined;
  const content = versions.contents.get(entry.hash);
  if (content === undefined || content.length > MOST_BYTES || content.includes(0)) return undefined;
  return content.toString('utf8');
}
