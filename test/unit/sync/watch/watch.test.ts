import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { encodeName } from '#core/path/nameBytes.ts';
import { Owners } from '#host/fs/owners.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { Replica } from '#sync/scan/replica.ts';
import { Watch } from '#sync/watch/watch.ts';
import { eventually } from '../../../support/harness/host.ts';
import { scanMemory } from '../../../support/unit/scanMemory.ts';

/** Longer delays are those of second looks, which find what no event reported, milliseconds. */
const PROMPT = 1_000;

/** The system's clock, on which second looks wait until they are let go: what a test sees before, an event reported. */
class PromptClock implements Clock {
  readonly #late = new Set<() => void>();

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(milliseconds: number, callback: () => void): () => void {
    if (milliseconds < PROMPT) return systemClock.after(milliseconds, callback);
    this.#late.add(callback);
    return () => this.#late.delete(callback);
  }

  secondLook(): void {
    for (const callback of this.#late) callback();
    this.#late.clear();
  }
}

/** A replica that remembers where it was sent to look. */
class SeenReplica extends Replica {
  readonly names: string[] = [];
  readonly scanned: string[] = [];
  full = 0;

  override recheck(paths: readonly string[]): Promise<void> {
    this.names.push(...paths);
    return super.recheck(paths);
  }

  override rescanFolders(folders: readonly string[]): Promise<void> {
    this.scanned.push(...folders);
    return super.rescanFolders(folders);
  }

  override rescan(): Promise<void> {
    this.full += 1;
    return super.rescan();
  }
}

/** A real directory that is watched. */
class Place {
  readonly folder: string;
  readonly root: string;
  readonly nested = new Set(['inner']);
  readonly replica: SeenReplica;
  readonly watch: Watch;
  readonly errors: unknown[] = [];

  constructor(
    t: TestContext,
    clock: Clock = new PromptClock(),
    folder: string = mkdtempSync(path.join(os.tmpdir(), 'xds-watch-')),
  ) {
    this.folder = folder;
    this.root = path.join(folder, 'root');
    mkdirSync(this.root, { recursive: true });
    const onError = (error: unknown): void => void this.errors.push(error);
    this.replica = new SeenReplica({
      rules: { name: 'moh', settle: 0, emptyIsHeld: false, whole: false },
      path: this.root,
      nested: this.nested,
      index: scanMemory(),
      owners: new Owners(),
      clock,
      events: { onChanges: () => undefined, onHeld: () => undefined, onError },
    });
    this.watch = new Watch(this.replica, { clock, onPolling: onError, onError });
    t.after(async () => {
      await this.watch.close();
      await this.replica.close();
      rmSync(this.folder, { recursive: true, force: true });
      assert.deepEqual(this.errors, []);
    });
  }

  /** Scans and watches. */
  async watched(): Promise<void> {
    this.watch.begin();
    await this.replica.rescan();
    this.watch.start();
  }

  /** Starts the watch, and waits until it looks at nothing any more. */
  async started(): Promise<void> {
    this.write('at the start', 'x');
    await this.watched();
    await this.holds('at the start', 'x');
    await this.replica.recheck([]);
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  outside(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, content: string): void {
    writeFileSync(encodeName(this.at(name)), content);
  }

  contentIs(name: string, content: string | undefined): boolean {
    const state = this.replica.get(name);
    if (content === undefined) return state === undefined;
    const hash = createHash('sha256').update(content).digest('hex');
    return state?.kind === 'settled' && state.entry.type === 'file' && state.entry.hash === hash;
  }

  /** Resolves when the replica has this content at a name; nothing when undefined. */
  async holds(name: string, content: string | undefined): Promise<void> {
    await eventually(`${name}: ${String(content)}`, () => this.contentIs(name, content), 10_000);
  }

  async hasFolder(name: string): Promise<void> {
    await eventually(`the folder ${name}`, () => {
      const state = this.replica.get(name);
      return state?.kind === 'settled' && state.entry.type === 'folder';
    });
  }
}

/** Waits while the timers of the program run much faster than time. */
async function inFastTime(t: TestContext, what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, what);
    t.mock.timers.tick(10);
    await turn();
  }
}

/** A place that is watched, with the file `a` in it, whose timers run fast. */
async function watchedWithFile(t: TestContext): Promise<Place> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const place = new Place(t, systemClock);
  place.write('a', 'a');
  await place.watched();
  await inFastTime(t, 'what was in it', () => place.contentIs('a', 'a'));
  return place;
}

