import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { Excludes } from '#core/path/excludes.ts';
import { differencesOf } from '../../../../../agent/directory/own/differences.ts';
import { AgentPlace } from '../../../../support/unit/agentPlace.ts';
import { fileEntry, folderEntry } from '../../../../support/unit/applyPlace.ts';
import { inputOf } from '../../../../support/unit/planCase.ts';

type Given = {
  readonly files: Readonly<Record<string, string>>;
  /** What Main has of them: the same as here, or other content. */
  readonly main?: Readonly<Record<string, 'same' | Entry>>;
  readonly ledger?: Readonly<Record<string, 'same' | Entry>>;
  readonly excludes?: readonly string[];
  readonly before?: (place: AgentPlace) => Promise<void> | void;
};

async function found(
  t: TestContext,
  { files, main = {}, ledger = {}, excludes = [], before }: Given,
  under?: string,
  obstacleOf: (path: string) => { reason: string } | undefined = () => undefined,
): Promise<string[]> {
  const place = await AgentPlace.make(t, files);
  await before?.(place);
  const { replica } = place.sync;
  const entries = (given: Readonly<Record<string, 'same' | Entry>>): Record<string, Entry> =>
    Object.fromEntries(
      Object.entries(given).map(([path, entry]) => [path, entry === 'same' ? place.entry(path) : entry]),
    );
  const input = {
    ...inputOf({ main: entries(main), ledger: entries(ledger) }),
    mds: replica,
    excludes: new Excludes(excludes),
  };
  const differences = await differencesOf(
    {
      directory: 'files',
      nested: new Set(['nested']),
      replica,
      input,
      trash: (await place.sync.trash()).items,
      obstacleOf,
    },
    under,
  );
  return differences.map(({ kind, path, type, item, bytes, reason }) =>
    [
      kind,
      path,
      ...(type === 'file' ? [] : [type]),
      ...(item === undefined ? [] : [`in the trash, ${bytes} bytes`]),
      reason ?? '',
    ]
      .join(' ')
      .trim(),
  );
}

/** A file is displaced here for a reason of the planner. */
async function displaced(place: AgentPlace, name: string, reason: string): Promise<void> {
  using staging = place.sync.applier.begin(0);
  const expect = place.sync.replica.stampAt(name);
  assert.ok(expect !== undefined);
  const step = { kind: 'remove', path: name, entry: place.entry(name), expect, reason } as const;
  place.sync.adopt((await staging.commit([step], () => undefined)).outcomes);
}

const DRIFT = 'changed on the MDS (drift)';

describe('The differences of an MDS from Main', () => {
  it('are what is only here, what was edited here, and what is still to come, sorted by path', async (t) => {
    const all = await found(t, {
      files: { 'c.local': 'own', 'b.same': 'b', 'a.edited': 'edited' },
      main: { 'b.same': 'same', 'a.edited': fileEntry('as delivered'), 'd.new': fileEntry('new') },
      ledger: { 'b.same': 'same', 'a.edited': fileEntry('as delivered') },
    });
    assert.deepEqual(
      all.map((each) => each.split(' ').slice(0, 2).join(' ')),
      ['drift a.edited', 'local c.local', 'pending d.new'],
    );
  });

  it('name an empty local folder, and of a full one what is in it', async (t) => {
    const all = await found(t, {
      files: { 'full/deep/a': 'a' },
      before: async (place) => {
        mkdirSync(place.at('empty'));
        await place.sync.readAgain();
      },
    });
    assert.deepEqual(all, ['local empty folder', 'local full/deep/a']);
  });

  it('name what is left alone because of its name, and never this program’s own folder or a nested directory', async (t) => {
    const all = await found(t, {
      files: { 'd/xds_override_a': 'own', 'd/b.bak': 'own', 'nested/xds_override_c': 'own' },
      excludes: ['*.bak', 'nest*'],
      main: { d: folderEntry() },
      ledger: { d: folderEntry() },
    });
    assert.deepEqual(
      all.filter((each) => !each.includes(' d ')),
      ['excluded d/b.bak *.bak', 'override d/xds_override_a'],
    );
  });

  it('name of one path only that path and what is below it', async (t) => {
    const given = { files: { 'd/a': 'a', 'd/b': 'b', 'd.x': 'x', e: 'e' } };
    assert.deepEqual(await found(t, given, 'd'), ['local d/a', 'local d/b']);
    assert.deepEqual(await found(t, given, 'd/a'), ['local d/a']);
    assert.deepEqual(await found(t, given, 'f'), []);
  });

  it('say what is in the way of a change that is still to come', async (t) => {
    const all = await found(t, { files: {}, main: { a: fileEntry('a') } }, undefined, () => ({
      reason: 'no room',
    }));
    assert.deepEqual(all, ['pending a other no room']);
  });
});

