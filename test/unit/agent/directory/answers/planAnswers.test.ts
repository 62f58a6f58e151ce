import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { plan } from '#core/plan/plan.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { AgentSession } from '../../../../../agent/connection/agentSession.ts';
import { PlanAnswers } from '../../../../../agent/directory/answers/planAnswers.ts';
import type { JobRunner, Rehearsal } from '../../../../../agent/directory/jobs/jobRunner.ts';
import type { MainManifest } from '../../../../../agent/directory/manifest/mainManifest.ts';
import type { Obstacle, Reconciler } from '../../../../../agent/directory/reconciler.ts';
import { type Case, file, inputOf } from '../../../../support/unit/planCase.ts';

/** What this MDS knows beyond the two sides. */
type Known = {
  readonly reload?: DirectoryPolicy['reload'];
  readonly isReady?: boolean;
  readonly isRefused?: boolean;
  readonly obstacles?: Readonly<Record<string, Obstacle>>;
  readonly rehearsal?: Rehearsal;
  readonly isConnected?: boolean;
  readonly wrong?: Readonly<Record<string, string>>;
};

const NOTHING: Rehearsal = { reasons: new Map(), changes: [] };

/** The answers of an MDS in a situation; `calls` are those of its disk and of its rehearsal. */
function answers(given: Case, known: Known = {}): { answers: PlanAnswers; calls: string[] } {
  const { reload = 'none', isReady = true, isRefused = false, isConnected = true, obstacles = {} } = known;
  const input = inputOf(given);
  const calls: string[] = [];
  const read = (): Promise<void> => Promise.resolve(void calls.push('read'));
  const verified = { files: 2, bytes: 2, wrong: new Map(Object.entries(known.wrong ?? {})) };
  const parts = {
    policy: { reload } as DirectoryPolicy,
    sync: {
      name: 'sounds',
      replica: input.mds,
      readAgain: read,
      verify: () => Promise.resolve(verified),
    } as unknown as SyncDirectory,
    mainManifest: { isReady, get: (path: string) => input.main.get(path) } as unknown as MainManifest,
    ledger: { entries: input.ledger } as unknown as Ledger,
    runner: {
      rehearse: (items: ReadonlyMap<string, unknown>) => {
        calls.push(`rehearse ${[...items.keys()].join()}`);
        return Promise.resolve(known.rehearsal ?? NOTHING);
      },
    } as unknown as JobRunner,
    reconciler: {
      isRefused,
      planInput: () => input,
      plan: () => plan(input),
      obstacleOf: (path: string) => obstacles[path],
    } as unknown as Reconciler,
    session: () => (isConnected ? ({} as AgentSession) : undefined),
  };
  return { answers: new PlanAnswers(parts), calls };
}

/** Main has two new files; the MDS has one of its own. */
const TWO_NEW: Case = {
  main: { a: file('1'), b: file('2') },
  mds: { own: file('3') },
};
const failed: Obstacle = { action: 'skip', reason: 'it failed and is retried: EIO' };
const lines = (actions: readonly { action: string; path: string; reason: string }[]): string[] =>
  actions.map(({ action, path, reason }) => `${action} ${path}: ${reason}`);

