import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { decide, ownVersionOf, type PathFacts } from '#core/plan/decide.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Policy } from '#core/plan/policy.ts';
import { file, folder, link } from '../../../support/unit/planCase.ts';

/* Each row is one path as both sides know it, and what is decided about it alone: one row for each way through decide.ts. */

const a = file('a');
const touched = file('a', { mtime: '300' });
const b = file('b', { mtime: '200' });
const c = file('c', { mtime: '300' });
const special: PathState = { kind: 'special', what: 'a fifo' };
const unreadable: PathState = { kind: 'unreadable', errno: 'EACCES' };
const moving: PathState = { kind: 'moving', last: a };

type Side = Entry | PathState;
type Given = Partial<Omit<PathFacts, 'main' | 'mds'>> &
  Partial<Omit<Policy, 'name'>> & { readonly main?: Side; readonly mds?: Side };

function decided(given: Given): Decision {
  const { direction = 'to-mds', deletions = 'main', main, mds, ...facts } = given;
  return decide(
    { name: 'files', direction, deletions },
    {
      base: undefined,
      tombstone: undefined,
      clockOffset: 0n,
      mainClock: 0n,
      ...facts,
      main: stateOf(main),
      mds: stateOf(mds),
    },
  );
}

function stateOf(side: Side | undefined): PathState | undefined {
  return side === undefined || 'kind' in side ? side : { kind: 'settled', entry: side };
}

/** A decision in short: its kind, with its reason where it has one. */
function short(decision: Decision): string {
  return 'reason' in decision ? `${decision.kind}: ${decision.reason}` : decision.kind;
}

function rows(of: Given, ...cases: readonly (readonly [given: Given, expected: string])[]): void {
  for (const [given, expected] of cases)
    assert.equal(short(decided({ ...of, ...given })), expected, inspect(given));
}

void describe('One path of any directory', () => {
  void it('is left alone while one side does not know it, and a person hears of what failed', () => {
    for (const direction of ['to-mds', 'both'] as const)
      rows(
        { direction, main: a, mds: b, base: a, tombstone: a },
        [{ main: unreadable }, "skip: Main can't read it (EACCES)"],
        [{ mds: unreadable }, "skip: the MDS can't read it (EACCES)"],
        [{ main: special }, "skip: on Main it is a fifo, which can't be synchronised"],
        [{ main: moving }, 'skip: it is still being written on Main'],
        [{ mds: moving }, 'skip: it is still being written on the MDS'],
        [{ main: special, mds: unreadable }, "skip: the MDS can't read it (EACCES)"],
        [{ main: moving, mds: special }, 'skip: it is still being written on Main'],
      );
    for (const [side, failed] of [
      [unreadable, true],
      [moving, false],
      [special, false],
    ] as const)
      assert.deepEqual(
        (({ kind, ...rest }) => [kind, 'failed' in rest && rest.failed])(decided({ main: side })),
        ['skip', failed],
      );
  });

  void it('whose name is excluded is local on an MDS, unless it was delivered: then it leaves, whatever Main has', () => {
    const gone = 'remove: its name is excluded (*.bak), delivered earlier';
    for (const direction of ['to-mds', 'both'] as const)
      for (const main of [undefined, a, special, unreadable, moving])
        rows(
          { direction, excludedBy: '*.bak', ...(main && { main }) },
          [{}, 'nothing'],
          [{ mds: a }, 'local'],
          [{ mds: special }, 'local'],
          [{ base: a }, 'forget'],
          [{ base: a, mds: special }, 'forget'],
          [{ base: a, mds: unreadable }, "skip: the MDS can't read it (EACCES)"],
          [{ base: a, mds: moving }, 'skip: it is still being written on the MDS'],
          [{ base: a, mds: a }, gone],
          [{ base: a, mds: b }, gone],
          [{ base: a, mds: b, deletions: 'both' }, gone],
          [{ base: a, mds: a, deletions: 'never' }, 'nothing'],
        );
  });
});