describe('Edits on an MDS that Main’s version replaced', () => {
  const displace = async (place: AgentPlace, content: string, reason: string): Promise<void> => {
    place.write('a', content);
    await place.sync.readAgain();
    await displaced(place, 'a', reason);
  };

  it('are found in the trash: the newest of each path, and no file that went because Main removed it', async (t) => {
    const all = await found(t, {
      files: { b: 'removed on Main' },
      before: async (place) => {
        await displace(place, 'edited', DRIFT);
        await displace(place, 'edited again', DRIFT);
        await displaced(place, 'b', 'removed on Main');
      },
    });
    assert.deepEqual(all, [`drift a in the trash, ${'edited again'.length} bytes ${DRIFT}`]);
  });

  it('are none where they are what is there now, or differ otherwise now', async (t) => {
    const again = await found(t, {
      files: {},
      main: { a: 'same' },
      ledger: { a: 'same' },
      before: async (place) => {
        await displace(place, 'adopted since', DRIFT);
        place.write('a', 'adopted since');
        await place.sync.readAgain();
      },
    });
    assert.deepEqual(again, []);
    const now = await found(t, {
      files: {},
      before: async (place) => {
        await displace(place, 'edited', DRIFT);
        place.write('a', 'local now');
        await place.sync.readAgain();
      },
    });
    assert.deepEqual(now, ['local a']);
  });

  it('are not read any more once the directory is being closed', async (t) => {
    const large = 'x'.repeat(300_000);
    const differences = found(t, {
      files: {},
      main: { a: 'same' },
      ledger: { a: 'same' },
      before: async (place) => {
        await displace(place, large, DRIFT);
        place.write('a', large);
        await place.sync.readAgain();
        await place.sync.close();
      },
    });
    await assert.rejects(differences, /files is being closed/);
  });

  describe('are not looked for any further once the directory has ended', () => {
    const SLICE = 20;
    /** @param at a path at which the directory ends, and the time for one stretch of work with it; all that were asked of are the result */
    const askedUntil = async (t: TestContext, at: string): Promise<string[]> => {
      const place = await AgentPlace.make(t, { local: 'own', 'sub/local': 'own', 'sub/xds_override_a': 'x' });
      const { replica } = place.sync;
      const asked: string[] = [];
      const ask = (path: string): undefined => {
        asked.push(path);
        if (path !== at) return;
        void replica.close();
        for (const began = performance.now(); performance.now() - began < SLICE;);
      };
      const input = { ...inputOf({ main: { new: fileEntry('new') } }), mds: replica };
      // What is nested is looked through for each name.
      const nested = new (class extends Set<string> {
        override [Symbol.iterator](): SetIterator<string> {
          ask('a name');
          return super[Symbol.iterator]();
        }
      })();
      const compared = { directory: 'files', nested, replica, input, trash: [], obstacleOf: ask };
      await assert.rejects(differencesOf(compared), /is being closed/);
      return asked;
    };

    it('by the plan', async (t) => {
      assert.deepEqual(await askedUntil(t, 'local'), ['local']);
    });

    it('by their names', async (t) => {
      // Of those of the first folder only, which is looked through at once.
      assert.deepEqual(await askedUntil(t, 'a name'), ['local', 'sub/local', 'new', 'a name', 'a name']);
    });
  });
});
