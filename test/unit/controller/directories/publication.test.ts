import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Outcome } from '#core/changeSet.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Database } from '#sync/state/database.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import { Publication, type Revision } from '../../../../controller/directories/publication.ts';
import { ApplyPlace, fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const SETTLE = 2_000;
const ID = '20261126T120000000Z-0123abcd';

function settled(entry: Entry): PathState {
  return { kind: 'settled', entry };
}

/** The publication of a directory whose disk is a map, with what it has published. */
class Published {
  readonly disk = new Map<string, PathState>();
  readonly stamps = new Map<string, string>();
  readonly revisions: Revision[] = [];
  readonly clock = new ManualClock();
  readonly replica = {
    held: undefined as string | undefined,
    paths: () => this.disk.keys(),
    get: (path: string) => this.disk.get(path),
    stampAt: (path: string) => this.stamps.get(path),
  };
  readonly publication: Publication;
  readonly db: Database;

  constructor(t: TestContext, direction: DirectoryConfig['direction'] = 'both') {
    this.db = new ApplyPlace(t).db;
    this.publication = this.open(direction);
  }

  open(direction: DirectoryConfig['direction']): Publication {
    return new Publication({
      config: { name: 'files', direction, settleMs: SETTLE } as DirectoryConfig,
      replica: this.replica as unknown as Replica,
      db: this.db,
      clock: this.clock,
      versions: undefined,
      onRevision: (revision) => this.revisions.push(revision),
    });
  }

  /** The disk changes, and a scan finds it. */
  found(after: Readonly<Record<string, PathState | undefined>>): Changes {
    const changes = new Map<string, { before: Entry | undefined; after: PathState | undefined }>();
    for (const [path, state] of Object.entries(after)) {
      const before = this.disk.get(path);
      changes.set(path, { before: before?.kind === 'settled' ? before.entry : undefined, after: state });
      if (state === undefined) this.disk.delete(path);
      else this.disk.set(path, state);
    }
    return changes;
  }

  /** The published revisions since the last call: from, to, the paths with their kind, and the hold. */
  news(): string[] {
    return this.revisions
      .splice(0)
      .map(({ from, revision, held, items }) =>
        [
          `${from}-${revision}`,
          ...items.map(({ path, shown }) => `${path} ${shown.kind}`),
          ...(held === null ? [] : [`held: ${held}`]),
        ].join(', '),
      );
  }
}

describe('The publication of a directory', () => {
  it('publishes what a scan found as one revision, and nothing that is the same for an MDS', (t) => {
    const files = new Published(t);
    const { publication } = files;
    const a = fileEntry('a');
    publication.take(files.found({ a: settled(a), d: settled(folderEntry()) }), 'watcher');
    assert.deepEqual(files.news(), ['0-1, a settled, d settled']);
    publication.take(files.found({ a: { kind: 'moving', last: a } }), 'watcher');
    assert.deepEqual(files.news(), [], 'a file that is being written has its old content on the MDS');
    publication.take(files.found({ a: settled(fileEntry('b')) }), 'watcher');
    assert.deepEqual(files.news(), ['1-2, a settled']);
  });

  it('leaves out a path that no agent can use', (t) => {
    const files = new Published(t);
    const name = 'x'.repeat(256);
    files.publication.take(files.found({ [name]: settled(fileEntry('a')) }), 'watcher');
    assert.deepEqual(files.news(), []);
  });

  it('keeps a tombstone of what was removed, only in a directory of both directions, until the file is back', (t) => {
    for (const [direction, expected] of [
      ['both', ['a']],
      ['to-mds', []],
    ] as const) {
      const files = new Published(t, direction);
      const { publication } = files;
      publication.take(files.found({ a: settled(fileEntry('a')) }), 'watcher');
      publication.take(files.found({ a: undefined }), 'watcher');
      assert.deepEqual([...publication.tombstones.entries.keys()], expected);
      publication.take(files.found({ a: settled(fileEntry('b')) }), 'watcher');
      assert.equal(publication.tombstones.entries.size, 0);
      assert.deepEqual(files.news(), ['0-1, a settled', '1-2, a gone', '2-3, a settled']);
    }
  });

  it('fills the manifest from state and tombstones at a start, and publishes none of it', (t) => {
    const files = new Published(t);
    files.found({ a: settled(fileEntry('a')) });
    const old = new Tombstones(files.db, 'files', files.clock.now());
    old.set('b', fileEntry('b'), files.clock.now());
    old.set('../c', fileEntry('c'), files.clock.now());
    const publication = files.open('both');
    publication.restore();
    assert.deepEqual(
      [...publication.manifest.entries()].map(([path, { kind }]) => `${path} ${kind}`),
      ['a settled', 'b gone'],
    );
    assert.deepEqual(files.news(), []);
  });

  it('names no save for what was there before its directory was known, also where it settles later', (t) => {
    const files = new Published(t);
    const { publication } = files;
    const ofEach = (...paths: string[]): string[] =>
      paths.map((path) => {
        const { actor, save } = publication.originators.of(path);
        return `${actor}${save === null ? '' : ', saved'}`;
      });
    publication.restore();
    const first = { a: settled(fileEntry('a')), b: { kind: 'moving' } } as const;
    publication.take(files.found(first), 'reconcile');
    publication.scanned();
    publication.take(files.found({ b: settled(fileEntry('b')), c: settled(fileEntry('c')) }), 'watcher');
    assert.deepEqual(ofEach('a', 'b', 'c'), ['reconcile', 'reconcile', 'watcher, saved']);
    publication.take(files.found({ b: settled(fileEntry('new')) }), 'watcher');
    assert.deepEqual(ofEach('b'), ['watcher, saved']);
  });

  it('names one save for findings that belong together', (t) => {
    const files = new Published(t);
    const { publication } = files;
    const saveOf = (path: string): string | null => publication.originators.of(path).save;
    publication.take(files.found({ a: settled(fileEntry('a')) }), 'watcher');
    publication.take(files.found({ b: settled(fileEntry('b')) }), 'watcher', true);
    publication.take(files.found({ c: settled(fileEntry('c')) }), 'watcher');
    assert.ok(saveOf('a') !== null && saveOf('a') === saveOf('b'));
    assert.notEqual(saveOf('c'), saveOf('a'));
  });

  it('names the save of a file that changed while Main did not run', (t) => {
    const files = new Published(t);
    const last = fileEntry('a');
    files.found({ a: settled(last) });
    const publication = files.open('both');
    publication.restore();
    publication.take(files.found({ a: { kind: 'moving', last } }), 'reconcile');
    publication.scanned();
    publication.take(files.found({ a: settled(fileEntry('new')) }), 'watcher');
    const { actor, save } = publication.originators.of('a');
    assert.deepEqual([actor, save === null], ['reconcile', false]);
  });

  it('publishes nothing while the state can not be written, and then all of it', (t) => {
    const files = new Published(t);
    const { publication, db } = files;
    publication.take(files.found({ a: settled(fileEntry('a')) }), 'watcher');
    files.news();
    const { digest } = publication.manifest;
    const advance = t.mock.method(db, 'advance', () => {
      throw new Error('the disk is full');
    });
    const changes = files.found({ a: undefined, b: settled(fileEntry('b')) });
    assert.throws(() => publication.take(changes, 'watcher'), /the disk is full/);
    assert.equal(publication.manifest.digest, digest);
    assert.equal(publication.tombstones.entries.size, 0);
    assert.deepEqual(files.news(), []);
    advance.mock.restore();
    publication.take(changes, 'watcher');
    assert.deepEqual(files.news(), ['1-2, a gone, b settled']);
  });

  it('publishes that a hold begins and ends, once each', (t) => {
    const files = new Published(t);
    const { publication, replica } = files;
    publication.publishHold();
    assert.deepEqual(files.news(), []);
    replica.held = 'the directory is missing';
    publication.publishHold();
    publication.take(new Map(), 'reconcile');
    assert.deepEqual(files.news(), ['0-1, held: the directory is missing']);
    replica.held = undefined;
    publication.take(new Map(), 'reconcile');
    assert.deepEqual(files.news(), ['1-2']);
  });

  it("publishes a change of its own under its originator's save, although its scan reports it meanwhile", (t) => {
    const files = new Published(t);
    const { publication } = files;
    const entry = fileEntry('a recording');
    const step = { kind: 'put', path: 'a', entry, expect: undefined, reason: 'new on mds1' } as const;
    const staged = { name: '1', inode: '1' };
    const outcomes: Outcome[] = [
      { step: { ...step, staged }, result: 'done' },
      { step: { ...step, path: 'late', staged }, result: 'stale' },
    ];
    publication.adopt(outcomes, { actor: 'mds1', save: ID }, () =>
      publication.take(files.found({ a: settled(entry), other: settled(fileEntry('b')) }), 'watcher'),
    );
    assert.deepEqual(files.news(), ['0-1, a settled, other settled']);
    assert.deepEqual(publication.originators.of('a'), { actor: 'mds1', save: ID });
    assert.equal(publication.originators.of('other').actor, 'watcher');
    assert.deepEqual(publication.originators.of('late'), { actor: 'reconcile', save: null });
  });

  it("publishes a recording again when the clock of its MDS is known only after Main's scan", (t) => {
    const files = new Published(t);
    const { publication } = files;
    const entry = fileEntry('a recording');
    publication.take(files.found({ a: settled(entry) }), 'watcher');
    files.news();
    const step = { kind: 'put', path: 'a', entry, expect: undefined, reason: 'new on mds1' } as const;
    const outcome: Outcome = { step: { ...step, staged: { name: '1', inode: '1' } }, result: 'done' };
    publication.adopt([outcome], { actor: 'mds1', save: ID }, () =>
      publication.mtimeClocks.note('a', entry, 5_000_000_000n),
    );
    assert.equal(files.revisions[0]?.items[0]?.shown.kind, 'settled');
    assert.deepEqual(files.revisions[0].items[0].shown.clock, '5000000000');
    publication.take(files.found({ a: undefined }), 'watcher');
    assert.equal(publication.mtimeClocks.clockOf('a', entry), undefined, 'it goes with the file');
  });

  it('forgets the removals of a path and of the folders above it, and of nothing else', (t) => {
    const files = new Published(t);
    const { publication } = files;
    const all = ['d', 'd/e', 'd/e/f', 'd/other'];
    publication.take(
      files.found(Object.fromEntries(all.map((path) => [path, settled(fileEntry(path))]))),
      'watcher',
    );
    publication.take(files.found(Object.fromEntries(all.map((path) => [path, undefined]))), 'watcher');
    files.news();
    publication.forgetRemoval('d/e/f');
    assert.deepEqual(files.news(), ['2-3, d/e/f gone, d/e gone, d gone']);
    assert.deepEqual([...publication.tombstones.entries.keys()], ['d/other']);
    publication.forgetRemoval('d/e/f');
    assert.deepEqual(files.news(), []);
  });

  it("counts the lag from the earliest change, but not from a time that the settle time can't explain", (t) => {
    const files = new Published(t);
    const { publication, clock, stamps } = files;
    const now = clock.now();
    const stampAt = (time: number): string => `1:2:3:4:${BigInt(time) * 1_000_000n}`;
    stamps.set('a', stampAt(now - 100));
    stamps.set('b', stampAt(now - SETTLE));
    publication.take(files.found({ a: settled(fileEntry('a')), b: settled(fileEntry('b')) }), 'watcher');
    assert.equal(publication.changedAt, now - SETTLE);
    stamps.set('c', stampAt(now - 3_600_000));
    publication.take(files.found({ c: settled(fileEntry('c')) }), 'watcher');
    assert.equal(
      publication.changedAt,
      now,
      'a file that was moved here with its folder is older than its change',
    );
  });
});
