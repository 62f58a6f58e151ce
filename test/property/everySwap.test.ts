import { doBetweenCalls, doNothingMore, real } from '../support/crash/swapAtCall.ts';
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { after, describe, it } from 'node:test';

// The product comes after what watches its system calls.
const { Pair, placesIn } = await import('../support/crash/pair.ts');
const { makeFolder } = await import('../support/crash/scenario.ts');
const { sample } = await import('../support/crash/sample.ts');

/*
 * test/process/securityRaces.test.ts does the same to real programs, by chance. Files that are read through a link are not
 * seen here: their stamps differ, so they are refused even without O_NOFOLLOW.
 */

/** `XDS_SWAP_SEED=N` tries the same swaps again. `XDS_SWAPS_OF_EACH=N`: more of each kind but the first, of which all are tried. */
const SEED = Number(process.env['XDS_SWAP_SEED'] ?? randomInt(2 ** 31));
const OF_EACH = Number(process.env['XDS_SWAPS_OF_EACH'] ?? 12);
/** Calls after which what was swapped is put back. */
const SPAN = 3;
const SECRET = 'a secret outside of the directory\n';
const AREA = '.xivo-xds-sync';

const folder = makeFolder();
let runs = 0;
after(() => {
  real.rmSync(folder, { recursive: true, force: true });
  console.log(`${runs} swaps, seed ${SEED}`);
});

/** What stands for the attacker's things: nothing here may be touched, and nothing of it read. */
function makeOutside(at: string): void {
  for (const name of ['', 'deep', 'stage', 'trash', 'partial', 'versions'])
    real.mkdirSync(path.join(at, name), { recursive: true });
  for (const name of ['secret', 'a.wav', 'gone.wav', 'new.wav', 'deep/b.wav'])
    real.writeFileSync(path.join(at, name), SECRET);
}

/** Everything about a folder and what is in it that someone could have altered. */
function stateOf(at: string): string[] {
  const names = real
    .readdirSync(at, { recursive: true, encoding: 'utf8' })
    .toSorted((a, b) => (a < b ? -1 : 1));
  return ['', ...names].map((name) => {
    const { mode, uid, gid, size, mtimeNs, ctimeNs, ino } = real.lstatSync(path.join(at, name), {
      bigint: true,
    });
    return [name, mode, uid, gid, size, mtimeNs, ctimeNs, ino].join(' ');
  });
}

/** Replaces a name by a link that leads outside. @returns puts it back, beside which nothing of the attacker stays */
function swap(at: string, target: string): () => void {
  if (real.lstatSync(at, { throwIfNoEntry: false }) === undefined) return () => undefined;
  real.renameSync(at, `${at}.away`);
  real.symlinkSync(target, at);
  return () => {
    // The program may have moved the link, or put something in its place, which then lies in the directory.
    if (real.lstatSync(at, { throwIfNoEntry: false }) !== undefined)
      real.rmSync(at, { recursive: true, force: true });
    real.renameSync(`${at}.away`, at);
  };
}

function write(at: string, content: string): void {
  real.mkdirSync(path.dirname(at), { recursive: true });
  real.writeFileSync(at, content);
}

type Host = 'main' | 'mds';
type Case = { readonly host: Host; readonly name: string };

/** Carries changes out with a swap before a call. @returns the number of calls; with no swap when `at` is absent */
async function carryOut({ host, name }: Case, at: number | undefined): Promise<number> {
  const place = path.join(folder, String(runs++));
  const places = placesIn(place);
  const outside = path.join(place, 'outside');
  makeOutside(outside);
  for (const side of [places.main, places.mds]) real.mkdirSync(side, { recursive: true });
  for (const file of ['a.wav', 'gone.wav', 'deep/b.wav'])
    write(path.join(places.main, 'sub', file), `first ${file}`);
  const pair = new Pair(place, { direction: 'both', deletions: 'both' });
  try {
    await pair.start();
    write(path.join(places.main, 'sub/a.wav'), 'second a');
    write(path.join(places.main, 'sub/new.wav'), 'new on Main');
    write(path.join(places.main, 'sub/deep/b.wav'), 'second b');
    real.rmSync(path.join(places.main, 'sub/gone.wav'));
    write(path.join(places.mds, 'sub/rec.wav'), 'a recording');
    write(path.join(places.mds, 'sub/deep/rec.wav'), 'another recording');
    const before = stateOf(outside);
    const target = path.join(places[host], name);
    const link = name.endsWith('.wav') ? path.join(outside, 'secret') : outside;
    let putBack: (() => void) | undefined;
    doBetweenCalls((call) => {
      if (call === at) putBack = swap(target, link);
      if (at !== undefined && call === at + SPAN) {
        putBack?.();
        putBack = undefined;
      }
    });
    await pair.settle();
    const calls = doNothingMore();
    putBack?.();
    await pair.settle();
    await pair.settle();
    assert.deepEqual(stateOf(outside), before, 'something outside was touched');
    for (const side of [places.main, places.mds]) assertNoSecretIn(side);
    return calls;
  } finally {
    doNothingMore();
    await pair.close();
    real.rmSync(place, { recursive: true, force: true });
  }
}

function assertNoSecretIn(side: string): void {
  for (const name of real.readdirSync(side, { recursive: true, encoding: 'utf8' })) {
    const at = path.join(side, name);
    if (real.lstatSync(at).isFile())
      assert.notEqual(real.readFileSync(at, 'utf8'), SECRET, `${name} has what lies outside`);
  }
}

void describe('A folder that a local user swaps for a link, between any two calls that take a path', () => {
  for (const host of ['main', 'mds'] as const)
    for (const name of ['sub', 'sub/deep', 'sub/a.wav', 'sub/rec.wav', AREA, `${AREA}/stage`])
      void it(`leads nothing outside, and lets nothing of it in (${name} on ${host})`, async () => {
        const calls = await carryOut({ host, name }, undefined);
        const all = Array.from({ length: calls }, (_, call) => call);
        // A path that is resolved again is found by the swap of a folder above it, at few of the calls.
        const most = name === 'sub' ? calls : OF_EACH;
        for (const at of sample(all, most, SEED))
          await carryOut({ host, name }, at).catch((error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error);
            throw new Error(`XDS_SWAP_SEED=${SEED}, before call ${at}: ${reason}`, { cause: error });
          });
      });
});
