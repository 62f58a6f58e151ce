import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { ManifestEntry } from '#protocol/messages/common.ts';
import { type FromMain, fromMainSchema } from '#protocol/messages/session.ts';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { localise, type OwnerNames } from '#core/manifest/localise.ts';
import { Manifest } from '#core/manifest/manifest.ts';
import { Owners } from '#host/fs/owners.ts';
import { MainManifest } from '../../../../../agent/directory/manifest/mainManifest.ts';
import type { MainDirectory } from '../../../../../controller/directories/mainDirectory.ts';
import { ManifestSender } from '../../../../../controller/sessions/manifest/manifestSender.ts';
import { Pair, placesIn } from '../../../../support/crash/pair.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const FILES = 20_000;

function entryOf(content: string, clock?: string): ManifestEntry {
  return { kind: 'settled', entry: fileEntry(content), ...(clock !== undefined && { clock }) };
}

/** A Main with one directory, and what it sends to an agent that connects. */
class Main {
  readonly manifest = new Manifest();
  revision = 1;
  messages: FromMain[] = [];

  /** @param during called before each page leaves */
  async connect(
    view: MainManifest,
    during: (sender: ManifestSender) => void = () => undefined,
  ): Promise<void> {
    this.messages = [];
    view.forgetRevision();
    const take = (message: FromMain): void => {
      assert.deepEqual(fromMainSchema.parse(message), message);
      this.messages.push(message);
      const fault = deliver(view, message);
      assert.equal(fault, undefined);
    };
    const sender: ManifestSender = new ManifestSender({
      line: {
        isOpen: true,
        send: take,
        sendText: (text) => take(JSON.parse(text) as FromMain),
        sendAndWait: async (message) => {
          take(message);
          await Promise.resolve();
          during(sender);
        },
      },
      sequence: () => 0,
      hold: () => null,
      saveOf: () => null,
    });
    sender.speakTo(new Set(AGENT_CAPABILITIES));
    const directory = Object.defineProperty(
      { name: 'moh', replica: {}, rootEntry: () => null, manifest: this.manifest },
      'revision',
      { get: () => this.revision },
    );
    await sender.send(directory as unknown as MainDirectory, view.offer());
  }

  set(path: string, shown: ManifestEntry, sender?: ManifestSender): void {
    this.manifest.set(path, shown);
    const from = this.revision;
    this.revision += 1;
    void sender?.announce({
      directory: 'moh',
      from,
      revision: this.revision,
      held: null,
      items: [{ path, shown }],
    });
  }

  get bytes(): number {
    return JSON.stringify(this.messages).length;
  }

  get items(): number {
    return this.messages.reduce(
      (sum, message) => sum + (message.type === 'manifest-page' ? message.items.length : 0),
      0,
    );
  }
}

function deliver(view: MainManifest, message: FromMain): string | undefined {
  if (message.type === 'manifest-begin') return view.begin(message.held, message.root, message.replaces);
  if (message.type === 'manifest-page') return view.page(message.items, message.saves);
  if (message.type === 'changes')
    return view.change(message.from, message.revision, message.held, message.items) ? undefined : 'a gap';
  if (message.type !== 'manifest-end') return 'another message';
  const outcome = view.end(message.revision, message.digest);
  return outcome === 'whole' ? undefined : outcome;
}

function filled(): Main {
  const main = new Main();
  for (let number = 0; number < FILES; number++)
    main.manifest.set(`f/${number}.wav`, entryOf(String(number)));
  return main;
}

/** The copy is Main's manifest, in everything that is derived from it, too. */
function agrees(view: MainManifest, main: Main): void {
  const fresh = new MainManifest(new Owners(), new Set());
  fresh.begin(null, null);
  fresh.page([...main.manifest.entries()].map(([path, shown]) => ({ path, shown })));
  fresh.end(main.revision);
  assert.equal(view.revision, main.revision);
  for (const part of ['tombstones', 'clocks', 'refused', 'special'] as const)
    assert.deepEqual(new Map<string, unknown>(view[part]), new Map<string, unknown>(fresh[part]), part);
  assert.deepEqual(new Set(view.paths()), new Set(fresh.paths()));
  for (const path of fresh.paths()) assert.deepEqual(view.get(path), fresh.get(path), path);
  assert.deepEqual(new Set(view.childrenOf('f')), new Set(fresh.childrenOf('f')));
}

