import assert from 'node:assert/strict';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { timeText } from '#core/manifest/fileTime.ts';
import { setMtime } from '#host/fs/libc.ts';
import { FileVersions } from '#host/fs/listing/fileVersions.ts';
import { Listing } from '#host/fs/listing/listing.ts';
import { openFolder } from '../../../../support/unit/openFolder.ts';

const TIMES = [
  0n,
  -1n,
  -1_500_000_000n,
  1_000_000_000n,
  1_700_000_000_000_000_001n,
  5_000_000_000_999_999_999n,
];

void test('the version of a file is what lstat says, in numbers', (t) => {
  const { folder, path: root } = openFolder(t);
  for (const time of TIMES) {
    const fd = openSync(path.join(root, `at ${time} \u00e9`), 'w');
    writeFileSync(fd, String(time));
    setMtime(fd, time);
    closeSync(fd);
  }
  writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.of(0xe9)]), 'not UTF-8');
  // What the name before is as UTF-8.
  writeFileSync(path.join(root, 'caf\ufffd'), '');
  symlinkSync('nowhere', path.join(root, 'link'));
  mkdirSync(path.join(root, 'folder'));
  const listing = folder.listing();
  const versions = new FileVersions(listing.size);
  listing.readVersions(folder.fd, 0, listing.size, versions);
  for (const [number, name] of [...listing.names()].entries()) {
    const stat = folder.stat(name);
    assert.ok(stat, name);
    assert.equal(listing.isFile(number), stat.isFile(), name);
    const { inode, size, mtime, device, ctime } = versions.at(number);
    if (!stat.isFile()) assert.equal(inode, 0);
    else {
      assert.deepEqual(
        [device, inode, size, timeText(...mtime)],
        [String(stat.dev), Number(stat.ino), Number(stat.size), String(stat.mtimeNs)],
      );
      assert.equal(BigInt(ctime[0]) * 1_000_000_000n + BigInt(ctime[1]), stat.ctimeNs);
    }
  }
});

void test('the version of a file on another device has the number of that one', () => {
  const fd = openSync('/proc', 'r');
  const listing = new Listing(fd);
  const [name = ''] = [...listing.names()].filter((each) => each === 'version');
  const number = [...listing.names()].indexOf(name);
  const versions = new FileVersions(1);
  listing.readVersions(fd, number, number + 1, versions);
  closeSync(fd);
  assert.equal(versions.at(0).device, String(lstatSync('/proc/version', { bigint: true }).dev));
});

void test('a file that is gone when its version is read has none', (t) => {
  const { folder, path: root } = openFolder(t);
  for (const name of ['a', 'b']) writeFileSync(path.join(root, name), name);
  const listing = folder.listing();
  const versions = new FileVersions(2);
  listing.readVersions(folder.fd, 0, 2, versions);
  unlinkSync(path.join(root, 'a'));
  listing.readVersions(folder.fd, 0, 2, versions);
  const inodes = [...listing.names()].map((name, number) => [name, versions.at(number).inode !== 0]);
  assert.deepEqual(Object.fromEntries(inodes), { a: false, b: true });
});

void test('the digest of versions differs with each thing that a version is made of', (t) => {
  const { folder, path: root } = openFolder(t);
  const file = path.join(root, 'file');
  writeFileSync(file, 'content');
  const versions = new FileVersions(1);
  const digest = (): string => {
    folder.listing().readVersions(folder.fd, 0, 1, versions);
    return versions.digest(1);
  };
  const seen = [digest()];
  assert.equal(digest(), seen[0]);
  const fd = openSync(file, 'r+');
  // Each of these also changes the ctime.
  const changes: (() => void)[] = [
    () => setMtime(fd, 5n),
    () => writeFileSync(file, 'longer content'),
    () => {
      writeFileSync(path.join(root, 'other'), 'longer content');
      renameSync(path.join(root, 'other'), file);
    },
  ];
  for (const change of changes) {
    change();
    seen.push(digest());
  }
  closeSync(fd);
  assert.equal(new Set(seen).size, changes.length + 1);
});

void test('all names of a large folder are listed, and the digest is the same until one of them changes', (t) => {
  const { folder, path: root } = openFolder(t);
  const names = Array.from({ length: 1_500 }, (_, number) => `${number}${'x'.repeat((number * 7) % 240)}`);
  for (const name of names) writeFileSync(path.join(root, name), '');
  const before = folder.listing();
  assert.deepEqual([...before.names()].sort(), names.toSorted());
  assert.equal(before.size, names.length);
  assert.equal(folder.listing().digest, before.digest);
  const [first = ''] = names;
  const changes: (() => void)[] = [
    () => renameSync(path.join(root, first), path.join(root, 'y')),
    () => unlinkSync(path.join(root, 'y')),
    () => mkdirSync(path.join(root, 'y')),
    () => {
      rmSync(path.join(root, 'y'), { recursive: true });
      symlinkSync('nowhere', path.join(root, 'y'));
    },
  ];
  const digests = [before.digest];
  for (const change of changes) {
    change();
    digests.push(folder.listing().digest);
  }
  assert.equal(new Set(digests).size, digests.length);
});

void test('an empty folder has no names, and what is no folder has none to list', (t) => {
  const { folder, path: root } = openFolder(t);
  assert.deepEqual([...folder.listing().names()], readdirSync(root));
  const fd = openSync(path.join(root, 'file'), 'w');
  assert.throws(() => new Listing(fd), { code: 'ENOTDIR', syscall: 'getdents64' });
  closeSync(fd);
});
