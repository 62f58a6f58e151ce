import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makeNamesDurable } from '#host/fs/durableFile.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { loadIdentity, saveIdentity } from '#host/identity/identityFiles.ts';

/** Announced to the agents, and not in use yet. */
const NEXT = 'next';
/** The switch has started: a start that finds this folder finishes the switch. */
const SWITCHING = 'switching';
/** Being written, or being removed: worth nothing, since neither is one step on disk. */
const UNFINISHED = 'unfinished';

/** @throws IdentityFilesError when it is damaged */
export function loadNextIdentity(folder: string): Identity | undefined {
  return loadIdentity(path.join(folder, NEXT));
}

/** Writes the next identity durably (mode 0600), beside the current one. */
export function saveNextIdentity(folder: string, identity: Identity): void {
  discard(folder, NEXT);
  saveIdentity(path.join(folder, UNFINISHED), identity);
  renameSync(path.join(folder, UNFINISHED), path.join(folder, NEXT));
  makeNamesDurable(folder);
}

/** Drops a key that was announced. Agents that know it will not meet it. */
export function dropNextIdentity(folder: string): void {
  discard(folder, NEXT);
}

/** Puts the next identity into use for good, whatever happens meanwhile. @returns it */
export function switchIdentity(folder: string): Identity {
  renameSync(path.join(folder, NEXT), path.join(folder, SWITCHING));
  makeNamesDurable(folder);
  const switched = finishSwitch(folder);
  if (switched === undefined) throw new Error(`there is no next identity in ${folder}`);
  return switched;
}

/** Finishes a switch that a crash cut off. Called before Main's identity is loaded. */
export function finishSwitch(folder: string): Identity | undefined {
  const switching = path.join(folder, SWITCHING);
  const identity = loadIdentity(switching);
  if (identity === undefined) return undefined;
  saveIdentity(folder, identity);
  discard(folder, SWITCHING);
  return identity;
}

/** Removes an identity in one step: half of one would pass for a damaged one. */
function discard(folder: string, name: string): void {
  const unfinished = path.join(folder, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  if (existsSync(path.join(folder, name))) {
    renameSync(path.join(folder, name), unfinished);
    makeNamesDurable(folder);
    rmSync(unfinished, { recursive: true, force: true });
  }
}
