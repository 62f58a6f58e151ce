import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localise, type OwnerNames } from '#core/manifest/localise.ts';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';

const USERS = new Map([
  ['root', 0],
  ['asterisk', 108],
]);

const HERE: OwnerNames = {
  userName: (uid) => [...USERS].find(([, number]) => number === uid)?.[0] ?? String(uid),
  groupName: (gid) => HERE.userName(gid),
  userNumber: (name, otherwise) => USERS.get(name) ?? otherwise,
  groupNumber: (name, otherwise) => HERE.userNumber(name, otherwise),
};

void test('an owner is the one of that name here, or of that number where no account has the name', () => {
  const theirs = { ...fileEntry('a'), owner: 'asterisk', uid: 5000, group: 'audio', gid: 29 };
  const { owner, uid, group, gid } = localise(theirs, HERE);
  assert.deepEqual([owner, uid, group, gid], ['asterisk', 108, '29', 29]);
  // The number belongs to another name here.
  const other = localise({ ...theirs, owner: 'unknown', uid: 108 }, HERE);
  assert.deepEqual([other.owner, other.uid], ['asterisk', 108]);
});

void test('what is the same here stays one object, of which there are many', () => {
  const entry = { ...folderEntry(0o2775), owner: 'asterisk', uid: 108, group: 'root', gid: 0 };
  assert.equal(localise(entry, HERE), entry);
});

void test('no file becomes a program that runs as another user; a folder keeps passing its group on', () => {
  const given = { ...fileEntry('a', 0o6755), owner: 'root', uid: 0, group: 'root', gid: 0 };
  assert.equal(localise(given, HERE).mode, 0o755);
  assert.equal(localise({ ...folderEntry(0o2775), group: 'root', gid: 0 }, HERE).mode, 0o2775);
});
