import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CallCounts } from '../bench/callCounts.ts';
import { checkSame, makeFiles, numberedNames } from '../bench/content.ts';
import type { Contestant } from '../bench/contestant.ts';
import { installed } from '../bench/contestants.ts';
import { cp, tarOverSsh } from '../bench/peers/limits.ts';
import { PrivateSshd } from '../bench/peers/privateSshd.ts';
import { rsync } from '../bench/peers/rsync.ts';
import { rsyncDaemon } from '../bench/peers/rsyncDaemon.ts';
import { endAll, findProgram } from '../bench/processes.ts';
import { calls } from '../bench/scenarios/calls.ts';

const NAMES = numberedNames(40, 10);
const LONG_AGO = new Date('2020-02-02T02:02:02Z');

describe('What the benchmark starts by command', () => {
  let folder: string;
  let content: string;
  let sshd: PrivateSshd | undefined;
  before(async () => {
    folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-peers-'));
    content = path.join(folder, 'content');
    makeFiles(content, NAMES, { least: 64, most: 512 });
    for (const name of NAMES) utimesSync(path.join(content, name), LONG_AGO, LONG_AGO);
    if (findProgram('sshd') !== undefined) sshd = await PrivateSshd.start(path.join(folder, 'ssh'));
  });
  after(async () => {
    // That of a failed test, too.
    await endAll();
    rmSync(folder, { recursive: true });
  });
  const theSshd = (): PrivateSshd => {
    assert.ok(sshd);
    return sshd;
  };
  const layoutOf = (name: string) => {
    const own = path.join(folder, name.replaceAll(/[^a-z]+/g, '-'));
    mkdirSync(own);
    return { folder: own, content, files: NAMES.length, isFilled: false, toMain: false };
  };

  for (const each of [rsync(theSshd), rsyncDaemon, cp, tarOverSsh(theSshd)])
    it(`${each.name} copies all files with their times, and nothing of it is left`, async (test) => {
      const [why] = installed([each]).skipped;
      if (why !== undefined) return test.skip(why);
      const pair = await each.lay(layoutOf(each.name));
      const servers = pair.roots().map(({ pid }) => pid);
      try {
        await pair.start();
        checkSame(pair.source, pair.target, NAMES);
        for (const name of NAMES)
          assert.equal(Number(statSync(path.join(pair.target, name)).mtime), Number(LONG_AGO), name);
        assert.equal(pair.again !== undefined, each.hasCommand);
        await pair.again?.();
      } finally {
        await pair.end();
      }
      const left = servers.filter((pid) => pid !== sshd?.pid && isThere(pid));
      assert.deepEqual(left, []);
    });

  for (const each of [rsyncDaemon, cp])
    it(`the system calls of each side are counted: ${each.name}`, async (test) => {
      const [why] = installed([each, calls as Pick<Contestant, 'name' | 'needs'>]).skipped;
      if (why !== undefined) return test.skip(why);
      const layout = layoutOf(`counted-${each.name}`);
      const own = path.join(layout.folder, 'counts');
      mkdirSync(own);
      const counts = new CallCounts(own);
      const pair = await each.lay({ ...layout, under: (role) => counts.under(role) });
      try {
        for (const root of pair.roots()) await counts.attach(root);
        await pair.start();
        const counted = await counts.end(pair.roots());
        const sides = Object.values(each.counted ?? {});
        assert.deepEqual([...counted.keys()].toSorted(), sides.toSorted());
        for (const [role, of] of counted)
          assert.ok((of.get('openat') ?? 0) >= NAMES.length, `${role} opened ${of.get('openat')} files`);
      } finally {
        await counts.cancel();
        await pair.end();
      }
    });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
