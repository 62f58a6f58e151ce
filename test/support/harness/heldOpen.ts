import { lstatSync } from 'node:fs';
import { DIRECTORIES, type Host } from './host.ts';
import { openPaths } from './resources.ts';

/** Open descriptors may be so many more than at first: a connection that is just coming, a person's command. */
const MORE_DESCRIPTORS = 4;

/**
 * What daemons hold open although nothing is under way: files of the synchronised directories, and more descriptors
 * than at first.
 * @param first how many descriptors each had when it was first quiet; a host that is not in it yet is noted there
 */
export function heldOpen(hosts: Iterable<Host>, first: Map<string, number>): string[] {
  return [...hosts].flatMap((host) => {
    if (host.pid === undefined || !host.isRunning) return [];
    const open = openPaths(host.pid);
    const limit = (first.get(host.name) ?? open.length) + MORE_DESCRIPTORS;
    if (!first.has(host.name)) first.set(host.name, open.length);
    const folders = Object.values(DIRECTORIES).map((folder) => `${host.root}${folder}/`);
    const inside = open.filter(
      (file) => folders.some((folder) => file.startsWith(folder)) && !isFolder(file),
    );
    return [
      ...inside.map((file) => `${host.name} holds ${file} open`),
      ...(open.length > limit
        ? [
            `${host.name} has ${open.length} descriptors, more than the ${first.get(host.name)} at first: ${open.join(' ')}`,
          ]
        : []),
    ];
  });
}

function isFolder(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
