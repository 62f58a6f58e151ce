import assert from 'node:assert/strict';
import test from 'node:test';
import { file, folder, kindsOf, link, planOf } from '../../../support/unit/planCase.ts';

const v1 = file('v1');
const v2 = file('v2', { mtime: '200' });

void test('an override is never sent, replaced, removed or counted, on either side, at any depth', () => {
  const given = {
    main: { a: folder, 'a/b': folder },
    mds: { a: folder, 'a/b': folder },
    ledger: { a: folder, 'a/b': folder, 'xds_override.conf': v1 },
    mainOverrides: ['xds_override.conf', 'a/b/xds_override_d/x'],
    mdsOverrides: ['xds_override.conf', 'a/xds_override.wav'],
  };
  assert.deepEqual(kindsOf(given), {});
  assert.deepEqual(
    kindsOf({ ...given, paths: ['xds_override.conf', 'a/b/xds_override_d/x', 'a/xds_override.wav'] }),
    {},
  );
});

void test('a file that is new on Main is delivered with its folders', () => {
  assert.deepEqual(kindsOf({ main: { 'a/f': v1 } }), { a: 'deliver', 'a/f': 'deliver' });
});

void test('a file that changed on Main is delivered, and that is no drift', () => {
  const decision = planOf({ main: { f: v2 }, mds: { f: v1 }, ledger: { f: v1 } }).decisions.get('f');
  assert.deepEqual(decision, {
    kind: 'deliver',
    entry: v2,
    expect: v1,
    replacesSpecial: false,
    content: true,
    drift: false,
    reason: 'changed on Main',
  });
});

void test('when only metadata changed on Main no content travels', () => {
  const touched = file('v1', { mtime: '300' });
  const decision = planOf({ main: { f: touched }, mds: { f: v1 }, ledger: { f: v1 } }).decisions.get('f');
  assert.ok(decision?.kind === 'deliver' && !decision.content);
});

void test('a local file stays', () => {
  assert.deepEqual(kindsOf({ mds: { 'a/f': v1, g: link('a/f') } }), {});
});

void test("another content under Main's name that was never delivered: Main's wins", () => {
  const decision = planOf({ main: { f: v1 }, mds: { f: v2 } }).decisions.get('f');
  assert.ok(decision?.kind === 'deliver' && decision.expect === v2 && decision.content && !decision.drift);
});

void test("the same content as Main's at first contact becomes delivered without travelling", () => {
  assert.deepEqual(kindsOf({ main: { f: v1 }, mds: { f: v1 } }), { f: 'agree' });
});

void test('drift: a delivered file that was edited or removed on the MDS comes back', () => {
  const edited = planOf({ main: { f: v1 }, mds: { f: v2 }, ledger: { f: v1 } }).decisions.get('f');
  assert.ok(edited?.kind === 'deliver' && edited.drift && edited.expect === v2 && edited.content);
  const removed = planOf({ main: { f: v1 }, ledger: { f: v1 } }).decisions.get('f');
  assert.ok(removed?.kind === 'deliver' && removed.drift && removed.expect === undefined);
});

void test('what Main removed and had delivered is removed, edited or not', () => {
  assert.deepEqual(kindsOf({ mds: { f: v1 }, ledger: { f: v1 } }), { f: 'remove' });
  assert.deepEqual(kindsOf({ mds: { f: v2 }, ledger: { f: v1 } }), { f: 'remove' });
});

void test('what Main removed and never delivered here stays: it is local', () => {
  assert.deepEqual(kindsOf({ mds: { f: v1 }, tombstones: { f: v1 } }), {});
});

void test('with `deletions: never` what Main removed stays', () => {
  assert.deepEqual(kindsOf({ deletions: 'never', mds: { f: v1 }, ledger: { f: v1 } }), {});
});

void test('what both sides removed is dropped from the ledger', () => {
  assert.deepEqual(kindsOf({ ledger: { f: v1 } }), { f: 'forget' });
});

void test('a file that is being written waits, on either side', () => {
  const blur = { path: 'f', state: { kind: 'moving' } } as const;
  assert.deepEqual(kindsOf({ main: { f: v2 }, mds: { f: v1 }, ledger: { f: v1 }, mainBlur: blur }), {
    f: 'skip',
  });
  assert.deepEqual(kindsOf({ main: { f: v2 }, mds: { f: v1 }, ledger: { f: v1 }, mdsBlur: blur }), {
    f: 'skip',
  });
});

