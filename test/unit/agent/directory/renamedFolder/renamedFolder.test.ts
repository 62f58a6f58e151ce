import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ManifestItem } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { Mds, type MdsOptions, scanned } from '../../../../support/unit/mdsDirectory.ts';

const RENAMED = { type: 'folder-renamed', directory: 'files', from: 'folder', to: 'other' } as const;
const FILES = ['folder/a.wav', 'folder/b.wav', 'folder/deep/c.wav'];
const LINK = 'folder/link';
const CONTENTS = Object.fromEntries(FILES.map((file) => [file, `the content of ${file}`]));

/** A directory in which all is as on Main. Main sends no content of it: what is here is enough. */
class Delivered {
  readonly mds: Mds;
  readonly entries: Readonly<Record<string, Entry>>;
  #revision = 1;

  private constructor(mds: Mds, entries: Readonly<Record<string, Entry>>) {
    this.mds = mds;
    this.entries = entries;
  }

  static async make(t: TestContext, more: MdsOptions = {}): Promise<Delivered> {
    const mds = new Mds(t, { files: { ...CONTENTS, 'beside.wav': 'x' }, ...more });
    symlinkSync('a.wav', path.join(mds.root, LINK));
    mds.attach();
    const entries = await scanned(mds);
    await mds.mainSays(entries);
    return new Delivered(mds, entries);
  }

  /** Main says that the folder has another name. */
  hear(message: Partial<typeof RENAMED> & { readonly from?: string; readonly to?: string } = {}): void {
    this.mds.directory.manifest.renamed.take({ ...RENAMED, ...message });
  }