describe('A dry run', () => {
  it('reads the disk again, and gives the plan: files that stay are not in it', async () => {
    const { answers: of, calls } = answers(TWO_NEW);
    const { ok, actions, held, dialplan } = await of.dryRun();
    assert.deepEqual(calls, ['read']);
    assert.equal(ok, true);
    assert.deepEqual(lines(actions), ['send a: new on Main', 'send b: new on Main']);
    assert.deepEqual([held, dialplan], [undefined, []]);
  });

  it("is not ok, and empty, before Main's manifest has arrived", async () => {
    const { answers: of } = answers(TWO_NEW, { isReady: false });
    assert.deepEqual(await of.dryRun(), { ok: false, actions: [], held: undefined, dialplan: [] });
    assert.deepEqual(of.plannedActions(), []);
  });

  it('names what failed before, and leaves the others as planned', async () => {
    const { answers: of } = answers(TWO_NEW, { obstacles: { b: failed } });
    const { ok, actions } = await of.dryRun();
    assert.equal(ok, false);
    assert.deepEqual(lines(actions), ['send a: new on Main', `skip b: ${failed.reason}`]);
  });

  it('rehearses a dialplan: what lint would refuse is on hold, whatever was refused earlier', async () => {
    const changes = [{ context: 'c' }] as unknown as Rehearsal['changes'];
    const rehearsal = { reasons: new Map([['a', 'line 1: broken']]), changes };
    const refused: Obstacle = { action: 'hold', reason: 'an older set' };
    const known = { reload: 'dialplan', rehearsal, obstacles: { b: refused } } as const;
    const { answers: of, calls } = answers(TWO_NEW, known);
    const { ok, actions, dialplan } = await of.dryRun();
    assert.deepEqual(calls, ['read', 'rehearse a,b']);
    assert.equal(ok, false);
    assert.deepEqual(lines(actions), ['hold a: line 1: broken', 'send b: new on Main']);
    assert.equal(dialplan, changes);
  });

  it('says of a set that was refused as it is why it was', async () => {
    const refused: Obstacle = { action: 'hold', reason: 'line 1: broken' };
    const known = { reload: 'dialplan', isRefused: true, obstacles: { a: refused, b: refused } } as const;
    const { actions } = await answers(TWO_NEW, known).answers.dryRun();
    assert.deepEqual(lines(actions), ['hold a: line 1: broken', 'hold b: line 1: broken']);
  });

  it('rehearses nothing without a connection, and nothing that Asterisk reads file by file', async () => {
    for (const known of [{ reload: 'dialplan', isConnected: false }, { reload: 'moh' }] as const) {
      const { answers: of, calls } = answers(TWO_NEW, known);
      await of.dryRun();
      assert.deepEqual(calls, ['read']);
    }
  });
});

describe('Why', () => {
  it('describes a file on both sides and in the ledger, with the decision', () => {
    const [old, now] = [file('1'.repeat(64)), file('2'.repeat(64))];
    const { answers: of } = answers({ main: { a: now }, mds: { a: old }, ledger: { a: old } });
    const { decision, main, mds, ledger, isNowhere, obstacle } = of.why('a');
    assert.equal(decision.kind, 'deliver');
    assert.deepEqual(
      [main, mds, ledger],
      ['file 1 bytes, sha256 222222222222…', ...Array<string>(2).fill('file 1 bytes, sha256 111111111111…')],
    );
    assert.deepEqual([isNowhere, obstacle], [false, undefined]);
  });

  it('says that a path is nowhere', () => {
    const { isNowhere, main, mds, ledger } = answers(TWO_NEW).answers.why('c');
    assert.deepEqual([isNowhere, main, mds, ledger], [true, 'nothing', 'nothing', 'nothing']);
    assert.equal(answers(TWO_NEW).answers.why('own').isNowhere, false);
  });

  it('names the pattern that excludes a name', () => {
    const { answers: of } = answers({ ...TWO_NEW, excludes: ['a*'] });
    assert.equal(of.why('a').excludedBy, 'a*');
    assert.equal(of.why('b').excludedBy, undefined);
  });

  it('names what failed', () => {
    assert.equal(answers(TWO_NEW, { obstacles: { b: failed } }).answers.why('b').obstacle, failed.reason);
  });

  it('names the hold of a removal, and not for a file that is delivered meanwhile', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, file('1')]));
    const situation = { main: { a: file('2') }, mds: many, ledger: many, budget: { agreedFiles: 20 } };
    const { answers: of } = answers(situation, { obstacles: { f0: failed } });
    assert.match(of.why('f0').obstacle ?? '', /20 of 20/);
    assert.equal(of.why('a').obstacle, undefined);
  });

  it('names the hold of a whole directory for what would change, and for nothing else', () => {
    const { answers: of } = answers({ ...TWO_NEW, mainHeld: 'the directory is missing' });
    assert.equal(of.why('a').obstacle, 'the directory is missing');
    assert.equal(of.why('own').obstacle, undefined);
  });
});

describe('Verify', () => {
  it("adds what is planned to what the disk's bytes say, which counts first", async () => {
    const { answers: of, calls } = answers(
      { ...TWO_NEW, main: { ...TWO_NEW.main, fifo: 'special' } },
      { wrong: { a: 'other bytes than it was read with' } },
    );
    const { files, wrong } = await of.verify(() => undefined, new AbortController().signal);
    assert.deepEqual(calls, ['read']);
    assert.equal(files, 2);
    assert.deepEqual(Object.fromEntries(wrong), {
      a: 'other bytes than it was read with',
      b: 'send: new on Main',
    });
  });
});