void describe('One path of a directory that only Main changes', () => {
  void it('that Main has is brought to the MDS, with the reason for which it differs', () => {
    rows(
      { main: a },
      [{ mds: a }, 'agree'],
      [{ mds: a, base: a }, 'nothing'],
      [{ mds: a, base: b }, 'agree'],
      [{}, 'deliver: new on Main'],
      [{ base: a }, 'deliver: removed on the MDS (drift)'],
      [{ base: b }, 'deliver: removed on the MDS (drift)'],
      [{ mds: special }, "deliver: Main's wins its name; what the MDS had there goes to the trash"],
      [{ mds: folder }, "deliver: of another kind on the MDS; Main's wins"],
      [{ mds: link('a'), base: a }, "deliver: of another kind on the MDS; Main's wins"],
      [{ mds: b }, "deliver: another content under Main's name; Main's wins"],
      [{ mds: touched }, "deliver: Main's metadata wins"],
      [{ mds: b, base: a }, 'deliver: changed on the MDS (drift)'],
      [{ mds: touched, base: a }, 'deliver: changed on the MDS (drift)'],
      [{ mds: touched, base: touched }, 'deliver: metadata changed on Main'],
      [{ mds: b, base: b }, 'deliver: changed on Main'],
      [{ mds: file('b', { mtime: '1' }), base: b }, 'deliver: changed on Main'],
      [{ mds: b, base: c }, "deliver: changed on Main and on the MDS; Main's wins"],
    );
  });

  void it('is delivered with what is to be replaced, and without content that is there', () => {
    const common = { kind: 'deliver', entry: a, replacesSpecial: false, drift: false };
    const reason = 'changed on Main';
    assert.deepEqual(decided({ main: a, mds: b, base: b }), { ...common, expect: b, content: true, reason });
    assert.deepEqual(decided({ main: a, mds: touched, base: touched }), {
      ...common,
      expect: touched,
      content: false,
      reason: 'metadata changed on Main',
    });
    const edited = decided({ main: a, mds: touched, base: a });
    assert.ok(edited.kind === 'deliver' && edited.drift && !edited.content);
    // It is not drift when Main has changed since.
    const both = decided({ main: a, mds: b, base: c });
    assert.ok(both.kind === 'deliver' && !both.drift && both.content);
    const fifo = decided({ main: a, mds: special });
    assert.ok(fifo.kind === 'deliver' && fifo.replacesSpecial && fifo.expect === undefined && fifo.content);
  });

  void it('that Main does not have is local, unless it was delivered', () => {
    rows(
      { tombstone: a },
      [{}, 'nothing'],
      [{ base: a }, 'forget'],
      [{ mds: a }, 'local'],
      [{ mds: special }, 'skip: it is a fifo on the MDS'],
      [{ mds: special, base: a }, 'forget'],
      [{ mds: a, base: a }, 'remove: removed on Main, delivered earlier'],
      [{ mds: b, base: a }, 'remove: removed on Main, delivered earlier'],
      [{ mds: a, base: a, deletions: 'never' }, 'nothing'],
      [{ mds: a, deletions: 'never' }, 'local'],
    );
  });
});

