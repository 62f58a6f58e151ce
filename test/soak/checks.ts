import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { RESERVED_NAME } from '#core/path/names.ts';
import type { Status } from '../../controller/control/contract/contract.ts';
import { DIRECTORIES, type DirectoryName, type Host } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';
import { hashOfFile } from './hashOfFile.ts';
import { isLocal, isOverridePath } from './operation.ts';
import type { Users } from './users.ts';
import type { World } from './world.ts';

const NAMES = Object.keys(DIRECTORIES) as DirectoryName[];

/** What the directories of a host hold, without overrides. */
function linesOf(host: Host, directory: DirectoryName): string[] {
  return treeOf(host.at(directory), { skip: directory === 'sounds' ? ['recordings'] : [] });
}

/** How the directories differ from what they should be; nothing when all agree. */
export function differences(world: World, users: Users): string[] {
  return NAMES.flatMap((directory) => {
    const main = linesOf(world.main, directory);
    return world.mds.flatMap((mds) => differencesOf(mds, directory, main, users));
  });
}

function differencesOf(mds: Host, directory: DirectoryName, main: readonly string[], users: Users): string[] {
  const here = linesOf(mds, directory);
  const shown = (line: string): string => `${mds.name}: ${directory}: ${line}`;
  const missing = [...new Set(main).difference(new Set(here))].map((line) => shown(`lacks ${line}`));
  const more = [...new Set(here).difference(new Set(main))];
  if (directory === 'recordings') {
    const wrong = more.filter((line) => !holdsOverride(mds, nameIn(line), users));
    return [...missing, ...wrong.map((line) => shown(`has ${line}`))];
  }
  const names = new Set(main.map(nameIn));
  const wrong = more.filter(
    (line) => names.has(nameIn(line)) || !mayBeLocal(mds, directory, nameIn(line), users),
  );
  return [...missing, ...wrong.map((line) => shown(`has ${line}`))];
}

/** Main may have removed a folder that has to stay for what is never touched. */
function holdsOverride(mds: Host, folder: string, users: Users): boolean {
  const prefix = `${mds.name}:recordings/${folder}/`;
  return [...users.protected.keys()].some((key) => key.startsWith(prefix));
}

function nameIn(line: string): string {
  return line.replace(/\/? [^ ].*$/, '').replace(/\/$/, '');
}

/** On an MDS alone may be what its users put there. */
function mayBeLocal(mds: Host, directory: DirectoryName, name: string, users: Users): boolean {
  const key = `${mds.name}:${directory}/${name}`;
  if (isLocal(name) || isOverridePath(name)) return true;
  if (users.ownFolders.has(key)) return true;
  const file = mds.at(directory, name);
  const stat = lstatSync(file);
  if (stat.isSymbolicLink()) return true;
  // Main may have removed a folder that stays for what is this MDS's own in it.
  if (stat.isDirectory())
    return filesBelow(file, '', true).some((inner) => mayBeLocal(mds, directory, `${name}/${inner}`, users));
  if (!stat.isFile()) return false;
  return users.books.wasWrittenAt(key, hashOfFile(file));
}

/** Overrides and local files that are not as their users left them. */
export function disturbed(world: World, users: Users): string[] {
  const faults: string[] = [];
  for (const [key, { hash, mtimeMs }] of users.protected) {
    const name = key.slice(0, key.indexOf(':'));
    const rest = key.slice(name.length + 1);
    const directory = rest.slice(0, rest.indexOf('/')) as DirectoryName;
    const file = world.host(name).at(directory, rest.slice(directory.length + 1));
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) faults.push(`${key} is gone`);
    else if (stat.mtimeMs !== mtimeMs) faults.push(`${key} has another mtime`);
    else if (hashOfFile(file) !== hash) faults.push(`${key} has another content`);
  }
  for (const host of world.hosts.values()) {
    for (const directory of NAMES) {
      for (const file of filesBelow(host.at(directory), '')) {
        const key = `${host.name}:${directory}/${file}`;
        if (file.includes('xds_override') && !users.protected.has(key))
          faults.push(`${key} came from somewhere else`);
      }
    }
  }
  return faults;
}

/** Where each content is, live or in a trash; and what lies in a staging area although nothing is under way. */
export function contentsFound(world: World): { found: Map<string, Set<string>>; staged: string[] } {
  const found = new Map<string, Set<string>>();
  const staged: string[] = [];
  const note = (hash: string, key: string): void => {
    const keys = found.get(hash);
    if (keys) keys.add(key);
    else found.set(hash, new Set([key]));
  };
  for (const host of world.hosts.values()) {
    for (const directory of NAMES) {
      const root = host.at(directory);
      for (const file of filesBelow(root, '')) {
        note(hashOfFile(path.join(root, file)), `${host.name}:${directory}/${file}`);
      }
      for (const file of filesBelow(path.join(root, RESERVED_NAME), '')) {
        const key = `${host.name}:${directory}:${file}`;
        if (file.startsWith('stage/')) staged.push(key);
        // An older version that is being copied, beside the rest: what it is a copy of counts.
        if (file.startsWith('versions/') && file.endsWith('.new')) continue;
        note(hashOfFile(path.join(root, RESERVED_NAME, file)), key);
      }
    }
  }
  return { found, staged };
}

/** How status differs from what is on disk. */
export function statusFaults(world: World, status: Status): string[] {
  const faults: string[] = [];
  for (const { name, files, bytes, digest, held } of status.main.directories) {
    const directory = name as DirectoryName;
    const here = filesBelow(world.main.at(directory), '').filter((file) => !file.includes('xds_override'));
    const size = here.reduce((sum, file) => sum + lstatSync(world.main.at(directory, file)).size, 0);
    if (held !== null) faults.push(`main: ${name} is held: ${held}`);
    if (files !== here.length || bytes !== size)
      faults.push(`main: ${name}: status says ${files} files, ${bytes} bytes; disk ${here.length}, ${size}`);
    for (const mds of status.mds) {
      const there = mds.directories.find((each) => each.name === name);
      if (there === undefined) {
        faults.push(`${mds.name}: status says nothing of ${name}`);
        continue;
      }
      if (there.digest !== digest || there.files !== files || there.bytes !== bytes)
        faults.push(`${mds.name}: ${name}: status differs from Main's although trees are equal`);
      const local =
        filesBelow(world.host(mds.name).at(directory), '', true).filter(
          (file) => !file.includes('xds_override'),
        ).length -
        filesBelow(world.main.at(directory), '', true).filter((f) => !f.includes('xds_override')).length;
      if (there.localOnly !== local)
        faults.push(`${mds.name}: ${name}: status says ${there.localOnly} local files, disk ${local}`);
    }
  }
  return faults;
}

function filesBelow(root: string, folder: string, withLinks = false): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const inner = path.join(folder, entry.name);
    if (inner === RESERVED_NAME || (inner === 'recordings' && root.endsWith('/sounds'))) continue;
    if (entry.isDirectory()) files.push(...filesBelow(root, inner, withLinks));
    else if (entry.isFile() || (withLinks && entry.isSymbolicLink())) files.push(inner);
  }
  return files;
}