void describe('A directory that is watched', () => {
  void it('is found changed by every kind of change to a name in it', async (t) => {
    const place = new Place(t);
    await place.started();
    place.write('a', 'first');
    await place.holds('a', 'first');
    appendFileSync(place.at('a'), ' and more');
    await place.holds('a', 'first and more');
    writeFileSync(place.outside('new'), 'complete');
    renameSync(place.outside('new'), place.at('a'));
    await place.holds('a', 'complete');
    renameSync(place.at('a'), place.at('b'));
    await place.holds('b', 'complete');
    await place.holds('a', undefined);
    chmodSync(place.at('b'), 0o600);
    await eventually('its mode', () => {
      const state = place.replica.get('b');
      return state?.kind === 'settled' && state.entry.type === 'file' && state.entry.mode === 0o600;
    });
    symlinkSync('b', place.at('link'));
    await eventually('the link', () => place.replica.get('link')?.kind === 'settled');
    renameSync(place.at('b'), place.outside('away'));
    await place.holds('b', undefined);
    unlinkSync(place.at('link'));
    await place.holds('link', undefined);
  });

  void it('is found changed at a name that is not UTF-8', async (t) => {
    const place = new Place(t);
    await place.started();
    place.write('caf\udce9', 'coffee');
    await place.holds('caf\udce9', 'coffee');
  });

  void it('holds what was written after the first scan, before the watch began to look', async (t) => {
    const place = new Place(t);
    place.watch.begin();
    await place.replica.rescan();
    place.write('between', 'x');
    place.watch.start();
    await place.holds('between', 'x');
  });

  void it('may be a link to a folder elsewhere', async (t) => {
    const place = new Place(t);
    rmdirSync(place.root);
    mkdirSync(place.outside('elsewhere/sub'), { recursive: true });
    symlinkSync('elsewhere', place.root);
    await place.started();
    place.write('a', 'a');
    place.write('sub/b', 'b');
    await place.holds('a', 'a');
    await place.holds('sub/b', 'b');
  });

  void it('has a second look at folders in which something changed', async (t) => {
    const clock = new PromptClock();
    const place = new Place(t, clock);
    mkdirSync(place.at('sub'));
    await place.started();
    place.write('sub/a', 'a');
    await place.holds('sub/a', 'a');
    place.replica.scanned.length = 0;
    clock.secondLook();
    await eventually('the second look', () => place.replica.scanned.includes('sub'));
  });

  void it('is read as a whole when there were so many events that some may be lost', async (t) => {
    const place = new Place(t);
    await place.started();
    const before = place.watch.overflows;
    const names = Array.from({ length: 50 }, (_, number) => `many ${number}`);
    // One after the other: the kernel reports two changes of one file in a row once.
    for (let round = 0; round < 100; round++) for (const name of names) appendFileSync(place.at(name), 'x');
    for (const name of names) await place.holds(name, 'x'.repeat(100));
    await eventually('the scan', () => place.watch.overflows > before);
  });
});

void describe('A folder in a directory that is watched', () => {
  void it('is found with what is in it, whether it was made or renamed in, and is watched from then on', async (t) => {
    const place = new Place(t, systemClock);
    await place.started();
    mkdirSync(place.at('made/deep'), { recursive: true });
    place.write('made/deep/a', 'a');
    await place.holds('made/deep/a', 'a');
    mkdirSync(place.outside('moved/deep'), { recursive: true });
    writeFileSync(place.outside('moved/deep/b'), 'b');
    renameSync(place.outside('moved'), place.at('moved'));
    await place.holds('moved/deep/b', 'b');
    place.write('made/deep/a', 'a, changed');
    place.write('moved/deep/c', 'c');
    await place.holds('made/deep/a', 'a, changed');
    await place.holds('moved/deep/c', 'c');
  });

  void it('is watched again when it was removed and created again', async (t) => {
    const place = new Place(t, systemClock);
    await place.started();
    for (const time of ['first', 'second', 'third']) {
      mkdirSync(place.at('folder'));
      place.write('folder/a', time);
      await place.holds('folder/a', time);
      place.write('folder/b', `${time}, later`);
      await place.holds('folder/b', `${time}, later`);
      rmSync(place.at('folder'), { recursive: true });
      if (time === 'first') await place.holds('folder', undefined);
    }
    await place.holds('folder', undefined);
    await place.holds('folder/a', undefined);
  });

  void it('is watched under its new name when it was renamed', async (t) => {
    const place = new Place(t, systemClock);
    mkdirSync(place.at('old/deep'), { recursive: true });
    await place.started();
    renameSync(place.at('old'), place.at('new'));
    await place.hasFolder('new/deep');
    await place.holds('old', undefined);
    place.write('new/deep/a', 'a');
    place.write('new/b', 'b');
    await place.holds('new/deep/a', 'a');
    await place.holds('new/b', 'b');
  });

  void it('is of no concern when it is another directory, an override or the private folder', async (t) => {
    const place = new Place(t);
    const foreign = ['inner', 'inner/deep', 'xds_override_d', 'sub/xds_override_d', '.xivo-xds-sync/stage'];
    for (const folder of foreign) mkdirSync(place.at(folder), { recursive: true });
    await place.started();
    for (const list of [place.replica.names, place.replica.scanned]) list.length = 0;
    for (const folder of foreign) place.write(`${folder}/a`, 'a');
    place.write('sub/ours', 'x');
    await place.holds('sub/ours', 'x');
    const looked = [...place.replica.names, ...place.replica.scanned];
    assert.deepEqual(
      looked.filter((name) => foreign.some((folder) => name === folder || name.startsWith(`${folder}/`))),
      [],
    );
    for (const folder of foreign) assert.equal(place.replica.get(`${folder}/a`), undefined);
  });
});

