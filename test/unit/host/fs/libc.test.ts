import assert from 'node:assert/strict';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { giveBackLease, isOpenForWriting, openAt, renameAt, setMtime, takeLease } from '#host/fs/libc.ts';
import { encodeName } from '#core/path/nameBytes.ts';
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

void test('a file is opened by any name, for reading only, and not by programs that are started', (t) => {
  const { path: root, folder } = openFolder(t);
  for (const name of ['a', 'x'.repeat(255), 'é'.repeat(127), '漢'.repeat(85), 'caf\udce9']) {
    writeFileSync(encodeName(path.join(root, name)), name);
    const fd = openAt(folder.fd, name);
    assert.equal(readFileSync(fd, 'utf8'), Buffer.from(name).toString().replace('\udce9', '\ufffd'), name);
    assert.throws(() => writeFileSync(fd, 'x'), { code: 'EBADF' });
    const [, flags = ''] = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    assert.ok((Number.parseInt(flags, 8) & 0o2000000) !== 0, flags);
    closeSync(fd);
  }
});

void test('a link is not opened, nor what is missing; the error has the code that Node gives it', (t) => {
  const { path: root, folder } = openFolder(t);
  symlinkSync('/etc/passwd', path.join(root, 'link'));
  assert.throws(() => openAt(folder.fd, 'link'), { code: 'ELOOP', syscall: 'open' });
  assert.throws(() => openAt(folder.fd, 'missing'), { code: 'ENOENT', message: /missing/ });
  assert.throws(() => openAt(folder.fd, 'link/below'), { code: 'ENOTDIR' });
});
