import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { atOnce } from '#core/steps.ts';
import { listTrash } from '#sync/trash/trash.ts';
import { treeOf } from '../harness/tree.ts';
import type { Pair, placesIn } from './pair.ts';
import type { Recording } from './recording.ts';

type Places = ReturnType<typeof placesIn>;

export type Expected = {
  /** Content (by hash) that each host held, live or in its trash, when the recording began. */
  readonly held: { readonly main: ReadonlySet<string>; readonly mds: ReadonlySet<string> };
  /** Every path that was ever used. */
  readonly paths: ReadonlySet<string>;
  /** What each host holds when nothing interferes. */
  readonly final: { readonly main: readonly string[]; readonly mds: readonly string[] };
  /** The same without the command of a person that was cut short, if there was one. */
  readonly unasked?: Expected['final'] | undefined;
};

const AREA = '.xivo-xds-sync';

/** The hashes of all files in a folder, the area's trash included and its staging excluded. */
export function contentsOf(folder: string): Set<string> {
  const found = new Set<string>();
  for (const file of filesIn(folder, '')) {
    if (file.startsWith(`${AREA}/stage/`) || path.basename(file) === 'list.json') continue;
    found.add(hashOf(path.join(folder, file)));
  }
  return found;
}

/** Paths that a reader sees. */
export function visiblePaths(folder: string): string[] {
  return everythingIn(folder, '').filter((each) => each !== AREA && !each.startsWith(`${AREA}/`));
}

export const check = {
  /** What a reader sees at any moment: whole files under names that belong there. */
  visible(places: Places, { held, paths }: Expected): void {
    for (const folder of [places.main, places.mds]) {
      for (const each of visiblePaths(folder)) {
        assert.ok(paths.has(each), `${folder}: ${each} is an unknown name`);
        const full = path.join(folder, each);
        if (!lstatSync(full).isFile()) continue;
        const hash = hashOf(full);
        assert.ok(held.main.has(hash) || held.mds.has(hash), `${full} is half a file`);
      }
    }
  },

  /** Both hold what they would hold if nothing had happened. */
  asWithoutIt(places: Places, { final: done, unasked }: Expected): void {
    const isUnasked = unasked !== undefined && isDeepStrictEqual(treeOf(places.main), unasked.main);
    const final = isUnasked ? unasked : done;
    assert.deepEqual(treeOf(places.main), final.main, 'Main holds something else than without it');
    assert.deepEqual(treeOf(places.mds), final.mds, 'the MDS holds something else than without it');
  },

  /** What a host held it still holds, live or in its trash, and its trash says what everything is. */
  nothingLost(places: Places, held: Expected['held']): void {
    for (const host of ['main', 'mds'] as const) {
      const now = contentsOf(places[host]);
      for (const hash of held[host]) assert.ok(now.has(hash), `content was lost on ${host}: ${hash}`);
      for (const { id, path: name, reason } of atOnce(listTrash(places.directory, places[host])).items)
        assert.notEqual(reason, 'unknown', `unknown: ${id} (${name}) in the trash of ${host} is`);
    }
  },

  /**
   * What Main took from an MDS it holds, live or in its trash.
   * @param live unchanged since: readers still see all of it, which the MDS may have in part now
   */
  acknowledged(places: Places, recording: Recording, at: number, live: boolean): void {
    const now = contentsOf(places.main);
    const taken = new Map<string, string>();
    for (const event of recording.events.slice(0, at))
      if (event.kind === 'mark') taken.set(event.path, event.hash);
    for (const [name, hash] of taken) {
      assert.ok(now.has(hash), `Main lost ${name}, which it had taken`);
      if (live)
        assert.equal(
          hashOf(path.join(places.main, name)),
          hash,
          `Main holds another ${name} than it had taken`,
        );
    }
  },

  /** Both have come to rest. */
  quiet(places: Places, pair: Pair): void {
    for (const host of ['main', 'mds'] as const)
      assert.deepEqual(stagedIn(places[host]), [], `something is left in the staging area of ${host}`);
    assert.deepEqual(
      pair.mds.plans.plannedActions().filter(({ action }) => action !== 'skip'),
      [],
      'a second plan is not empty',
    );
  },
};

function stagedIn(folder: string): string[] {
  const stage = path.join(folder, AREA, 'stage');
  return existsSync(stage) ? readdirSync(stage) : [];
}

function filesIn(root: string, folder: string): string[] {
  return everythingIn(root, folder).filter((each) => lstatSync(path.join(root, each)).isFile());
}

function everythingIn(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const relative = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? [relative, ...everythingIn(root, relative)] : [relative];
  });
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