  /** Main says what became of these paths below the folder, and of the folder itself. */
  change(paths: readonly string[]): void {
    const items = paths.flatMap((file): ManifestItem[] => {
      const entry = this.entries[file];
      assert.ok(entry, file);
      return [
        { path: renamed(file), shown: { kind: 'settled', entry } },
        { path: file, shown: { kind: 'gone' } },
      ];
    });
    const from = this.#revision++;
    const message = { type: 'changes', directory: 'files', sequence: 1, held: null, items } as const;
    this.mds.directory.manifest.change({ ...message, from, revision: this.#revision });
  }

  /** What Main's manifest has after the rename. */
  get renamedEntries(): Record<string, Entry> {
    return Object.fromEntries(Object.entries(this.entries).map(([file, entry]) => [renamed(file), entry]));
  }

  inode(name: string): number {
    return statSync(path.join(this.mds.root, name)).ino;
  }

  has(name: string): boolean {
    return existsSync(path.join(this.mds.root, name));
  }

  /** The ledger as it is stored. */
  get ledger(): string[] {
    return [...new Ledger(this.mds.db, 'files').entries.keys()].sort();
  }

  /** What is gone counts as removed once it has stayed away for the settle time. */
  async rest(): Promise<void> {
    await this.mds.directory.readAgain();
    await this.mds.directory.whenIdle();
    assert.deepEqual(this.mds.log, []);
  }
}

const ALL = ['folder', 'folder/deep', LINK, ...FILES];

function renamed(file: string): string {
  return file.replace(/^folder/u, 'other');
}

/** The time for which Main's changes are waited for, which passes only when the test wants it. */
class Wait {
  end = (): void => assert.fail('nothing is waited for');
  times = 0;
  readonly clock: Clock = {
    ...systemClock,
    after: (milliseconds, run) => {
      if (milliseconds !== 10_000) return systemClock.after(milliseconds, run);
      this.times += 1;
      this.end = run;
      return () => undefined;
    },
  };
}

/** Another program makes a folder of the old name as soon as that is free. */
function takenWhenRenamed(mds: Mds): void {
  const { replica } = mds.directory;
  const get = replica.get.bind(replica);
  replica.get = (name) => {
    if (existsSync(path.join(mds.root, 'other')))
      mkdirSync(path.join(mds.root, 'folder'), { recursive: true });
    return get(name);
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('A folder that has another name on Main', () => {
  it('is renamed at once, and nothing is undone while the changes of its files arrive', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    const inodes = ['folder', ...FILES].map((file) => delivered.inode(file));
    delivered.hear();
    assert.deepEqual(
      ['other', ...FILES.map(renamed)].map((file) => delivered.inode(file)),
      inodes,
    );
    assert.ok(!delivered.has('folder'));
    await turns();
    delivered.change(['folder', 'folder/a.wav']);
    await turns();
    assert.deepEqual(readdirSync(mds.root).sort(), ['.xivo-xds-sync', 'beside.wav', 'other']);
    assert.equal(mds.directory.report(false).pending, 0);
    assert.ok(delivered.ledger.includes('folder/b.wav'), 'Main has not said it of all');
    delivered.change(['folder/deep', LINK, 'folder/b.wav', 'folder/deep/c.wav']);
    await delivered.rest();
    assert.deepEqual(delivered.ledger, ['beside.wav', ...ALL.map(renamed)].sort());
    assert.deepEqual(
      ['other', ...FILES.map(renamed)].map((file) => delivered.inode(file)),
      inodes,
    );
    const history = mds.done.map(({ action, path: file, bytes }) => `${action} ${file} ${bytes}`).sort();
    assert.deepEqual(
      history,
      FILES.flatMap((file) => [`remove ${file} 0`, `send ${renamed(file)} 0`]).sort(),
    );
    const { pending, localOnly } = mds.directory.report(false);
    assert.deepEqual({ pending, localOnly }, { pending: 0, localOnly: 0 });
  });

  it('gets what else is new on Main as soon as its changes have arrived', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    delivered.hear();
    const entry = mds.main.has('new.wav', 'from Main');
    const items = [{ path: 'new.wav', shown: { kind: 'settled' as const, entry } }];
    const message = { type: 'changes', directory: 'files', sequence: 1, held: null, items } as const;
    mds.directory.manifest.change({ ...message, from: 1, revision: 1 });
    await turns();
    assert.equal(mds.read('new.wav'), undefined);
    delivered.change(ALL);
    await delivered.rest();
    assert.equal(mds.read('new.wav'), 'from Main');
  });

  const refusals: Record<string, (delivered: Delivered) => Promise<void> | void> = {
    'has a file of this MDS in it': async ({ mds }) => {
      mds.write('folder/deep/local.wav', 'own');
      await mds.directory.readAgain();
    },
    'has a file in it that was not seen yet': ({ mds }) => mds.write('folder/deep/local.wav', 'own'),
    'has an override in it': ({ mds }) => mds.write('folder/deep/xds_override_local', 'own'),
    'has a new name that is this MDS’s': ({ mds }) => mds.write('other/local.wav', 'own'),
    'is on an MDS that is paused': async ({ mds }) => {
      mds.directory.pause(true);
      await mds.directory.whenIdle();
    },
  };
  for (const [what, arrange] of Object.entries(refusals)) {
    it(`but ${what} is not renamed as a whole`, async (t) => {
      const delivered = await Delivered.make(t);
      await arrange(delivered);
      delivered.hear();
      assert.ok(delivered.has('folder/a.wav'));
      delivered.mds.directory.pause(false);
      delivered.change(ALL);
      await delivered.mds.directory.readAgain();
      await delivered.mds.directory.whenIdle();
      const own = ['folder/deep/local.wav', 'folder/deep/xds_override_local', 'other/local.wav'];
      const still = own.filter((file) => delivered.mds.read(file) === 'own');
      assert.equal(still.length, what.includes('paused') ? 0 : 1, 'what is of this MDS stays where it was');
      assert.ok(delivered.has('other/deep/c.wav') && !delivered.has('folder/deep/c.wav'));
    });
  }

  for (const [what, policy] of Object.entries({
    'travels both ways': { direction: 'both', deletions: 'both' },
    'is never removed here': { deletions: 'never' },
    'is read by Asterisk as a whole': { reload: 'moh' },
  } as const))
    it(`is not renamed where what ${what}`, async (t) => {
      const delivered = await Delivered.make(t, { policy });
      delivered.hear();
      assert.ok(delivered.has('folder/a.wav') && !delivered.has('other'));
    });

  it('is not renamed while something else is to be done', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    const items = [
      { path: 'new.wav', shown: { kind: 'settled' as const, entry: mds.main.has('new.wav', 'x') } },
    ];
    const message = { type: 'changes', directory: 'files', sequence: 1, held: null, items } as const;
    mds.directory.manifest.change({ ...message, from: 1, revision: 1 });
    delivered.hear();
    assert.ok(delivered.has('folder/a.wav') && !delivered.has('other'));
    await delivered.rest();
  });

  it('is not renamed while removals are on hold', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    mds.lose();
    mds.attach('Main’s state was restored');
    await mds.mainSays(delivered.entries);
    delivered.hear();
    assert.ok(delivered.has('folder/a.wav') && !delivered.has('other'));
  });

  for (const [what, isTaken] of [
    ['it is put back', false],
    ['it has its new name if the old one is taken by then', true],
  ] as const)
    it(`when a file of this MDS is made in it between the check and the rename, ${what}`, async (t) => {
      const delivered = await Delivered.make(t);
      const { mds } = delivered;
      const rename = mds.db.setMeta.bind(mds.db);
      mds.db.setMeta = (key, value) => {
        rename(key, value);
        if (value !== undefined && key.startsWith('renamed-folder')) mds.write('folder/late.wav', 'own');
      };
      if (isTaken) takenWhenRenamed(mds);
      delivered.hear();
      assert.equal(mds.read(`${isTaken ? 'other' : 'folder'}/late.wav`), 'own');
      delivered.change(ALL);
      await mds.directory.readAgain();
      await mds.directory.whenIdle();
      assert.equal(mds.read(`${isTaken ? 'other' : 'folder'}/late.wav`), 'own');
      for (const file of FILES)
        assert.deepEqual([delivered.has(file), delivered.has(renamed(file))], [false, true]);
      assert.equal(mds.db.meta('renamed-folder:files'), undefined);
    });

  it('is a damaged state when what was noted of it can’t be read', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    await mds.directory.close();
    mds.db.transaction(() => mds.db.setMeta('renamed-folder:files', '{"from":7}'));
    await mds.restart();
    mds.attach();
    mds.directory.manifest.begin({
      type: 'manifest-begin',
      directory: 'files',
      revision: 1,
      held: null,
      root: null,
    });
    mds.directory.manifest.end({ type: 'manifest-end', directory: 'files', revision: 1, sequence: 1 });
    await mds.db.whenDamaged();
  });