void describe('One path of a directory that both sides change', () => {
  void it('that both have: what one side changed travels, and of two contents the newer wins', () => {
    const lose = "lose: changed on both sides; Main's is the newer";
    const win = "upload: changed on both sides; the MDS's is the newer";
    rows(
      { direction: 'both' },
      [{ main: a, mds: a }, 'agree'],
      [{ main: a, mds: a, base: a }, 'nothing'],
      [{ main: a, mds: b, base: a }, 'upload: changed on the MDS'],
      [{ main: a, mds: touched, base: a }, 'upload: changed on the MDS'],
      [{ main: b, mds: a, base: a }, 'deliver: changed on Main'],
      [{ main: touched, mds: a, base: a }, 'deliver: metadata changed on Main'],
      // Only metadata differs.
      [{ main: a, mds: touched, base: b }, "deliver: Main's metadata wins"],
      [{ main: a, mds: touched }, "deliver: Main's metadata wins"],
      // New content wins over metadata.
      [{ main: touched, mds: b, base: a }, 'upload: changed on the MDS'],
      [{ main: b, mds: touched, base: a }, 'deliver: changed on Main'],
      // A conflict.
      [{ main: b, mds: c, base: a }, win],
      [{ main: c, mds: b, base: a }, lose],
      [{ main: b, mds: c }, win],
      [{ main: c, mds: b }, lose],
      [{ main: b, mds: c, base: a, clockOffset: 101n }, lose],
      [{ main: c, mds: b, base: a, mainClock: 101n }, win],
      // A folder or a link has no time.
      [{ main: folder, mds: c, base: a }, "deliver: of another kind on the MDS; Main's wins"],
      [{ main: b, mds: link('x'), base: a }, "deliver: of another kind on the MDS; Main's wins"],
      [{ main: link('x'), mds: link('y') }, "deliver: another content under Main's name; Main's wins"],
      [{ main: folder, mds: c, base: folder }, 'upload: changed on the MDS'],
    );
    const upload = decided({ direction: 'both', main: b, mds: c, base: a });
    assert.ok(upload.kind === 'upload' && upload.conflict && upload.content && upload.expect === b);
    const metadata = decided({ direction: 'both', main: a, mds: touched, base: a });
    assert.ok(metadata.kind === 'upload' && !metadata.conflict && !metadata.content);
  });

  void it('that only Main has comes to the MDS, unless a removal there counts', () => {
    rows(
      { direction: 'both', main: a },
      [{}, 'deliver: new on Main'],
      [{ base: a }, 'deliver: removed on the MDS (drift)'],
      [{ base: a, deletions: 'never' }, 'deliver: removed on the MDS (drift)'],
      [{ base: a, deletions: 'both' }, 'remove-on-main: removed on the MDS'],
      [{ base: touched, deletions: 'both' }, 'remove-on-main: removed on the MDS'],
      [{ base: b, deletions: 'both' }, 'deliver: removed on the MDS (drift)'],
      [{ deletions: 'both' }, 'deliver: new on Main'],
      [{ mds: special, base: a }, "deliver: Main's wins its name; what the MDS had there goes to the trash"],
      [
        { mds: special, base: a, deletions: 'both' },
        "deliver: Main's wins its name; what the MDS had there goes to the trash",
      ],
    );
  });

  void it('that only the MDS has comes to Main, unless Main saw this version go', () => {
    const back = 'upload: removed on Main, but changed on the MDS since';
    rows(
      { direction: 'both' },
      [{}, 'nothing'],
      [{ base: a }, 'forget'],
      [{ mds: special, base: a, tombstone: a }, 'skip: it is a fifo on the MDS'],
      [{ mds: a }, 'upload: new on the MDS'],
      [{ mds: a, base: a }, 'upload: new on the MDS'],
      [{ mds: a, base: a, tombstone: a }, 'remove: removed on Main'],
      [{ mds: a, tombstone: a }, 'remove: removed on Main'],
      [{ mds: b, base: a, tombstone: b }, 'remove: removed on Main'],
      [{ mds: a, base: a, tombstone: b }, 'remove: removed on Main'],
      [{ mds: file('a', { mode: 0o600 }), base: a, tombstone: a }, 'remove: removed on Main'],
      [{ mds: b, base: a, tombstone: a }, back],
      [{ mds: touched, base: a, tombstone: a }, back],
      [{ mds: a, base: a, tombstone: a, deletions: 'both' }, 'remove: removed on Main'],
      [{ mds: a, base: a, tombstone: a, deletions: 'never' }, back],
    );
    const upload = decided({ direction: 'both', mds: a });
    assert.ok(upload.kind === 'upload' && upload.content && !upload.conflict && upload.expect === undefined);
  });
});

void describe("The reason for which an MDS's version is in its trash", () => {
  void it("tells an edit of Main's file from a file of its own, and both from what Main removed", () => {
    const reasonOf = (given: Given): string => {
      const decision = decided({ main: a, ...given });
      assert.ok(decision.kind === 'deliver');
      return decision.reason;
    };
    for (const [given, expected] of [
      [{ mds: b, base: a }, 'drift'],
      [{ mds: b, base: c }, 'drift'],
      [{ mds: b }, 'replaced'],
      [{ mds: folder }, 'replaced'],
      [{ mds: special }, 'replaced'],
      [{ mds: b, base: b }, undefined],
    ] as const)
      assert.equal(ownVersionOf(reasonOf(given)), expected, reasonOf(given));
    assert.equal(ownVersionOf('removed on Main, delivered earlier'), undefined);
  });
});
