import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import type { ManifestItem } from '#protocol/messages/common.ts';
import { ManifestReceiver } from '../../../../../agent/directory/manifest/manifestReceiver.ts';
import type { AgentSession } from '../../../../../agent/connection/agentSession.ts';
import type { RenamedFolder } from '../../../../../agent/directory/renamedFolder/renamedFolder.ts';
import type { Reconciler } from '../../../../../agent/directory/reconciler.ts';
import { AgentPlace } from '../../../../support/unit/agentPlace.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const item = (path: string): ManifestItem => ({ path, shown: { kind: 'settled', entry: fileEntry(path) } });

/** What Main says about a directory, and what comes of it on the MDS. */
class Received {
  readonly place: AgentPlace;
  readonly receiver: ManifestReceiver;
  readonly violations: string[] = [];
  /** The manifests that were asked for: whole, or with digests of what is here. */
  readonly wanted: ('whole' | 'difference')[] = [];
  readonly planned: string[][] = [];
  woken = 0;
  held: string | undefined;
  ready: (() => void)[] = [];
  #ended = new AbortController();

  constructor(place: AgentPlace) {
    this.place = place;
    const reconciler = {
      mainChanged: (paths: readonly string[]) => this.planned.push([...paths]),
      wake: () => (this.woken += 1),
    };
    Object.defineProperty(reconciler, 'held', { get: () => this.held });
    const nothing = (): void => undefined;
    this.receiver = new ManifestReceiver({
      policy: { name: 'files' },
      place: place.place,
      events: {
        remember: (write) => write(),
        news: nothing,
        applied: nothing,
        done: nothing,
        changedHere: nothing,
      },
      mainManifest: place.mainManifest,
      agreed: place.agreed,
      reconciler: reconciler as unknown as Reconciler,
      renamed: { heard: nothing } as unknown as RenamedFolder,
      onManifest: (whenReady) => this.ready.push(whenReady),
    });
  }

  connect(capabilities: readonly string[] = MAIN_CAPABILITIES): void {
    this.#ended = new AbortController();
    const session = {
      mainCapabilities: new Set(capabilities),
      signal: this.#ended.signal,
      wantManifest: (directory: string, have?: string) => {
        assert.equal(directory, 'files');
        this.wanted.push(have === undefined ? 'whole' : 'difference');
      },
      violation: (what: string) => this.violations.push(what),
    };
    this.receiver.attach(session as unknown as AgentSession);
    this.receiver.request();
  }

  lose(): void {
    this.#ended.abort();
  }

  whole(paths: readonly string[], revision = 1, digest?: string): void {
    const about = { directory: 'files', revision };
    this.receiver.begin({ type: 'manifest-begin', ...about, held: null, root: null });
    this.receiver.page({ type: 'manifest-page', directory: 'files', items: paths.map(item) });
    const end = { type: 'manifest-end', ...about, sequence: 1 } as const;
    this.receiver.end(digest === undefined ? end : { ...end, digest });
  }

  change(from: number, revision: number, paths: readonly string[], held: string | null = null): void {
    const items = paths.map(item);
    this.receiver.change({ type: 'changes', directory: 'files', from, revision, sequence: 1, held, items });
  }
}

const make = async (t: TestContext): Promise<Received> => {
  const received = new Received(await AgentPlace.make(t));
  received.connect();
  return received;
};