  it('is left alone by names that Main must not say', async (t) => {
    const delivered = await Delivered.make(t);
    mkdirSync(path.join(delivered.mds.root, 'nested'));
    const wrong = [
      { to: 'nested/other' },
      { to: '../other' },
      { to: '/tmp/other' },
      { to: 'folder/deeper' },
      { to: 'xds_override_other' },
      { to: '.xivo-xds-sync/other' },
      { to: 'beside.wav' },
      { to: 'missing/other' },
      { from: 'missing' },
      { from: '..' },
      { from: 'beside.wav' },
      { from: '.xivo-xds-sync' },
    ];
    for (const message of wrong) {
      delivered.hear(message as Partial<typeof RENAMED>);
      const there = (folder: string): string[] => readdirSync(path.join(delivered.mds.root, folder)).sort();
      assert.deepEqual(there(''), ['.xivo-xds-sync', 'beside.wav', 'folder', 'nested']);
      assert.deepEqual([there('folder'), there('nested')], [['a.wav', 'b.wav', 'deep', 'link'], []]);
    }
    await delivered.rest();
    assert.equal(delivered.mds.directory.report(false).pending, 0);
  });

  it('gets its old name again when Main does not confirm it, whatever else it says', async (t) => {
    const wait = new Wait();
    const delivered = await Delivered.make(t, wait);
    const inode = delivered.inode('folder/a.wav');
    delivered.hear();
    const entry = delivered.entries['beside.wav'];
    assert.ok(entry);
    const items = [{ path: 'beside.wav', shown: { kind: 'settled' as const, entry } }];
    const message = { type: 'changes', directory: 'files', sequence: 1, held: null, items } as const;
    delivered.mds.directory.manifest.change({ ...message, from: 1, revision: 1 });
    await turns();
    assert.ok(delivered.has('other/a.wav'));
    assert.equal(wait.times, 1);
    // So long after it, the old names are gone for certain.
    await delivered.mds.directory.readAgain();
    wait.end();
    await delivered.rest();
    assert.deepEqual(readdirSync(delivered.mds.root).sort(), ['.xivo-xds-sync', 'beside.wav', 'folder']);
    assert.equal(delivered.inode('folder/a.wav'), inode);
    assert.deepEqual(delivered.ledger, ['beside.wav', ...ALL].sort());
  });