void test("a file that can't be read is reported with its errno, nothing is concluded from it, and the rest continues", () => {
  const mainBlur = { path: 'a', state: { kind: 'unreadable', errno: 'EACCES' } } as const;
  const given = { main: { 'a/f': v1, g: v1 }, mds: { 'a/f': v1 }, ledger: { 'a/f': v1 }, mainBlur };
  assert.deepEqual(kindsOf(given), { a: 'skip', 'a/f': 'skip', g: 'deliver' });
  const decision = planOf(given).decisions.get('a/f');
  assert.ok(decision?.kind === 'skip' && decision.failed && decision.reason.includes('EACCES'));
});

void test('a link inside the directory is delivered as a link', () => {
  assert.deepEqual(kindsOf({ main: { l: link('f') } }), { l: 'deliver' });
  assert.deepEqual(kindsOf({ main: { l: link('f') }, mds: { l: link('g') }, ledger: { l: link('g') } }), {
    l: 'deliver',
  });
});

void test('a socket, a fifo, or a link that leads outside never travels, and is reported', () => {
  assert.deepEqual(kindsOf({ main: { s: 'special' } }), { s: 'skip' });
  assert.deepEqual(kindsOf({ mds: { s: 'special' } }), { s: 'skip' });
  assert.deepEqual(kindsOf({ main: { s: 'special' }, mds: { s: v1 }, ledger: { s: v1 } }), { s: 'skip' });
});

void test("a fifo of the MDS under Main's name goes to the trash for Main's", () => {
  const decision = planOf({ main: { s: v1 }, mds: { s: 'special' } }).decisions.get('s');
  assert.ok(decision?.kind === 'deliver' && decision.replacesSpecial);
});

void test('an empty folder is delivered, and removed when Main removes it', () => {
  assert.deepEqual(kindsOf({ main: { a: folder } }), { a: 'deliver' });
  assert.deepEqual(kindsOf({ mds: { a: folder }, ledger: { a: folder } }), { a: 'remove' });
});

void test('a folder that Main removed stays while something local or an override is in it', () => {
  const ledger = { 'a/f': v1 };
  assert.deepEqual(kindsOf({ mds: { 'a/f': v1, 'a/mine': v2 }, ledger }), { a: 'forget', 'a/f': 'remove' });
  assert.deepEqual(kindsOf({ mds: { 'a/f': v1 }, mdsOverrides: ['a/xds_override'], ledger }), {
    a: 'forget',
    'a/f': 'remove',
  });
  assert.deepEqual(kindsOf({ mds: { 'a/mine': v2 } }), {});
});

void test('a folder that Main removed is removed later when something in it still has to wait', () => {
  const mdsBlur = { path: 'a/f', state: { kind: 'moving' } } as const;
  assert.deepEqual(kindsOf({ mds: { 'a/f': v1 }, ledger: { 'a/f': v1 }, mdsBlur }), {
    a: 'skip',
    'a/f': 'skip',
  });
});

void test("Main's folder replaces a file of the MDS, and Main's file a folder with all it holds", () => {
  assert.deepEqual(kindsOf({ main: { 'a/f': v1 }, mds: { a: v2 } }), { a: 'deliver', 'a/f': 'deliver' });
  assert.deepEqual(kindsOf({ main: { a: v1 }, mds: { 'a/f': v2, 'a/mine': v2 }, ledger: { 'a/f': v2 } }), {
    a: 'deliver',
  });
});

void test("a folder with an override is not replaced by Main's file, which is reported", () => {
  const given = {
    main: { a: v1 },
    mds: { 'a/f': v2 },
    ledger: { 'a/f': v2 },
    mdsOverrides: ['a/xds_override'],
  };
  assert.deepEqual(kindsOf(given), { a: 'skip', 'a/f': 'remove' });
  const decision = planOf(given).decisions.get('a');
  assert.ok(decision?.kind === 'skip' && decision.failed);
});

void test('names that are not valid UTF-8 are like any other', () => {
  assert.deepEqual(kindsOf({ main: { 'caf\udce9': v1 } }), { 'caf\udce9': 'deliver' });
});

void test('a directory that is held on either side infers nothing, and says why', () => {
  const given = { main: { f: v1 }, mds: { g: v1 }, ledger: { g: v1 } };
  for (const held of [{ mainHeld: 'became empty' }, { mdsHeld: 'became empty' }]) {
    const made = planOf({ ...given, ...held });
    assert.equal(made.decisions.size, 0);
    assert.equal(made.held, 'became empty');
  }
});
