import { createReadStream, createWriteStream, mkdirSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import { loadControllerConfig } from '../config/controllerConfig.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import { Registry } from '../registry/registry.ts';
import { counted } from './counted.ts';
import type { BackupWork } from './work.ts';
import { isDropIn, isMember, type Member, mostBytes, REQUIRED } from './contents.ts';

/** A state of so many bytes is checked for longer than a moment. */
const LONG_CHECK = 64 * 1024 ** 2;

/** The file is not a backup, or it is damaged. */
export class BackupError extends Error {
  override name = 'BackupError';
}

/**
 * Unpacks a backup into an empty folder and checks everything in it. Nothing else is touched.
 * @returns Main's identity, and the members
 * @throws BackupError, the error of the check of a member, or the reason of the signal
 */
export async function readBackup(
  file: string,
  into: string,
  work: BackupWork,
): Promise<{ identity: Identity; members: ReadonlySet<Member> }> {
  const members = await unpack(file, into, work);
  const missing = REQUIRED.filter((member) => !members.has(member));
  if (missing.length > 0)
    throw new BackupError(
      `${file} is not a complete backup of Main: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    );
  const identity = loadIdentity(join(into, 'identity'));
  if (identity === undefined) throw new BackupError(`${file} contains no identity`);
  loadIdentity(join(into, 'identity/next'));
  // Loading the identity checks it.
  new Registry(join(into, 'identity')).list();
  if (members.has('controller.yml') || [...members].some(isDropIn))
    loadControllerConfig(join(into, 'controller.yml'));
  const state = join(into, 'state.sqlite');
  const { size } = statSync(state);
  if (size >= LONG_CHECK) work.progressNow('checking the state', 0, size);
  checkState(file, state);
  return { identity, members };
}

async function unpack(file: string, into: string, { signal, progress }: BackupWork): Promise<Set<Member>> {
  const members = new Set<Member>();
  const extract = tar.extract();
  try {
    // A pipe has no size.
    const size = statSync(file).size || null;
    const feeding = pipeline(
      createReadStream(file),
      counted((bytes) => progress('reading the backup', bytes, size)),
      extract as unknown as NodeJS.WritableStream,
      { signal },
    );
    feeding.catch(() => undefined);
    for await (const entry of extract) {
      const { name, type, size } = entry.header;
      if (!isMember(name) || type !== 'file' || members.has(name))
        throw new BackupError(`${file} is not a backup of Main: it contains "${name}" (${type})`);
      if (size > mostBytes(name)) throw new BackupError(`${file}: ${name} has ${size} bytes, which can't be`);
      const target = join(into, name);
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      await pipeline(
        entry as unknown as NodeJS.ReadableStream,
        createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true }),
      );
      members.add(name);
    }
    await feeding;
  } catch (error) {
    if (error instanceof BackupError) throw error;
    signal.throwIfAborted();
    if (errnoOf(error) === 'ENOENT') throw new BackupError(`${file}: no such file`, { cause: error });
    throw new BackupError(
      `${file} is not a readable backup of Main: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  return members;
}

function checkState(file: string, state: string): void {
  const db = new DatabaseSync(state, { readOnly: true });
  try {
    const answer = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    if (answer !== 'ok') throw new BackupError(`${file}: the state in it is damaged (${String(answer)})`);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError(`${file}: the state in it is damaged`, { cause: error });
  } finally {
    db.close();
  }
}