void describe('An agent that connects again', () => {
  void it('and missed nothing is sent nothing, however large the directory', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    await main.connect(view);
    assert.equal(main.items, FILES);
    await main.connect(view);
    assert.equal(main.items, 0);
    assert.ok(main.bytes + (view.offer()?.length ?? 0) < 20_000);
    agrees(view, main);
  });

  void it('is sent what changed, whatever it is, and little else', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    await main.connect(view);
    main.set('f/1.wav', entryOf('changed'));
    main.set('f/2.wav', { kind: 'gone' });
    main.set('f/3.wav', { kind: 'gone', tombstone: fileEntry('3') });
    main.set('f/4.wav', entryOf('4', '5000000000'));
    main.set('f/new', { kind: 'special', what: 'a socket' });
    main.set('../outside', entryOf('refused'));
    await main.connect(view);
    agrees(view, main);
    assert.ok(main.items >= 5 && main.items < 400, String(main.items));
    main.set('f/4.wav', entryOf('4'));
    main.set('f/3.wav', { kind: 'gone' });
    main.set('../outside', { kind: 'gone' });
    await main.connect(view);
    agrees(view, main);
    assert.ok(main.items > 0);
  });

  void it('gets what changes while the difference is under way', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    await main.connect(view);
    for (let number = 0; number < 100; number++) main.set(`f/${number}.wav`, entryOf('missed'));
    let pages = 0;
    await main.connect(view, (sender) => {
      pages += 1;
      main.set(`f/${pages}.wav`, { kind: 'gone' }, sender);
      main.set(`f/late ${pages}`, entryOf('late'), sender);
      main.set(`f/${FILES - pages}.wav`, entryOf('late, too'), sender);
    });
    assert.ok(pages > 1, String(pages));
    assert.ok(main.items < FILES);
    agrees(view, main);
  });

  void it('gets what changes while it would be next in line, in the whole manifest and in a difference', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    let changed = 0;
    const changeNext = (sender: ManifestSender): void => {
      const page = main.messages.findLast((message) => message.type === 'manifest-page');
      const last = page?.items.at(-1)?.path;
      const paths = [...main.manifest.keys()];
      const next = paths.indexOf(last ?? '') + 1;
      for (const path of paths.slice(next, next + 200))
        main.set(path, entryOf(`changed ${changed++}`), sender);
    };
    await main.connect(view, changeNext);
    assert.equal(main.items, FILES);
    agrees(view, main);
    for (let number = 0; number < 100; number++) main.set(`f/${number}.wav`, entryOf('missed'));
    await main.connect(view, changeNext);
    assert.ok(main.items > 1_000 && main.items < FILES, String(main.items));
    agrees(view, main);
    assert.ok(changed > FILES / 10, String(changed));
  });

  void it('resumes a difference that was cut off', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    await main.connect(view);
    for (let number = 0; number < 100; number++) main.set(`f/${number}.wav`, { kind: 'gone' });
    main.set('f/new', entryOf('new'));
    view.forgetRevision();
    view.offer();
    assert.equal(view.begin(null, null, [1, 2, 3]), undefined);
    assert.equal(view.page([{ path: 'f/new', shown: entryOf('new') }]), undefined);
    assert.equal(view.isReady, false);
    await main.connect(view);
    assert.ok(main.items < FILES);
    agrees(view, main);
  });

  void it('gets the whole manifest from a Main with another content', async () => {
    const view = new MainManifest(new Owners(), new Set());
    await filled().connect(view);
    const other = new Main();
    for (let number = 0; number < 500; number++) other.manifest.set(`g/${number}`, entryOf(String(number)));
    await other.connect(view);
    assert.equal(other.items, 500);
    agrees(view, other);
  });

  void it('refuses a difference from what it has not offered', () => {
    const view = new MainManifest(new Owners(), new Set());
    assert.match(view.begin(null, null, [0]) ?? '', /was not offered/);
    assert.equal(view.end(1), 'unexpected');
  });

  void it('plans nothing by a manifest whose digest is wrong, and offers it as a guess', async () => {
    const main = filled();
    const view = new MainManifest(new Owners(), new Set());
    await main.connect(view);
    main.set('f/1.wav', entryOf('changed'));
    view.forgetRevision();
    view.offer();
    view.begin(null, null, []);
    assert.equal(view.end(main.revision, main.manifest.exactDigest), 'wrong');
    assert.equal(view.isReady, false);
    await main.connect(view);
    agrees(view, main);
  });

  void it('has Main name few buckets of a small directory, and every number of files works', async () => {
    for (const files of [0, 1, 2, 33, 64, 65, 1_000]) {
      const main = new Main();
      for (let number = 0; number < files; number++)
        main.manifest.set(`f/${number}`, entryOf(String(number)));
      const view = new MainManifest(new Owners(), new Set());
      await main.connect(view);
      agrees(view, main);
      await main.connect(view);
      assert.equal(main.items, 0);
      main.set('f/one more', entryOf('more'));
      await main.connect(view);
      agrees(view, main);
    }
  });
});

