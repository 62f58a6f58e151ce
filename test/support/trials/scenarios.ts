import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROTOCOL } from '#protocol/version.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { proveEnrolment } from '#host/identity/enrolmentProof.ts';
import { askMain } from '../../../agent/connection/askMain.ts';
import { waitForApproval } from '../../../agent/connection/waitForApproval.ts';
import { LARGE_FROM, MDS, type MemoryPair } from './memoryPair.ts';
import type { ScenarioName } from './scenarioNames.ts';

const SOUNDS = '/var/lib/xivo/sounds';
const RECORDINGS = '/var/lib/xivo/sounds/recordings';
const MINUTE = 61_000;
const BY = { by: 'test', signal: new AbortController().signal, progress: () => undefined };

/** What people and hosts do while the line is cut. Each can be done over and over. */
export type Scenario = {
  /** Everything is in sync, and nothing is cut yet. */
  readonly prepare?: (pair: MemoryPair, round: number) => Promise<void> | void;
  /** Ends, whatever becomes of the line. It may fail where the line was cut. */
  readonly act: (pair: MemoryPair, round: number) => Promise<unknown>;
  /** Both have connected again and agree. */
  readonly after?: (pair: MemoryPair, round: number) => Promise<void> | void;
};

type Side = 'main' | 'mds';