void describe('The place of a directory that is watched', () => {
  void it('may be empty at the start: it is watched once it is there', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const place = new Place(t, systemClock);
    rmdirSync(place.root);
    await place.watched();
    mkdirSync(place.root);
    place.write('a', 'a');
    await inFastTime(t, 'what is in it', () => place.contentIs('a', 'a'));
    place.write('b', 'b');
    await inFastTime(t, 'what comes later', () => place.contentIs('b', 'b'));
  });

  void it('may be taken by another folder, which says nothing, until the first is back', async (t) => {
    const place = await watchedWithFile(t);
    renameSync(place.root, place.outside('away'));
    mkdirSync(place.root);
    place.write('other', 'of another folder');
    await inFastTime(t, 'it is held', () => place.replica.held !== undefined);
    assert.ok(place.contentIs('a', 'a') && place.replica.get('other') === undefined);
    rmSync(place.root, { recursive: true });
    renameSync(place.outside('away'), place.root);
    await inFastTime(t, 'it is back', () => place.replica.held === undefined);
    place.write('b', 'b');
    await inFastTime(t, 'what comes later', () => place.contentIs('b', 'b'));
    assert.equal(place.replica.get('other'), undefined);
  });

  void it('may be removed and made again: it is held, or watched where the new folder looks like the first', async (t) => {
    const place = await watchedWithFile(t);
    // Many file systems give the number of a folder that was removed to the next one.
    rmSync(place.root, { recursive: true });
    mkdirSync(place.root);
    for (const name of ['b', 'c']) {
      place.write(name, name);
      await inFastTime(t, name, () => place.replica.held !== undefined || place.contentIs(name, name));
    }
  });

  void it('may be taken by another folder for good, once a person has confirmed it', async (t) => {
    const place = await watchedWithFile(t);
    renameSync(place.root, place.outside('away'));
    mkdirSync(place.root);
    await inFastTime(t, 'it is held', () => place.replica.held !== undefined);
    await place.replica.confirm();
    assert.equal(place.replica.get('a'), undefined);
    // The watch was on the first one.
    for (const name of ['b', 'c', 'd']) {
      place.write(name, name);
      await inFastTime(t, 'what comes later', () => place.contentIs(name, name));
    }
  });
});

void describe('A watch that is closed', () => {
  void it('is over while it starts, before it starts and more than once', async (t) => {
    const place = new Place(t);
    mkdirSync(place.at('a/b/c'), { recursive: true });
    const starting = place.watched();
    await Promise.all([place.watch.close(), starting]);
    await place.watch.close();
    await place.watched();
    assert.equal(place.replica.watches.has(''), false);
    assert.deepEqual([place.replica.full, place.replica.names, place.replica.scanned], [2, [], []]);
  });

  void it('looks at nothing any more', async (t) => {
    const place = new Place(t);
    await place.started();
    const other = new Place(t, new PromptClock(), place.folder);
    await other.started();
    await place.watch.close();
    const { full } = place.replica;
    place.write('a', 'a');
    mkdirSync(place.at('b'));
    // By then this one would have seen it, too.
    await other.holds('a', 'a');
    await other.hasFolder('b');
    assert.deepEqual([place.replica.get('a'), place.replica.get('b')], [undefined, undefined]);
    assert.equal(place.replica.full, full);
    await other.watch.close();
  });
});
