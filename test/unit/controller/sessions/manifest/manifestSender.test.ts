import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromMain } from '#protocol/messages/session.ts';
import { fromMainSchema } from '#protocol/messages/session.ts';
import type { MainDirectory } from '../../../../../controller/directories/mainDirectory.ts';
import { ManifestSender } from '../../../../../controller/sessions/manifest/manifestSender.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const settled = { kind: 'settled', entry: fileEntry('music') } as const;
const SAVES: Readonly<Record<string, string>> = { a: 'first', b: 'second', c: 'first' };

function senderTo(
  messages: FromMain[],
  more: { readonly hold?: string | null; readonly onSaveOf?: () => void } = {},
): ManifestSender {
  return new ManifestSender({
    line: {
      isOpen: true,
      send: (message) => messages.push(message),
      sendText: (text) => messages.push(JSON.parse(text) as FromMain),
      sendAndWait: async (message) => void messages.push(message),
    },
    sequence: () => 7,
    hold: () => more.hold ?? null,
    saveOf: (_directory, path) => {
      more.onSaveOf?.();
      return SAVES[path] ?? null;
    },
  });
}

/** What an agent with these capabilities is sent: the whole manifest of four files, then a change of two. */
async function sent(capabilities: readonly string[]): Promise<FromMain[]> {
  const messages: FromMain[] = [];
  const sender = senderTo(messages);
  sender.speakTo(new Set(capabilities));
  const entries = ['a', 'b', 'c', 'd'].map((path) => [path, settled] as const);
  const manifest = { entries: () => entries };
  const directory = { name: 'moh', revision: 1, replica: {}, rootEntry: () => null, manifest };
  await sender.send(directory as unknown as MainDirectory);
  const items = [
    { path: 'd', shown: settled },
    { path: 'b', shown: settled },
  ];
  await sender.announce({ directory: 'moh', from: 1, revision: 2, held: null, items });
  return messages;
}

test('a manifest of too many paths is sent once there are fewer, and no change of it before', async () => {
  const messages: FromMain[] = [];
  const sender = senderTo(messages);
  const manifest = { entries: () => [['a', settled] as const] };
  const state = { name: 'moh', revision: 1, replica: {}, rootEntry: () => null, manifest };
  const directory = { ...state, isTooLarge: false };
  const change = async (revision: number): Promise<readonly string[]> => {
    messages.length = 0;
    const items = [{ path: 'a', shown: settled }];
    await sender.announce({ directory: 'moh', from: revision - 1, revision, held: null, items });
    return messages.map(({ type }) => type);
  };
  await sender.send(directory as unknown as MainDirectory);
  assert.deepEqual(await change(2), ['changes']);
  directory.isTooLarge = true;
  await sender.send(directory as unknown as MainDirectory);
  assert.deepEqual([await change(3), sender.follows('moh')], [[], false]);
  assert.deepEqual(await change(4), []);
  directory.isTooLarge = false;
  assert.deepEqual(await change(5), ['manifest-begin', 'manifest-page', 'manifest-end']);
  assert.deepEqual(await change(6), ['changes']);
});

test('an agent learns by which saves the paths came', async () => {
  const [, page, , changes] = await sent(['saves']);
  assert.deepEqual(page?.type === 'manifest-page' && page.saves, {
    ids: ['first', 'second'],
    of: [0, 1, 0, -1],
  });
  assert.deepEqual(changes?.type === 'changes' && changes.saves, { ids: ['second'], of: [-1, 0] });
  for (const message of [page, changes]) assert.deepEqual(fromMainSchema.parse(message), message);
});

test('an agent of the last version is sent nothing that it would refuse', async () => {
  for (const message of await sent(['clocks', 'far-times'])) assert.equal('saves' in message, false);
});

test('invalid saves are dropped, and the entries beside them are taken', async () => {
  const [, page] = await sent(['saves']);
  for (const saves of [7, { ids: ['x'.repeat(65)], of: [0] }, { ids: [], of: [-2] }]) {
    const taken = fromMainSchema.parse({ ...page, saves });
    assert.equal(taken.type === 'manifest-page' && taken.items.length, 4);
    assert.equal(taken.type === 'manifest-page' && taken.saves, undefined);
  }
});

test('the messages of a revision are made once for all agents that are sent the same', async () => {
  const exact = ['clocks', 'far-times', 'saves'];
  let made = 0;
  const items = ['a', 'b'].map((path) => ({ path, shown: settled }));
  const revision = { directory: 'moh', from: 1, revision: 2, held: null, items };
  const manifest = { entries: () => [] };
  const directory = { name: 'moh', revision: 1, replica: {}, rootEntry: () => null, manifest };
  const announced = async (capabilities: readonly string[], hold: string | null = null) => {
    const messages: FromMain[] = [];
    const sender = senderTo(messages, { hold, onSaveOf: () => (made += 1) });
    sender.speakTo(new Set(capabilities));
    await sender.send(directory as unknown as MainDirectory);
    made = 0;
    await sender.announce(revision);
    const changes = messages.at(-1);
    assert.ok(changes?.type === 'changes');
    assert.deepEqual(changes.items, items);
    return { made, held: changes.held, saves: changes.saves?.ids };
  };
  const saves = ['first', 'second'];
  assert.deepEqual(await announced(exact), { made: 2, held: null, saves });
  assert.deepEqual(await announced(exact), { made: 0, held: null, saves });
  assert.deepEqual(await announced(exact, 'waits for the canary'), {
    made: 2,
    held: 'waits for the canary',
    saves,
  });
  assert.deepEqual(await announced(['clocks', 'far-times']), { made: 0, held: null, saves: undefined });
  assert.deepEqual(await announced(['saves']), { made: 2, held: null, saves });
});

test('the new name of a folder is for agents that take it, and that may have its files at once', async () => {
  const manifest = { entries: () => [] };
  const directory = { name: 'sounds', revision: 1, replica: {}, rootEntry: () => null, manifest };
  const renamed = { directory: 'sounds', from: 'a', to: 'b' };
  const announced = async (capabilities: readonly string[], hold: string | null = null) => {
    const messages: FromMain[] = [];
    const sender = senderTo(messages, { hold });
    sender.speakTo(new Set(capabilities));
    sender.announceFolderRename(renamed);
    assert.deepEqual(messages, [], 'its manifest was not asked for yet');
    await sender.send(directory as unknown as MainDirectory);
    sender.announceFolderRename(renamed);
    return messages.slice(-1).filter(({ type }) => type === 'folder-renamed');
  };
  const message = { type: 'folder-renamed', ...renamed } as const;
  assert.deepEqual(await announced(['folder-renames']), [message]);
  assert.deepEqual(fromMainSchema.parse(message), message);
  assert.deepEqual(await announced(['saves']), []);
  assert.deepEqual(await announced(['folder-renames'], 'waits for the canary'), []);
});