describe("Main's manifest of a directory", () => {
  it('is asked for when the connection opens, and is here when the directory was scanned, too', async (t) => {
    const received = await make(t);
    assert.deepEqual(received.wanted, ['whole']);
    let isHere: boolean | undefined;
    const here = received.receiver.whenHere().then((answer) => (isHere = answer));
    received.whole(['a', 'b']);
    assert.deepEqual([...received.place.mainManifest.paths()], ['a', 'b']);
    assert.equal(isHere, undefined);
    received.ready.forEach((ready) => ready());
    await here;
    assert.equal(isHere, true);
    assert.deepEqual(received.violations, []);
  });

  it('is not here any more when the connection ends before', async (t) => {
    const received = await make(t);
    const here = received.receiver.whenHere();
    received.lose();
    assert.equal(await here, false);
    received.connect();
    const again = received.receiver.whenHere();
    received.whole(['a']);
    received.ready.forEach((ready) => ready());
    assert.equal(await again, true);
  });

  it('is asked for with what is here of it, of a Main that can compare', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    received.connect();
    received.connect([]);
    assert.deepEqual(received.wanted, ['whole', 'difference', 'whole']);
    assert.equal(received.place.mainManifest.isReady, false, 'nothing is planned by the copy');
  });

  it('is guessed from the ledger after a start, so that only what differs is sent', async (t) => {
    const place = await AgentPlace.make(t);
    place.db.transaction(() => place.agreed.agree('a', fileEntry('a')));
    const received = new Received(place);
    received.connect();
    assert.deepEqual(received.wanted, ['difference']);
    const older = new Received(place);
    older.connect([]);
    assert.deepEqual(older.wanted, ['whole']);
  });

  it('is fetched as a whole when a difference did not make this copy equal', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    received.ready.length = 0;
    received.whole(['a', 'b'], 2, 'f'.repeat(64));
    assert.deepEqual(received.wanted, ['whole', 'whole']);
    assert.deepEqual(received.ready, [], 'nothing is planned by it');
    assert.equal(received.place.mainManifest.isReady, false);
    assert.equal(received.place.log.length, 1);
  });
});

describe('A change on Main', () => {
  it('has its paths planned', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    received.change(1, 2, ['a', 'b']);
    assert.deepEqual(received.planned, [['a', 'b']]);
    assert.equal(received.place.mainManifest.revision, 2);
    assert.equal(received.woken, 0);
  });

  it('that this copy has no basis for has all of the manifest fetched', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    received.change(5, 6, ['b']);
    assert.deepEqual(received.wanted, ['whole', 'whole']);
    assert.deepEqual(received.planned, []);
    assert.equal(received.place.mainManifest.revision, 1);
  });

  it('by which a hold begins or ends has everything planned', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    received.change(1, 2, [], 'the directory is missing');
    assert.equal(received.woken, 1);
    received.held = 'the directory is missing';
    received.change(2, 3, ['b'], 'the directory is missing');
    assert.equal(received.woken, 1);
    received.change(3, 4, []);
    assert.equal(received.woken, 2);
  });
});

describe('A comparison with Main', () => {
  const check = (received: Received, revision: number, digest: string): void =>
    received.receiver.check({ type: 'check', directory: 'files', revision, sequence: 1, digest });

  it('has a wrong copy fetched again, and says so', async (t) => {
    const received = await make(t);
    received.whole(['a']);
    check(received, 1, received.place.mainManifest.digest);
    check(received, 2, 'f'.repeat(64));
    assert.deepEqual(
      received.wanted,
      ['whole'],
      'an equal copy, and one that is about another revision, stay',
    );
    check(received, 1, 'f'.repeat(64));
    assert.deepEqual(received.wanted, ['whole', 'whole']);
    assert.equal(received.place.log.length, 1);
  });
});

describe('A Main that breaks the order', () => {
  for (const [what, say] of [
    [
      'a page without a beginning',
      ({ receiver }) => receiver.page({ type: 'manifest-page', directory: 'files', items: [] }),
    ],
    [
      'an end without a beginning',
      ({ receiver }) => receiver.end({ type: 'manifest-end', directory: 'files', revision: 1, sequence: 1 }),
    ],
    [
      'a difference from what was not offered',
      ({ receiver }) =>
        receiver.begin({
          type: 'manifest-begin',
          directory: 'files',
          revision: 1,
          held: null,
          root: null,
          replaces: [0],
        }),
    ],
  ] as const satisfies readonly (readonly [string, (received: Received) => void])[]) {
    it(`by ${what} violates the protocol`, async (t) => {
      const received = await make(t);
      say(received);
      assert.equal(received.violations.length, 1);
      assert.equal(received.place.mainManifest.isReady, false);
    });
  }
});