/** Bytes that nothing compresses, another sequence for each seed. */
function bytes(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

function write(pair: MemoryPair, side: Side, file: string, content: string | Buffer): void {
  const target = pair.at(side, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, content);
}

function remove(pair: MemoryPair, side: Side, file: string): void {
  rmSync(pair.at(side, file), { force: true, recursive: true });
}

export async function sync(pair: MemoryPair): Promise<readonly string[]> {
  const { mds } = await pair.api.sync({ mds: undefined }, BY);
  return mds.flatMap(({ ok, problems }) => (ok ? [] : ['not ok', ...problems]));
}

async function inSync(pair: MemoryPair): Promise<void> {
  assert.deepEqual(await pair.until('the preparation', sync(pair)), []);
  await pair.connected();
}

const small = (round: number): string => `round ${round}\n`.repeat(20);
/** Hosts for the next scenarios, created once because it takes long. */
let other: Promise<Identity> | undefined;
const otherIdentity = (): Promise<Identity> => (other ??= createIdentity({ commonName: 'mds2' }));

async function enrolWithToken(pair: MemoryPair): Promise<void> {
  const made = pair.controller.registry.addToken({
    name: 'mds2',
    ttlMs: 3_600_000,
    replace: true,
    now: pair.clock.now(),
  });
  assert.ok(made.ok);
  const identity = await otherIdentity();
  for (;;) {
    const dialled = await pair
      .dial({ path: '/enrol', certificatePem: identity.certificatePem })
      .catch(() => undefined);
    if (dialled === undefined) continue;
    const proof = proveEnrolment({
      secret: made.token.secret,
      binding: Buffer.alloc(32, 7),
      agentPin: identity.pin,
      name: 'mds2',
    });
    const request = {
      type: 'enrol',
      protocol: PROTOCOL,
      name: 'mds2',
      token: { id: made.token.id, proof },
    } as const;
    const answer = await askMain(dialled, request, { clock: pair.clock }).catch(() => undefined);
    if (answer === undefined) continue;
    assert.equal(answer.type, 'enrolled');
    return;
  }
}

/** Between two tries, as an agent does: Main signs so many certificates in a while. */
function later(pair: MemoryPair): Promise<void> {
  return new Promise((resolve) => {
    pair.clock.after(10_000, resolve);
  });
}

function forgetOther(pair: MemoryPair): void {
  pair.controller.registry.remove('mds2', pair.clock.now());
  pair.controller.registry.forget('mds2');
}

/** By what happens while the line is cut. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  'an agent connects': {
    prepare: (pair) => pair.lines.cutNow('close'),
    act: (pair) => pair.connected(),
  },
  'a new MDS gets its first pass': {
    prepare: async (pair, round) => {
      write(pair, 'main', `${SOUNDS}/first/a.txt`, small(round));
      write(pair, 'main', `${SOUNDS}/first/b.wav`, bytes(`${round}`, 3_000));
      await pair.stop('mds');
      for (const folder of [SOUNDS, '/var/lib/xivo-xds-sync']) remove(pair, 'mds', folder);
      mkdirSync(pair.at('mds', RECORDINGS), { recursive: true });
    },
    act: async (pair) => {
      await pair.startAgain();
      await pair.connected();
    },
  },
  'files are delivered': {
    prepare: (pair, round) => {
      write(pair, 'main', `${SOUNDS}/text.txt`, small(round));
      write(pair, 'main', `${SOUNDS}/deep/er/sound.wav`, bytes(`d${round}`, 5_000));
    },
    act: sync,
  },
  'a large file is delivered': {
    prepare: (pair, round) => write(pair, 'main', `${SOUNDS}/large.wav`, bytes(`l${round}`, 3 * LARGE_FROM)),
    act: sync,
  },
  'a large file changes inside': {
    prepare: async (pair, round) => {
      if (round === 0) {
        write(pair, 'main', `${SOUNDS}/delta.wav`, bytes('delta', 4 * LARGE_FROM));
        await inSync(pair);
      }
      const content = bytes('delta', 4 * LARGE_FROM);
      content.writeUInt32LE(round, 3 * LARGE_FROM);
      // Every other time everything behind it is somewhere else, too.
      const inFront = Buffer.alloc(round % 2 === 0 ? 0 : 1_000, 'x');
      write(pair, 'main', `${SOUNDS}/delta.wav`, Buffer.concat([inFront, content]));
    },
    act: sync,
  },
  'a small recording is uploaded': {
    prepare: (pair, round) => write(pair, 'mds', `${RECORDINGS}/small.wav`, bytes(`s${round}`, 4_000)),
    act: sync,
  },
  'a large recording is uploaded': {
    prepare: (pair, round) =>
      write(pair, 'mds', `${RECORDINGS}/large.wav`, bytes(`u${round}`, 3 * LARGE_FROM)),
    act: sync,
  },
  'an upload that was cut off is gone on with': {
    prepare: async (pair, round) => {
      write(pair, 'mds', `${RECORDINGS}/resumed.wav`, bytes(`r${round}`, 4 * LARGE_FROM));
      pair.lines.cutAfter({ way: 'from the MDS', message: 8, cut: 'reset' });
      await pair.until('the upload that is cut off', sync(pair));
    },
    act: async (pair) => {
      await pair.connected();
      return sync(pair);
    },
  },
  'files are removed': {
    prepare: async (pair, round) => {
      write(pair, 'main', `${SOUNDS}/gone.txt`, small(round));
      write(pair, 'main', `${RECORDINGS}/gone.wav`, bytes(`g${round}`, 2_000));
      await inSync(pair);
      remove(pair, 'main', `${SOUNDS}/gone.txt`);
      remove(pair, 'main', `${RECORDINGS}/gone.wav`);
    },
    act: sync,
  },
  'a folder of Main is renamed': {
    prepare: async (pair, round) => {
      if (round > 0) return;
      for (let file = 0; file < 24; file++)
        write(pair, 'main', `${SOUNDS}/named 0/${file}.wav`, bytes(`f${file}`, 500));
      await inSync(pair);
    },
    act: (pair, round) => {
      renameSync(
        pair.at('main', `${SOUNDS}/named ${round}`),
        pair.at('main', `${SOUNDS}/named ${round + 1}`),
      );
      return sync(pair);
    },
  },
  'a recording changes on both sides': {
    prepare: async (pair, round) => {
      const file = `${RECORDINGS}/both.wav`;
      if (round === 0) {
        write(pair, 'main', file, 'common');
        await inSync(pair);
      }
      write(pair, 'main', file, `Main's of round ${round}`);
      write(pair, 'mds', file, `the MDS's of round ${round}, which is longer`);
      const [older, newer] = round % 2 === 0 ? (['main', 'mds'] as const) : (['mds', 'main'] as const);
      utimesSync(pair.at(older, file), 1_600_000_000 + 2 * round, 1_600_000_000 + 2 * round);
      utimesSync(pair.at(newer, file), 1_600_000_001 + 2 * round, 1_600_000_001 + 2 * round);
    },
    act: sync,
  },
  'only the mode of recordings changes': {
    prepare: async (pair, round) => {
      const file = `${RECORDINGS}/mode.wav`;
      // Whatever became of it in the round before.
      write(pair, 'main', file, bytes(`m${round}`, 2_000));
      await inSync(pair);
      chmodSync(pair.at(round % 3 === 0 ? 'mds' : 'main', file), 0o600);
    },
    act: sync,
  },
  'everything is verified': {
    act: (pair) => Promise.resolve(pair.api.verify({ mds: undefined }, BY)),
  },
  'a person runs why': {
    act: (pair) => Promise.resolve(pair.api.why({ path: 'sounds/text.txt', mds: undefined }, BY)),
  },
  'a change set is rolled back': {
    prepare: async (pair, round) => {
      write(pair, 'main', `${SOUNDS}/back.txt`, `as it was, ${round}`);
      await inSync(pair);
      // The version is kept when the directory has been quiet for a while.
      const hash = createHash('sha256').update(`as it was, ${round}`).digest('hex');
      await pair.untilTrue('the version is kept', () => pair.controller.versions.files.has(hash));
      write(pair, 'main', `${SOUNDS}/back.txt`, `a mistake, ${round}, longer`);
      await inSync(pair);
    },
    act: async (pair) => {
      const { entries } = await pair.api.history({ path: 'sounds/back.txt', limit: 20 }, BY);
      const changeSet = entries.find(({ kind, changeSet: id }) => kind === 'send' && id !== '')?.changeSet;
      assert.ok(changeSet, JSON.stringify(entries));
      return pair.api.rollback({ changeSet, dryRun: false }, BY);
    },
  },
  'a file of an MDS is restored from its trash': {
    prepare: async (pair, round) => {
      write(pair, 'main', `${RECORDINGS}/lost.wav`, bytes(`lost ${round}`, 3_000));
      await inSync(pair);
      remove(pair, 'main', `${RECORDINGS}/lost.wav`);
      remove(pair, 'main', `${RECORDINGS}/found.wav`);
      await inSync(pair);
    },
    act: (pair) =>
      Promise.resolve(
        pair.api['trash-restore'](
          { path: 'recordings/lost.wav', as: 'recordings/found.wav', mds: MDS, dryRun: false },
          BY,
        ),
      ),
  },
  'a certificate is renewed': {
    // Main signs so many a minute.
    prepare: (pair) => pair.pass(MINUTE),
    act: async (pair) => {
      const credentials = pair.credentials(MDS, pair.mdsIdentity, true);
      while ((await credentials.renew().catch(() => undefined)) === undefined) await later(pair);
    },
  },
  'an MDS enrols with a token': {
    // Main limits how many certificates it signs for one MDS.
    prepare: (pair) => pair.pass(3 * MINUTE),
    act: enrolWithToken,
    after: (pair) => forgetOther(pair),
  },
  'an MDS waits for its approval': {
    prepare: (pair) => pair.pass(3 * MINUTE),
    act: async (pair) => {
      const identity = await otherIdentity();
      const ask = async (): Promise<boolean> => {
        try {
          const dialled = await pair.dial({ path: '/enrol', certificatePem: identity.certificatePem });
          const request = { type: 'enrol', protocol: PROTOCOL, name: 'mds2' } as const;
          return (await askMain(dialled, request, { clock: pair.clock })).type === 'pending';
        } catch {
          return false;
        }
      };
      while (!(await ask()));
      const credentials = pair.credentials('mds2', identity, false);
      const approved = waitForApproval(
        credentials,
        { clock: pair.clock, log: pair.logOf('mds2'), onProblem: () => undefined },
        new AbortController().signal,
      );
      pair.clock.after(3_000, () =>
        pair.whenMainRuns(({ registry }) => registry.approve('mds2', pair.clock.now())),
      );
      assert.equal(await approved, true);
    },
    after: (pair) => forgetOther(pair),
  },
};
