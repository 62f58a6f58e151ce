import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { stampOf } from '#core/manifest/stamp.ts';
import { Folder } from '#host/fs/folder.ts';
import { systemClock } from '#host/time/clock.ts';
import type { Listing } from '#host/fs/listing/listing.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import { FolderScan } from '#sync/scan/folders/folderScan.ts';
import { PathIndex } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { ScannedPaths } from '#sync/scan/scannedPaths.ts';
import { SettleQueue } from '#sync/scan/settleQueue.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';
import { openFolder } from '../../../../support/unit/openFolder.ts';
import { replicaOf } from '../../../../support/unit/replicaOf.ts';
import { scanMemory } from '../../../../support/unit/scanMemory.ts';

/** A directory with as many files in one folder, scanned. */
async function scanned(t: TestContext, files: number): Promise<{ place: ApplyPlace; replica: Replica }> {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('f'));
  for (let i = 0; i < files; i++) writeFileSync(place.at(`f/${i}`), 'before');
  return { place, replica: await replicaOf(t, place) };
}

async function rescan(replica: Replica): Promise<void> {
  await replica.rescan();
  await replica.whenQuiet(5_000);
}

/** How many files are compared one by one meanwhile. */
async function compared(t: TestContext, work: () => Promise<void>): Promise<number> {
  const holds = t.mock.method(PathIndex.prototype, 'holds');
  await work();
  holds.mock.restore();
  return holds.mock.callCount();
}

/** What is on disk, as a replica knows it. */
function onDisk(root: string, below = ''): [path: string, what: string][] {
  return readdirSync(path.join(root, below)).flatMap((name): [string, string][] => {
    const at = path.join(below, name);
    if (at === '.xivo-xds-sync') return [];
    const stat = lstatSync(path.join(root, at));
    if (stat.isDirectory()) return [[at, 'folder'], ...onDisk(root, at)];
    return [[at, stat.isSymbolicLink() ? 'link' : `${stat.size} ${(stat.mode & 0o777).toString(8)}`]];
  });
}

function known(replica: Replica): [path: string, what: string][] {
  return [...replica.paths()].map((at): [string, string] => {
    const state = replica.get(at);
    if (state?.kind !== 'settled') return [at, state?.kind ?? 'nothing'];
    const { entry } = state;
    return [at, entry.type === 'file' ? `${entry.size} ${entry.mode.toString(8)}` : entry.type];
  });
}

