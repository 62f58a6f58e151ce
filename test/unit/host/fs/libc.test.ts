import assert from 'node:assert/strict';
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  FileVersion,
  giveBackLease,
  isOpenForWriting,
  renameAt,
  setMtime,
  takeLease,
} from '#host/fs/libc.ts';
import { openFolder } from '../../../support/unit/openFolder.ts';

function fileFor(t: TestContext): { file: string; fd: number } {
  const file = path.join(openFolder(t).path, 'file');
  writeFileSync(file, 'content');
  const fd = openSync(file, 'r');
  t.after(() => closeSync(fd));
  return { file, fd };
}

void test('a time is set to the nanosecond, before 1970 and after 2038, and the time of access stays', (t) => {
  const { file, fd } = fileFor(t);
  utimesSync(file, 1_000, 2_000);
  for (const mtime of [
    0n,
    1n,
    1_700_000_000_123_456_789n,
    5_000_000_000_999_999_999n,
    -1n,
    -1_500_000_000n,
  ]) {
    setMtime(fd, mtime);
    const { mtimeNs, atimeMs } = fstatSync(fd, { bigint: true });
    assert.equal(mtimeNs, mtime);
    assert.equal(atimeMs, 1_000_000n);
  }
  assert.throws(() => setMtime(9_999, 0n), { code: 'EBADF', syscall: 'futimens' });
});

void test('a file is known to be written as long as a process has it open for that, not because of its readers', (t) => {
  const { file, fd } = fileFor(t);
  assert.equal(isOpenForWriting(fd), false);
  const reader = openSync(file, 'r');
  assert.equal(isOpenForWriting(fd), false);
  for (const flags of ['a', 'r+']) {
    const writer = openSync(file, flags);
    assert.equal(isOpenForWriting(fd), true, flags);
    closeSync(writer);
    assert.equal(isOpenForWriting(fd), false, flags);
  }
  closeSync(reader);
  // The question leaves nothing behind that a writer would wait for.
  closeSync(openSync(file, 'a'));
});

void test('a file that can not be asked about is unknown, not still', (t) => {
  const { folder } = openFolder(t);
  // Only files have leases.
  assert.equal(isOpenForWriting(folder.fd), undefined);
});

void test('a lease is for a file that is not open elsewhere, and is given back', (t) => {
  const { file } = fileFor(t);
  const fd = openSync(file, 'r');
  assert.throws(() => takeLease(fd), { code: 'EAGAIN', syscall: 'fcntl' });
  closeSync(fd);
  const alone = path.join(path.dirname(file), 'alone');
  writeFileSync(alone, '');
  const only = openSync(alone, 'r+');
  takeLease(only);
  giveBackLease(only);
  // A program that opens it now does not wait.
  closeSync(openSync(alone, 'r'));
  closeSync(only);
});

void test('an error names the call, the names and the errno', (t) => {
  const { folder } = openFolder(t);
  assert.throws(() => renameAt(folder.fd, 'caf\udce9', folder.fd, 'b', 'replace'), {
    message: "ENOENT: renameat2 'caf\udce9 -> b'",
    code: 'ENOENT',
    errno: -2,
    syscall: 'renameat2',
  });
});

void test('the version of a file is what lstat says, in numbers', (t) => {
  const { folder, path: root } = openFolder(t);
  const times = [
    0n,
    -1n,
    -1_500_000_000n,
    1_000_000_000n,
    1_700_000_000_000_000_001n,
    5_000_000_000_999_999_999n,
  ];
  for (const time of times) {
    const fd = openSync(path.join(root, `at ${time} \u00e9`), 'w');
    writeFileSync(fd, String(time));
    setMtime(fd, time);
    closeSync(fd);
  }
  symlinkSync('nowhere', path.join(root, 'link'));
  // What the name below is as UTF-8.
  writeFileSync(path.join(root, 'caf\ufffd'), '');
  const version = new FileVersion();
  for (const [at, fd] of [
    [root, folder.fd],
    // Objects of another device.
    ['/dev', openSync('/dev', 'r')],
  ] as const)
    for (const name of readdirSync(at)) {
      const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path.join(at, name), { bigint: true });
      assert.ok(version.read(fd, name), name);
      const { device, inode, mtime } = version;
      assert.deepEqual(
        [device, inode, version.size, mtime],
        [String(dev), Number(ino), Number(size), String(mtimeNs)],
      );
      const [seconds, nanoseconds] = version.ctime;
      assert.equal(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), ctimeNs);
    }
  // The caller asks in another way.
  for (const name of ['missing', 'caf\udce9', 'x'.repeat(2_000)])
    assert.equal(version.read(folder.fd, name), false);
});