/** The accounts of a host where the same names have other numbers. */
const ELSEWHERE: OwnerNames = {
  userName: (uid) => ({ 1110: 'asterisk', 0: 'root' })[uid] ?? String(uid),
  groupName: (gid) => ({ 1112: 'asterisk', 0: 'root' })[gid] ?? String(gid),
  userNumber: (name, otherwise) => ({ asterisk: 1110, root: 0 })[name] ?? otherwise,
  groupNumber: (name, otherwise) => ({ asterisk: 1112, root: 0 })[name] ?? otherwise,
};

void describe('An agent that was restarted', () => {
  void it('rebuilds what it has from the ledger, also where the accounts of Main have other numbers here', async () => {
    const owners = { owner: 'asterisk', group: 'asterisk', uid: 113, gid: 118 };
    const main = new Main();
    for (let number = 0; number < FILES; number++)
      main.manifest.set(`f/${number}.wav`, {
        kind: 'settled',
        entry: { ...fileEntry(String(number)), ...owners },
      });
    main.manifest.set('f/of a user that is unknown there', {
      kind: 'settled',
      entry: { ...fileEntry('unknown'), ...owners, owner: 'admin', uid: 1000 },
    });
    const before = new MainManifest(ELSEWHERE as unknown as Owners, new Set());
    await main.connect(before);
    const ledger = new Map<string, Entry>();
    for (const [path, shown] of main.manifest.entries())
      if (shown.kind === 'settled') ledger.set(path, localise(shown.entry, ELSEWHERE));
    const view = new MainManifest(ELSEWHERE as unknown as Owners, new Set());
    view.mainOwners.read(JSON.parse(before.mainOwners.text));
    const restored = view.mainOwners.restorer(ELSEWHERE);
    for (const [path, entry] of ledger) view.restore(path, { kind: 'settled', entry: restored(entry) });
    await main.connect(view);
    assert.equal(main.items, 0);
    assert.equal(view.revision, main.revision);
    for (const path of before.paths()) assert.deepEqual(view.get(path), before.get(path));
  });

  void it('asks by its ledger, and is sent what it missed', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'xds-difference-'));
    const pair = async (): Promise<Pair> => {
      const started = new Pair(folder, { direction: 'to-mds', deletions: 'main' });
      await started.start();
      await started.close();
      assert.deepEqual(started.log, []);
      return started;
    };
    try {
      const { main, mds } = placesIn(folder);
      for (const place of [main, mds]) await mkdir(place, { recursive: true });
      for (let number = 0; number < 300; number++) await writeFile(path.join(main, `${number}`), `${number}`);
      assert.equal((await pair()).manifestItems, 300);
      assert.equal((await pair()).manifestItems, 0);
      await writeFile(path.join(main, '7'), 'changed while it was away');
      const { manifestItems } = await pair();
      assert.ok(manifestItems > 0 && manifestItems < 100, String(manifestItems));
      assert.equal(await readFile(path.join(mds, '7'), 'utf8'), 'changed while it was away');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  void it('whose memory of the owners makes no sense gets the entries again', async () => {
    const view = new MainManifest(new Owners(), new Set());
    for (const nonsense of [undefined, null, 7, [{}], [{ type: 'folder' }], {}])
      view.mainOwners.read(nonsense);
    assert.equal(view.mainOwners.size, 0);
  });
});