void describe('A scan of folders that were scanned before', () => {
  void it('compares no file by itself when nothing has changed', async (t) => {
    const { replica } = await scanned(t, 600);
    await rescan(replica);
    assert.equal(await compared(t, () => rescan(replica)), 0);
    assert.equal(replica.files, 600);
  });

  void it('compares those around a changed file, and reads that one', async (t) => {
    const { place, replica } = await scanned(t, 600);
    await rescan(replica);
    const { atime, mtime, size } = lstatSync(place.at('f/300'));
    // Nothing but the ctime says it.
    writeFileSync(place.at('f/300'), 'change');
    utimesSync(place.at('f/300'), atime, mtime);
    assert.equal(lstatSync(place.at('f/300')).size, size);
    const before = replica.digest;
    const first = await compared(t, () => rescan(replica));
    assert.ok(first > 0 && first <= 257, `${first} were compared`);
    assert.notEqual(replica.digest, before);
    // What it found is new, so the folder was not found as it was known.
    await rescan(replica);
    assert.equal(await compared(t, () => rescan(replica)), 0);
  });

  void it('reads a file again that could not be read, though the folder is as it was', async (t) => {
    const { replica } = await scanned(t, 3);
    await rescan(replica);
    const openFile = t.mock.method(Folder.prototype, 'openFile', () => {
      throw Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO', syscall: 'open' });
    });
    replica.distrust(['f/1']);
    await replica.whenQuiet(2_000);
    assert.deepEqual(replica.get('f/1'), { kind: 'unreadable', errno: 'EIO' });
    openFile.mock.restore();
    await rescan(replica);
    assert.equal(replica.get('f/1')?.kind, 'settled');
  });

  void it('reads a file that this program has placed and not recorded, with the second scan after that', async (t) => {
    const { place, replica } = await scanned(t, 3);
    await rescan(replica);
    const before = replica.digest;
    writeFileSync(place.at('f/1'), 'placed');
    replica.own.add([['f/1', stampOf(lstatSync(place.at('f/1'), { bigint: true })), false]]);
    await rescan(replica);
    assert.equal(replica.digest, before);
    await rescan(replica);
    assert.notEqual(replica.digest, before);
  });

  void it('finds a folder with all of its files where a file was meanwhile', async (t) => {
    const { place, replica } = await scanned(t, 3);
    mkdirSync(place.at('f/g'));
    writeFileSync(place.at('f/g/a'), 'a');
    await rescan(replica);
    await rescan(replica);
    const away = path.join(path.dirname(place.root), 'away');
    renameSync(place.at('f'), away);
    writeFileSync(place.at('f'), '');
    await rescan(replica);
    assert.deepEqual(known(replica), [['f', '0 644']]);
    rmSync(place.at('f'));
    renameSync(away, place.at('f'));
    await rescan(replica);
    assert.deepEqual(Object.fromEntries(known(replica)), Object.fromEntries(onDisk(place.root)));
  });

  void it('says of a path that is gone that it is, until it is not known any more', async (t) => {
    const { path: root, folder: handle } = openFolder(t);
    const queue = new SettleQueue(systemClock, 0);
    const paths = new ScannedPaths(queue, scanMemory(), () => false);
    paths.put('f/gone', { kind: 'special', what: 'a socket' }, '');
    const gone: string[] = [];
    const scan = new FolderScan({ paths, isAwaited: () => false, vanish: (each) => gone.push(each) });
    const read = (): Promise<void> =>
      scan.read(
        {
          path: 'f',
          listing: handle.listing(),
          handle: () => handle,
          inspect: () => assert.fail(root),
          inspected: () => undefined,
        },
        new TimeSlice(),
      );
    await read();
    await read();
    paths.drop('f/gone');
    await read();
    assert.deepEqual(gone, ['f/gone', 'f/gone']);
  });

  void it('says which files are here under another name, and when something else may happen', async (t) => {
    const { path: root, folder: handle } = openFolder(t);
    for (const name of ['a', 'b']) writeFileSync(path.join(root, name), name);
    mkdirSync(path.join(root, 'c'));
    const stampAt = (name: string): string => stampOf(lstatSync(path.join(root, name), { bigint: true }));
    const paths = new ScannedPaths(new SettleQueue(systemClock, 0), scanMemory(), () => false);
    const entry = fileEntry('a');
    paths.put('old', { kind: 'settled', entry }, stampAt('a'));
    paths.vanish('old');
    const seen: unknown[] = [];
    const scan = new FolderScan({ paths, isAwaited: () => false, vanish: () => undefined });
    const always = { due: true, pause: () => Promise.resolve(void seen.push('pause')) };
    await scan.read(
      {
        path: '',
        listing: handle.listing(),
        handle: () => handle,
        inspect: (name, _path, renamed) => seen.push([name, renamed]),
        inspected: () => seen.push('inspected'),
      },
      always as unknown as TimeSlice,
    );
    const each = [
      ['a', stampAt('a')],
      ['b', undefined],
      ['c', undefined],
    ] as const;
    assert.deepEqual(seen.slice(seen.findIndex((what) => what !== 'pause')), [
      ...each.flatMap((what) => [what, 'inspected', 'pause']),
      'inspected',
    ]);
  });

  void it('has each name inspected once, very many at a time in their order', async (t) => {
    const { folder: handle } = openFolder(t);
    const many = 17_000;
    const names = Array.from({ length: many }, (_, i) => `${(i * 7_919) % many}.wav`);
    // As of a file system that does not say what a name is.
    const listing = {
      digest: '',
      size: many,
      names: () => names,
      name: (number: number) => names[number],
      isFile: () => false,
      readVersions: () => undefined,
    } as unknown as Listing;
    const paths = new ScannedPaths(new SettleQueue(systemClock, 0), scanMemory(), () => false);
    const scan = new FolderScan({ paths, isAwaited: () => false, vanish: () => assert.fail() });
    const inspected: string[] = [];
    const inspect = (name: string, at: string): void => {
      assert.equal(at, `f/${name}`);
      inspected.push(name);
    };
    await scan.read(
      { path: 'f', listing, handle: () => handle, inspect, inspected: () => undefined },
      new TimeSlice(),
    );
    assert.deepEqual(inspected.toSorted(), names.toSorted());
    const startsAgain = inspected.filter((name, i) => name < (inspected[i - 1] ?? ''));
    assert.equal(startsAgain.length, 1);
  });

  void it('finds a file that comes back after the whole folder was gone', async (t) => {
    const { place, replica } = await scanned(t, 3);
    await rescan(replica);
    renameSync(place.at('f'), place.at('.hidden'));
    await rescan(replica);
    assert.deepEqual(Object.fromEntries(known(replica)), Object.fromEntries(onDisk(place.root)));
    renameSync(place.at('.hidden'), place.at('f'));
    await rescan(replica);
    assert.deepEqual(
      known(replica)
        .map(([at]) => at)
        .sort(),
      ['f', 'f/0', 'f/1', 'f/2'],
    );
  });

  void it('knows an override that comes, stays and goes', async (t) => {
    const { place, replica } = await scanned(t, 3);
    await rescan(replica);
    const seen = [replica.holdsOverride('f')];
    writeFileSync(place.at('f/xds_override.conf'), '');
    for (let i = 0; i < 3; i++) {
      await rescan(replica);
      seen.push(replica.holdsOverride('f'));
    }
    assert.equal(await compared(t, () => rescan(replica)), 0);
    rmSync(place.at('f/xds_override.conf'));
    await rescan(replica);
    seen.push(replica.holdsOverride('f'));
    assert.deepEqual(seen, [false, true, true, true, false]);
  });

  void it('finds whatever changes, one change or several at a time', async (t) => {
    const place = new ApplyPlace(t);
    const names = ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/a', 'd/e/b'];
    for (const folder of ['d', 'd/e']) mkdirSync(place.at(folder));
    const replica = await replicaOf(t, place);
    let random = 1;
    const next = (below: number): number => {
      random = (random * 48_271) % 2_147_483_647;
      return random % below;
    };
    const one = <T>(all: readonly T[]): T => all[next(all.length)] as T;
    const change = (at: string): void => {
      const target = place.at(at);
      const stat = lstatSync(target, { throwIfNoEntry: false });
      // A link would be followed.
      if (stat?.isSymbolicLink() === true) return rmSync(target);
      switch (next(stat === undefined ? 2 : 6)) {
        case 0:
        case 1:
          return writeFileSync(target, 'x'.repeat(next(9)));
        case 2:
          return chmodSync(target, one([0o600, 0o644]));
        case 3:
          return rmSync(target, { recursive: true });
        case 4:
          rmSync(target);
          return symlinkSync('a', target);
        default:
          return renameSync(target, place.at(one(names)));
      }
    };
    for (let round = 0; round < 120; round++) {
      for (let changes = next(3); changes > 0; changes--) change(one(names));
      await rescan(replica);
      assert.deepEqual(
        Object.fromEntries(known(replica)),
        Object.fromEntries(onDisk(place.root)),
        `round ${round}`,
      );
    }
  });
});