  it('does not make an edit on this MDS one of Main’s files', async (t) => {
    const delivered = await Delivered.make(t);
    const { mds } = delivered;
    delivered.hear();
    mds.write('other/a.wav', 'edited here');
    await mds.directory.readAgain();
    mds.main.has('other/a.wav', CONTENTS['folder/a.wav'] ?? '');
    delivered.change(ALL);
    await delivered.rest();
    assert.equal(mds.read('other/a.wav'), CONTENTS['folder/a.wav']);
    const { items } = await mds.directory.trash();
    assert.deepEqual(
      items.map(({ path: file }) => file),
      ['other/a.wav'],
    );
    const reasons = mds.done.flatMap(({ path: file, action, reason }) =>
      file === 'other/a.wav' ? [`${action}: ${reason}`] : [],
    );
    assert.equal(reasons.length, 1);
    assert.doesNotMatch(reasons[0] ?? '', /was renamed/);
  });

  it('is recorded when the connection ends before Main has confirmed it', async (t) => {
    const delivered = await Delivered.make(t, new Wait());
    const { mds } = delivered;
    const inode = delivered.inode('folder/a.wav');
    delivered.hear();
    mds.lose();
    await delivered.rest();
    mds.attach();
    await mds.mainSays(delivered.renamedEntries);
    await delivered.rest();
    assert.equal(delivered.inode('other/a.wav'), inode);
    assert.deepEqual(delivered.ledger, ['beside.wav', ...ALL.map(renamed)].sort());
  });

  for (const [what, isConfirmed] of [
    ['has confirmed it meanwhile', true],
    ['has the old name', false],
  ] as const) {
    it(`is where Main wants it after a crash, when Main ${what}`, async (t) => {
      // The old names are gone for certain only after a while.
      const delivered = await Delivered.make(t, { policy: { settle: 200 } });
      const { mds } = delivered;
      const inode = delivered.inode('folder/a.wav');
      delivered.hear();
      mds.write('other/local.wav', 'own');
      await mds.restart();
      assert.ok(delivered.ledger.includes('folder/a.wav'));
      mds.attach();
      await mds.mainSays(isConfirmed ? delivered.renamedEntries : delivered.entries);
      await delivered.rest();
      const name = isConfirmed ? 'other' : 'folder';
      assert.equal(delivered.inode(`${name}/a.wav`), inode);
      assert.equal(mds.read('other/local.wav'), 'own');
      const there = isConfirmed ? ALL.map(renamed) : ALL;
      assert.deepEqual(
        delivered.ledger.filter((file) => !file.startsWith('beside')),
        [...there].sort(),
      );
      for (const file of FILES) assert.equal(delivered.has(file), !isConfirmed);
      assert.equal(mds.directory.report(false).pending, 0);
    });
  }

  it('may be renamed here, too, by hand: then its files are only recorded', async (t) => {
    const delivered = await Delivered.make(t);
    const { root } = delivered.mds;
    renameSync(path.join(root, 'folder'), path.join(root, 'other'));
    delivered.hear();
    delivered.change(ALL);
    await delivered.mds.directory.readAgain();
    await delivered.mds.directory.whenIdle();
    assert.deepEqual(delivered.ledger, ['beside.wav', ...ALL.map(renamed)].sort());
  });
});
