import { formatBytes } from '#core/text/size.ts';
import type { HistoryEntry } from '../../control/past.ts';
import { localTime } from '../../time/localTime.ts';
import { print } from './terminal.ts';

/** Prints entries, one change set after the other. @param most paths of each that are listed; further ones are counted */
export function printSets(entries: readonly HistoryEntry[], most: number, program: string): void {
  for (const set of bySet(entries)) printSet(set, most, program);
}

/** The entries of the newest change sets. @param entries newest first */
export function newestSets(entries: readonly HistoryEntry[], most: number): HistoryEntry[] {
  return bySet(entries).slice(0, most).flat();
}

/** Groups the entries of one change set at the position of the first one. */
function bySet(entries: readonly HistoryEntry[]): HistoryEntry[][] {
  const sets = new Map<string, HistoryEntry[]>();
  for (const entry of entries) {
    const id = idOf(entry);
    const key = id === '' ? `entry ${entry.number}` : `${entry.directory}/${id}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [entry]);
    else set.push(entry);
  }
  return [...sets.values()];
}

function printSet(entries: readonly HistoryEntry[], most: number, program: string): void {
  const [first] = entries;
  if (first === undefined) return;
  const who = first.actor === null ? '' : `  ${first.actor}`;
  const what = first.directory === '' ? first.kind : first.directory;
  print(`${localTime(first.at)}  ${what}${who}${idOf(first) === '' ? '' : `  (${idOf(first)})`}`);
  const hosts = new Map<string, HistoryEntry[]>();
  for (const entry of entries) hosts.set(entry.mds, [...(hosts.get(entry.mds) ?? []), entry]);
  for (const [host, here] of hosts) {
    // All of them took the time of the set together.
    for (const [number, entry] of here.slice(0, most).entries())
      print(`  ${host}  ${entry.kind}  ${entry.detail}${figuresOf(entry, number === 0)}`);
    if (here.length > most)
      print(`  ${host}  and ${here.length - most} more: ${program} history --changeset ${idOf(first)}`);
  }
}

/** What one save led to on several hosts is one entry. */
function idOf({ save, changeSet }: HistoryEntry): string {
  return save ?? changeSet;
}

function figuresOf({ bytes, durationMs }: HistoryEntry, withTime: boolean): string {
  const parts = [
    ...(bytes === null || bytes === 0 ? [] : [formatBytes(bytes)]),
    ...(durationMs === null || !withTime ? [] : [`${durationMs} ms`]),
  ];
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`;
}
