import assert from 'node:assert/strict';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, it, type TestContext } from 'node:test';
import tar from 'tar-stream';
import { saveIdentity } from '#host/identity/identityFiles.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { Database } from '#sync/state/database.ts';
import { BackupError, readBackup } from '../../../../controller/backup/readBackup.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';

const MAIN = await createIdentity({ commonName: 'main' });

type More = { name: string; type: 'file' | 'symlink' | 'directory'; linkname?: string };

class Backup {
  readonly folder: string;
  readonly into: string;
  readonly members: Record<string, Buffer | string>;
  readonly stop = new AbortController();

  constructor(t: TestContext) {
    this.folder = memoryFolder();
    t.after(() => rmSync(this.folder, { recursive: true }));
    this.into = path.join(this.folder, 'into');
    mkdirSync(this.into);
    const identity = path.join(this.folder, 'identity');
    saveIdentity(identity, MAIN);
    const state = path.join(this.folder, 'state.sqlite');
    new Database(state).close();
    this.members = {
      'controller.yml': 'settle: 1s\n',
      'identity/key.pem': readFileSync(path.join(identity, 'key.pem')),
      'identity/certificate.pem': readFileSync(path.join(identity, 'certificate.pem')),
      'state.sqlite': readFileSync(state),
    };
  }

  get file(): string {
    return path.join(this.folder, 'main.tar');
  }

  /** Writes the archive. @param more entries that no backup has */
  async write(more: readonly More[] = []): Promise<void> {
    const pack = tar.pack();
    for (const [name, content] of Object.entries(this.members)) pack.entry({ name }, content);
    for (const header of more) pack.entry(header, header.type === 'file' ? 'x' : '');
    pack.finalize();
    await pipeline(pack as unknown as NodeJS.ReadableStream, createWriteStream(this.file));
  }

  read(): ReturnType<typeof readBackup> {
    const progress = (): void => undefined;
    return readBackup(this.file, this.into, { signal: this.stop.signal, progress, progressNow: progress });
  }
}

const isRefusal = (text: RegExp) => (error: unknown) =>
  error instanceof BackupError && text.test(error.message);

describe('A backup', () => {
  it('is unpacked for its owner alone, and says whose it is', async (t) => {
    const backup = new Backup(t);
    backup.members['controller.d/10-more.yml'] = 'settle: 2s\n';
    await backup.write();
    const { identity, members } = await backup.read();
    assert.equal(identity.pin, MAIN.pin);
    assert.deepEqual([...members].toSorted(), Object.keys(backup.members).toSorted());
    assert.equal(statSync(path.join(backup.into, 'identity/key.pem')).mode & 0o777, 0o600);
    assert.equal(readFileSync(path.join(backup.into, 'controller.d/10-more.yml'), 'utf8'), 'settle: 2s\n');
  });

  it('needs no configuration', async (t) => {
    const backup = new Backup(t);
    delete backup.members['controller.yml'];
    await backup.write();
    assert.ok(!(await backup.read()).members.has('controller.yml'));
  });
});

describe('What is no backup of Main is refused', () => {
  for (const member of ['identity/key.pem', 'identity/certificate.pem', 'state.sqlite'] as const) {
    it(`without ${member}`, async (t) => {
      const backup = new Backup(t);
      delete backup.members[member];
      await backup.write();
      await assert.rejects(
        backup.read(),
        isRefusal(new RegExp(`not a complete backup of Main: ${member} is missing`)),
      );
    });
  }

  for (const [what, header] of [
    ['a path that leads out', { name: '../out', type: 'file' }],
    ['an absolute path', { name: '/etc/passwd', type: 'file' }],
    ['a member twice', { name: 'state.sqlite', type: 'file' }],
    [
      'a link with the name of a member',
      { name: 'identity/next/key.pem', type: 'symlink', linkname: '/etc/passwd' },
    ],
    ['a folder', { name: 'identity', type: 'directory' }],
    ['a hidden file of controller.d', { name: 'controller.d/.x.yml', type: 'file' }],
    ['something below controller.d', { name: 'controller.d/a/b.yml', type: 'file' }],
  ] as const satisfies readonly (readonly [string, More])[]) {
    it(`with ${what}`, async (t) => {
      const backup = new Backup(t);
      await backup.write([header]);
      await assert.rejects(backup.read(), isRefusal(/is not a backup of Main: it contains/));
      assert.ok(!existsSync(path.join(backup.folder, 'out')));
    });
  }

  it('with a key that is not that of its certificate', async (t) => {
    const backup = new Backup(t);
    backup.members['identity/key.pem'] = (await createIdentity({ commonName: 'other' })).keyPem;
    await backup.write();
    await assert.rejects(backup.read(), /does not belong to/);
  });

  it('with a registry or a configuration that Main could not start with', async (t) => {
    const backup = new Backup(t);
    backup.members['identity/registry.json'] = '{"version":1}';
    await backup.write();
    await assert.rejects(backup.read(), /registry\.json.*damaged/);
    const other = new Backup(t);
    other.members['controller.yml'] = 'nonsense: true\n';
    await other.write();
    await assert.rejects(other.read(), /nonsense/);
  });

  it('with a damaged state', async (t) => {
    const backup = new Backup(t);
    const state = Buffer.from(backup.members['state.sqlite'] ?? '');
    state.fill(0x55, 4_096, 12_288);
    backup.members['state.sqlite'] = state;
    await backup.write();
    await assert.rejects(backup.read(), isRefusal(/the state in it is damaged/));
  });

  it('when it is cut off, no archive, or not there', async (t) => {
    const backup = new Backup(t);
    await assert.rejects(backup.read(), isRefusal(/main\.tar: no such file/));
    writeFileSync(backup.file, 'not an archive at all'.repeat(100));
    await assert.rejects(backup.read(), isRefusal(/is not a readable backup of Main/));
    await backup.write();
    writeFileSync(backup.file, readFileSync(backup.file).subarray(0, 3_000));
    await assert.rejects(backup.read(), BackupError);
  });
});

it('a backup is not read further when the person interrupts', async (t) => {
  const backup = new Backup(t);
  await backup.write();
  backup.stop.abort(new Error('interrupted'));
  await assert.rejects(backup.read(), /interrupted/);
});
