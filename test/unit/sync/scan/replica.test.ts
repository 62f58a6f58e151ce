import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stampOf } from '#core/manifest/stamp.ts';
import { Folder } from '#host/fs/folder.ts';
import { Listing } from '#host/fs/listing/listing.ts';
import { Owners } from '#host/fs/owners.ts';
import { Replica } from '#sync/scan/replica.ts';
import type { DirectoryRules, ReplicaEvents } from '#sync/scan/replicaOptions.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { eventually } from '../../../support/harness/host.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { scanMemory } from '../../../support/unit/scanMemory.ts';

const SETTLE = 30;

/** What this process has read so far, bytes. */
function readBytes(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

void describe('What a host holds of a directory', () => {
  let folder: string;
  let root: string;
  let replica: Replica;
  let errors: unknown[];
  /** How often the time was asked for: work that is done leaves a trace here. */
  let asked: number;
  /** How far time has jumped, milliseconds. */
  let later: number;

  /** Another view of the same directory. */
  let make: (
    rules: Pick<DirectoryRules, 'whole'> & Partial<Pick<DirectoryRules, 'settle' | 'inParts'>>,
    onChanges: ReplicaEvents['onChanges'],
    isExcluded?: (path: string) => boolean,
  ) => Replica;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'xds-replica-'));
    root = path.join(folder, 'root');
    mkdirSync(root);
    errors = [];
    asked = 0;
    later = 0;
    const clock: Clock = {
      ...systemClock,
      monotonic: () => {
        asked += 1;
        return performance.now() + later;
      },
    };
    make = (rules, onChanges, isExcluded = () => false) =>
      new Replica({
        rules: { name: 'moh', settle: SETTLE, emptyIsHeld: true, ...rules },
        path: root,
        nested: new Set(),
        index: scanMemory(),
        isExcluded,
        owners: new Owners(),
        clock,
        events: { onChanges, onHeld: () => undefined, onError: (error) => errors.push(error) },
      });
    replica = make({ whole: false }, () => undefined);
    for (const name of ['a', 'b', 'c']) writeFileSync(path.join(root, name), name);
    await replica.rescan();
    await isSettled('a', 'b', 'c');
  });
  afterEach(async () => {
    await replica.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function kindOf(name: string): string {
    return replica.get(name)?.kind ?? 'nothing';
  }

  async function isSettled(...names: string[]): Promise<void> {
    await eventually(`${names.join(', ')} are settled`, () =>
      names.every((name) => kindOf(name) === 'settled'),
    );
  }

  void it('names a file that is written to without a rest, after a minute and until it rests', async () => {
    for (const more of ['more', 'and more']) {
      appendFileSync(path.join(root, 'a'), more);
      await replica.recheck(['a']);
      assert.equal(new Map(replica.skipped).get('a'), undefined);
    }
    later = 61_000;
    appendFileSync(path.join(root, 'a'), 'and still more');
    await replica.recheck(['a']);
    assert.match(new Map(replica.skipped).get('a') ?? '', /is still being written/);
    await isSettled('a');
    assert.equal(new Map(replica.skipped).get('a'), undefined);
  });

  void it('looks once at a file that waits to settle, and again when it has changed', async (t) => {
    const waiting = make({ whole: false, settle: 60_000 }, () => undefined);
    const looks = async (): Promise<string[]> => {
      const stat = t.mock.method(Folder.prototype, 'stat');
      await waiting.rescan();
      stat.mock.restore();
      return stat.mock.calls.map(({ arguments: [name] }) => name);
    };
    try {
      assert.deepEqual(await looks(), ['a', 'b', 'c']);
      assert.deepEqual(await looks(), []);
      appendFileSync(path.join(root, 'b'), 'more');
      assert.deepEqual(await looks(), ['b']);
      assert.deepEqual(waiting.movingPaths, ['a', 'b', 'c']);
    } finally {
      await waiting.close();
    }
  });

  void it('reads a file that was due when no more files could be opened', async (t) => {
    mkdirSync(path.join(root, 'f'));
    writeFileSync(path.join(root, 'f', 'due'), 'due');
    const fresh = make({ whole: false, settle: 0 }, () => undefined);
    try {
      await fresh.rescan();
      const open = t.mock.method(Folder.prototype, 'open', () => {
        throw Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' });
      });
      await eventually('it was tried', () => fresh.trouble !== undefined);
      open.mock.restore();
      await eventually('it is settled', () => fresh.get('f/due')?.kind === 'settled');
    } finally {
      await fresh.close();
    }
  });

  void it('names a file that is held open for writing, after a minute', async (t) => {
    const hash = t.mock.method(replica.contents, 'hash');
    const fd = openSync(path.join(root, 'a'), 'a');
    try {
      writeSync(fd, 'more');
      await replica.recheck(['a']);
      await eventually('it was tried', () => hash.mock.callCount() > 0);
      assert.equal(await hash.mock.calls[0]?.result, undefined);
      await replica.recheck([]);
      later = 61_000;
      assert.match(new Map(replica.skipped).get('a') ?? '', /is still being written/);
    } finally {
      closeSync(fd);
    }
    await isSettled('a');
  });

  void it('is announced in parts where it takes long to read, if the files need not travel together', async () => {
    for (const name of ['d', 'e', 'f']) {
      writeFileSync(path.join(root, name), '');
      truncateSync(path.join(root, name), 33 * 1024 * 1024);
    }
    for (const inParts of [true, false]) {
      const reported: number[] = [];
      // All have settled at once: one that had before the others would be announced alone.
      const other = make({ whole: false, inParts, settle: 0 }, (changes) => {
        const large = [...changes].filter(([name, { after }]) => name > 'c' && after?.kind === 'settled');
        if (large.length > 0) reported.push(large.length);
      });
      await other.rescan();
      await eventually('all is reported', () => reported.reduce((sum, each) => sum + each, 0) === 3);
      await other.close();
      assert.deepEqual(reported, inParts ? [2, 1] : [3]);
    }
  });

  void it('is announced as a whole: what was written meanwhile belongs to it, even before its event', async () => {
    const reported: string[][] = [];
    const whole = make({ whole: true }, (changes) => reported.push([...changes.keys()].sort()));
    try {
      await whole.rescan();
      await eventually('all is reported', () => reported.length === 1);
      writeFileSync(path.join(root, 'a'), 'a, the second version');
      await whole.recheck(['a']);
      // While the other one settles. There is no event for this one.
      writeFileSync(path.join(root, 'b'), 'b, the second version');
      await eventually('the second version is reported', () => reported.length > 1);
      assert.deepEqual(reported[1], ['a', 'b']);
    } finally {
      await whole.close();
    }
  });

  void it('is read in portions when nothing was known of it, and what comes later belongs together', async () => {
    const settled: [many: number, continues: boolean][] = [];
    const fresh = make({ whole: false, settle: 0 }, (changes, continues) => {
      settled.push([
        [...changes.values()].filter(({ after }) => after?.kind === 'settled').length,
        continues,
      ]);
    });
    const fill = (prefix: string): void => {
      for (let i = 0; i < 2_100; i++) writeFileSync(path.join(root, `${prefix}${i}`), '');
    };
    const handedOut = async (most: number): Promise<typeof settled> => {
      const all = (): number => settled.reduce((sum, [many]) => sum + many, 0);
      await eventually('all are handed out', () => all() === most);
      return settled.splice(0).filter(([many]) => many > 0);
    };
    try {
      fill('first');
      await fresh.rescan();
      assert.deepEqual(await handedOut(2_103), [
        [2_000, false],
        [103, false],
      ]);
      fill('later');
      await eventually('nothing is left of them', () => fresh.movingPaths.length === 0);
      await fresh.rescan();
      assert.deepEqual(await handedOut(2_100), [
        [2_000, false],
        [100, true],
      ]);
    } finally {
      await fresh.close();
    }
  });

  void it('is made up for when it could not be read, without another hint', async () => {
    renameSync(root, `${root}.away`);
    writeFileSync(path.join(`${root}.away`, 'new'), 'new');
    await replica.recheck(['new']);
    assert.match(replica.held ?? '', /can't be opened \(ENOENT\)/);
    renameSync(`${root}.away`, root);
    await isSettled('new');
    assert.equal(replica.held, undefined);
  });

  void it('is waited for without work while the directory is missing, whatever is due in it', async () => {
    unlinkSync(path.join(root, 'a'));
    await replica.recheck(['a']);
    assert.equal(kindOf('a'), 'moving');
    renameSync(root, `${root}.away`);
    await sleep(2 * SETTLE);
    const before = asked;
    await sleep(300);
    assert.ok(asked - before < 20, `asked for the time ${asked - before} times`);
    renameSync(`${root}.away`, root);
    await eventually('its removal is known', () => kindOf('a') === 'nothing');
    assert.deepEqual(['b', 'c'].map(kindOf), ['settled', 'settled']);
  });

  void it('that became empty and was partly filled again lacks only what did not come back', async () => {
    for (const name of readdirSync(root)) unlinkSync(path.join(root, name));
    await replica.recheck(['a', 'b', 'c']);
    await eventually('it is held', () => replica.held?.endsWith('became empty') === true);
    assert.deepEqual(['a', 'b', 'c'].map(kindOf), ['moving', 'moving', 'moving']);
    writeFileSync(path.join(root, 'a'), 'a');
    await replica.rescanFolders(['']);
    await eventually('b and c are gone', () => kindOf('b') === 'nothing' && kindOf('c') === 'nothing');
    assert.equal(kindOf('a'), 'settled');
    assert.equal(replica.held, undefined);
    assert.deepEqual(errors, []);
  });

  void describe('of a file that is new', () => {
    const LONG = 600_000;
    let fresh: Replica;
    beforeEach(async () => {
      fresh = make({ whole: false, settle: LONG }, () => undefined);
      await fresh.rescan();
    });
    afterEach(() => fresh.close());

    /** A file whose content is older than its last change of name or metadata. */
    async function write(file: string): Promise<void> {
      writeFileSync(file, 'content');
      await sleep(20);
    }

    void it('takes one that was renamed in at once', async () => {
      await write(path.join(folder, 'new'));
      renameSync(path.join(folder, 'new'), path.join(root, 'new'));
      await fresh.recheck(['new']);
      await eventually('it is taken', () => fresh.get('new')?.kind === 'settled');
    });

    void it('waits for one that was renamed in and is still being written', async () => {
      await write(path.join(folder, 'new'));
      const fd = openSync(path.join(folder, 'new'), 'a');
      renameSync(path.join(folder, 'new'), path.join(root, 'new'));
      await fresh.recheck(['new']);
      await sleep(50);
      assert.equal(fresh.get('new')?.kind, 'moving');
      closeSync(fd);
    });

    void it('waits for one that was made in place, and for one that is changed in place', async () => {
      writeFileSync(path.join(root, 'new'), 'content');
      await fresh.recheck(['new']);
      await sleep(20);
      chmodSync(path.join(root, 'new'), 0o600);
      await fresh.recheck(['new']);
      await sleep(50);
      assert.equal(fresh.get('new')?.kind, 'moving');
    });

    void it('waits for it where files belong together', async () => {
      const set = make({ whole: true, settle: LONG }, () => undefined);
      await set.rescan();
      await write(path.join(folder, 'new'));
      renameSync(path.join(folder, 'new'), path.join(root, 'new'));
      await set.recheck(['new']);
      await sleep(50);
      assert.equal(set.get('new')?.kind, 'moving');
      await set.close();
    });

    void it('does not look at what this program has placed, until that could not be written down', async () => {
      await write(path.join(folder, 'new'));
      renameSync(path.join(folder, 'new'), path.join(root, 'new'));
      const stamp = stampOf(lstatSync(path.join(root, 'new'), { bigint: true }));
      fresh.own.add([['new', stamp, true]]);
      await fresh.recheck(['new']);
      await sleep(50);
      assert.equal(fresh.get('new'), undefined);
      fresh.own.lost(['new']);
      await eventually('it is taken', () => fresh.get('new')?.kind === 'settled');
    });

    void it('does not read one again that was renamed here, alone or with its folder', async () => {
      const size = 16 * 1024 * 1024;
      mkdirSync(path.join(root, 'old'));
      writeFileSync(path.join(root, 'old', 'large'), Buffer.alloc(size, 7));
      await replica.rescan();
      await isSettled('old/large');
      const before = readBytes();
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await replica.recheck(['old', 'new']);
      await isSettled('new/large');
      renameSync(path.join(root, 'new', 'large'), path.join(root, 'alone'));
      await replica.recheck(['alone', 'new/large']);
      await isSettled('alone');
      assert.ok(readBytes() - before < size, `${readBytes() - before} bytes were read`);
      const { hash } = (replica.get('alone') as { entry: { hash: string } }).entry;
      assert.equal(hash, createHash('sha256').update(Buffer.alloc(size, 7)).digest('hex'));
    });

    void it("reads one again that takes a gone file's inode with another time or size", async () => {
      writeFileSync(path.join(root, 'old'), 'content');
      await replica.rescan();
      await isSettled('old');
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      appendFileSync(path.join(root, 'new'), ', and more');
      await replica.recheck(['old', 'new']);
      await isSettled('new');
      const { hash } = (replica.get('new') as { entry: { hash: string } }).entry;
      assert.equal(hash, createHash('sha256').update('content, and more').digest('hex'));
    });
  });

  void it('hands out a renamed file together with its old name, in whatever folder', async (t) => {
    const together: string[][] = [];
    // A name that is merely gone would have to stay away for longer than all of this takes.
    const other = make({ whole: false, settle: 300 }, (changes) =>
      together.push(Array.from(changes, ([at, { after }]) => `${at} ${after?.kind ?? 'gone'}`)),
    );
    t.after(() => other.close());
    mkdirSync(path.join(root, 'f'));
    writeFileSync(path.join(root, 'f', 'old'), 'in a folder');
    await other.rescan();
    await eventually('all is settled', () => other.get('f/old')?.kind === 'settled');
    renameSync(path.join(root, 'a'), path.join(root, 'z'));
    renameSync(path.join(root, 'f', 'old'), path.join(root, 'f', 'new'));
    await other.recheck(['a', 'f/old', 'z', 'f/new']);
    const news = ['z settled', 'f/new settled'];
    await eventually('both are handed out', () =>
      news.every((each) => together.some((those) => those.includes(each))),
    );
    const withNew = together.filter((those) => news.some((each) => those.includes(each))).flat();
    assert.deepEqual(withNew.toSorted(), ['a gone', 'f/new settled', 'f/old gone', 'z settled']);
  });

  void describe('of a folder that is renamed', () => {
    const NAMES = ['a', 'b', 'c'];
    let renamed: Replica;
    /** What was handed out, path by path. */
    let handedOut: [path: string, kind: string][];
    beforeEach(async () => {
      handedOut = [];
      renamed = make({ whole: false }, (changes) => {
        for (const [at, { after }] of changes) handedOut.push([at, after?.kind ?? 'gone']);
      });
      mkdirSync(path.join(root, 'old'));
      for (const name of NAMES) writeFileSync(path.join(root, 'old', name), name);
      await renamed.rescan();
      await eventually('all are settled', () => NAMES.every((name) => kindAt(`old/${name}`) === 'settled'));
      handedOut = [];
    });
    afterEach(() => renamed.close());

    function kindAt(at: string): string {
      return renamed.get(at)?.kind ?? 'nothing';
    }

    function hashAt(at: string): string {
      return (renamed.get(at) as { entry: { hash: string } }).entry.hash;
    }

    function hashOf(content: string): string {
      return createHash('sha256').update(content).digest('hex');
    }

    void it('knows its files at once, and hands out each next to its old name', async () => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await renamed.recheck(['old', 'new']);
      assert.deepEqual(
        NAMES.map((name) => [kindAt(`new/${name}`), hashAt(`new/${name}`), kindAt(`old/${name}`)]),
        NAMES.map((name) => ['settled', hashOf(name), 'nothing']),
      );
      const files = handedOut.filter(([at]) => at.includes('/'));
      const expected = files.flatMap(([at, kind]) =>
        kind === 'settled'
          ? [
              [at, 'settled'],
              [at.replace('new/', 'old/'), 'gone'],
            ]
          : [],
      );
      assert.equal(files.length, 2 * NAMES.length);
      assert.deepEqual(files, expected);
    });

    void it('reads one of its files again that was changed since', async () => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      appendFileSync(path.join(root, 'new', 'b'), ', and more');
      await renamed.recheck(['old', 'new']);
      assert.deepEqual([kindAt('new/a'), kindAt('new/b')], ['settled', 'moving']);
      await eventually('it is settled', () => kindAt('new/b') === 'settled');
      assert.equal(hashAt('new/b'), hashOf('b, and more'));
    });

    void it('looks at one of its files again whose permissions were changed since', async () => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      chmodSync(path.join(root, 'new', 'b'), 0o600);
      await renamed.recheck(['old', 'new']);
      await eventually('it is settled', () => kindAt('new/b') === 'settled');
      assert.equal((renamed.get('new/b') as { entry: { mode: number } }).entry.mode, 0o600);
    });

    void it('takes no name for gone that something else has by then', async () => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await renamed.recheck(['old']);
      mkdirSync(path.join(root, 'old'));
      writeFileSync(path.join(root, 'old', 'b'), 'another');
      await renamed.recheck(['new']);
      await renamed.rescan();
      await eventually('all are settled', () => ['new/b', 'old/b'].every((at) => kindAt(at) === 'settled'));
      assert.deepEqual([hashAt('new/b'), hashAt('old/b')], [hashOf('b'), hashOf('another')]);
      assert.ok(!handedOut.some(([at, kind]) => at === 'old/b' && kind === 'gone'));
    });

    void it('looks for each name again once something else may have happened', async () => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await renamed.recheck(['old', 'new']);
      mkdirSync(path.join(root, 'old'));
      writeFileSync(path.join(root, 'old', 'd'), 'd');
      await renamed.recheck(['old']);
      await eventually('it is settled', () => kindAt('old/d') === 'settled');
      renameSync(path.join(root, 'old', 'd'), path.join(root, 'd'));
      await renamed.recheck(['old/d']);
      writeFileSync(path.join(root, 'old', 'd'), 'another');
      await renamed.recheck(['d']);
      await eventually('it is settled', () => kindAt('d') === 'settled');
      assert.notEqual(kindAt('old/d'), 'nothing');
    });

    void it('leaves out those that are excluded there, and drops what was in a folder that had such a name', async (t) => {
      const other = make(
        { whole: false },
        () => undefined,
        (at) => at === 'new/a',
      );
      t.after(() => other.close());
      mkdirSync(path.join(root, 'new', 'b'), { recursive: true });
      writeFileSync(path.join(root, 'new', 'b', 'in it'), '');
      await other.rescan();
      await other.whenQuiet(5_000);
      rmSync(path.join(root, 'new'), { recursive: true });
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await other.recheck(['old']);
      await other.rescanFolders(['new']);
      const states = ['new/a', 'new/b', 'new/b/in it', 'new/c'].map((at) => other.get(at)?.kind ?? 'nothing');
      assert.deepEqual(states, ['nothing', 'settled', 'nothing', 'settled']);
    });

    void it('keeps what this program has placed under one of the new names since they were listed', async (t) => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await renamed.recheck(['old']);
      const at = path.join(root, 'new', 'a');
      const read = Reflect.get(Listing.prototype, 'readVersions') as () => void;
      let isPlaced = false;
      t.mock.method(Listing.prototype, 'readVersions', function (this: Listing, ...given: unknown[]) {
        Reflect.apply(read, this, given);
        if (isPlaced) return;
        isPlaced = true;
        writeFileSync(at, 'own');
        const entry = fileEntry('own');
        renamed.adopt(
          'new/a',
          { state: { kind: 'settled', entry }, stamp: stampOf(lstatSync(at, { bigint: true })) },
          undefined,
        );
      });
      await renamed.rescanFolders(['new']);
      assert.deepEqual([hashAt('new/a'), hashAt('new/b')], [hashOf('own'), hashOf('b')]);
    });

    void it('takes their versions from the listing, and asks for the old folder once', async (t) => {
      renameSync(path.join(root, 'old'), path.join(root, 'new'));
      await renamed.recheck(['old']);
      const stats = t.mock.method(Folder.prototype, 'stat');
      const missing = t.mock.method(Folder.prototype, 'isMissing');
      // As long as nothing else has its turn meanwhile, however slow this machine is.
      const now = performance.now();
      const time = t.mock.method(performance, 'now', () => now);
      await renamed.recheck(['new']);
      time.mock.restore();
      assert.deepEqual(
        stats.mock.calls.map(({ arguments: [name] }) => name),
        ['new'],
      );
      assert.deepEqual(
        missing.mock.calls.map(({ arguments: [at] }) => at),
        ['old'],
      );
      assert.deepEqual(
        NAMES.map((name) => kindAt(`new/${name}`)),
        ['settled', 'settled', 'settled'],
      );
    });
  });
});
