import { randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import type { ControllerPlaces } from '#host/config/places.ts';
import { makeNamesDurable } from '#host/fs/durableFile.ts';
import { dropIns } from '#host/config/yamlFile.ts';
import { dropInMember, type Member, MEMBERS } from './contents.ts';
import { counted } from './counted.ts';
import { workName } from './remains.ts';
import type { BackupWork } from './work.ts';

/**
 * Writes identity, registry, configuration and state of Main into one tar file that only its owner may read. It appears
 * under its name only when it is complete and durable. The daemon may be running: the state is copied as of one moment.
 * @returns the members
 * @throws the error of the file system or of SQLite, and the reason of the signal
 */
export async function writeBackup(
  places: ControllerPlaces,
  configFile: string,
  file: string,
  work: BackupWork,
): Promise<Member[]> {
  const temporary = join(dirname(file), `${workName('partial')}${randomBytes(6).toString('hex')}`);
  // Beside the state, whose file system has room for it.
  const folder = mkdtempSync(join(places.stateFolder, workName('stateCopy')));
  try {
    const stateCopy = join(folder, 'state.sqlite');
    await copyState(places.stateFile, stateCopy, work);
    const pack = tar.pack();
    // Exclusive, so that a link planted by another user is not followed.
    const fd = openSync(temporary, 'wx', 0o600);
    const written = pipeline(
      pack as unknown as NodeJS.ReadableStream,
      createWriteStream(temporary, { fd, flush: true }),
      { signal: work.signal },
    );
    written.catch(() => undefined);
    const members: Member[] = [];
    const fixed = MEMBERS.map((member) => ({
      member,
      source: sourceOf(member, { places, configFile, stateCopy }),
    }));
    const laidOver = dropIns(configFile).map((each) => ({
      member: dropInMember(basename(each)),
      source: each,
    }));
    for (const { member, source } of [...laidOver, ...fixed]) {
      if (!existsSync(source)) continue;
      await addFile(pack, { member, source }, work);
      members.push(member);
    }
    pack.finalize();
    await written;
    renameSync(temporary, file);
    makeNamesDurable(dirname(file));
    return members;
  } finally {
    rmSync(temporary, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

function sourceOf(
  member: Member,
  { places, configFile, stateCopy }: { places: ControllerPlaces; configFile: string; stateCopy: string },
): string {
  if (member === 'controller.yml') return configFile;
  if (member === 'state.sqlite') return stateCopy;
  return join(places.stateFolder, member);
}

async function copyState(from: string, to: string, { signal, progress }: BackupWork): Promise<void> {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
    await copyDatabase(db, to, {
      progress: ({ totalPages, remainingPages }) => {
        signal.throwIfAborted();
        progress('copying the state', (totalPages - remainingPages) * pageBytes, totalPages * pageBytes);
      },
    });
  } finally {
    db.close();
  }
}

async function addFile(
  pack: tar.Pack,
  { member: name, source }: { readonly member: Member; readonly source: string },
  { signal, progress }: BackupWork,
): Promise<void> {
  // The copy of the state belongs to this process; the daemon may replace the other files while they are read, so
  // each is read at once.
  if (name !== 'state.sqlite') {
    const content = readFileSync(source);
    return new Promise((resolve, reject) => {
      pack.entry({ name, mode: 0o600 }, content, (error) => (error ? reject(error) : resolve()));
    });
  }
  const { size } = statSync(source);
  const entry = pack.entry({ name, size, mode: 0o600 });
  await pipeline(
    createReadStream(source),
    counted((bytes) => progress('writing the backup', bytes, size)),
    entry as unknown as NodeJS.WritableStream,
    { signal },
  );
}
