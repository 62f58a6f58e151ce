import { countOf } from '#core/text/countOf.ts';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  watch,
} from 'node:fs';
import path from 'node:path';
import { formatBytes } from '#core/text/size.ts';
import { formatDuration } from '#core/text/duration.ts';
import { validity } from '../identity/certificate.ts';
import { loadIdentity } from '../identity/identityFiles.ts';
import { formatFingerprint } from '../identity/pin.ts';
import { errnoOf } from '../fs/errno.ts';
import { attempt, type Check } from './check.ts';

/** File handles that a large tree may need at once: folders being read, connections, staged files. */
const ENOUGH_FILES = 1_024;
const FEW_DAYS = 14 * 86_400_000;
/** Counting folders stops at this number, above any limit that matters. */
const MAX_FOLDERS = 500_000;

/** @param geteuid the user this runs as */
export function checkUser(geteuid: number | undefined): Check {
  if (geteuid === 0) return { name: 'user', result: 'ok', detail: 'root' };
  return {
    name: 'user',
    result: 'failed',
    detail: `user ${geteuid}, and this needs root`,
    remedy: 'run it again with sudo: keys and directories can only be read, and owners kept, by root',
  };
}

/** Checks the key and the certificate. @param now milliseconds since 1970 */
export function checkIdentity(folder: string, now: number): Check[] {
  const checks = [
    attempt('identity', 'restore it from a backup, or create a new one', () => {
      const identity = loadIdentity(folder);
      if (identity === undefined) throw new Error(`not found in ${folder}`);
      return formatFingerprint(identity.pin);
    }),
  ];
  if (checks[0]?.result !== 'ok') return checks;
  const mode = statSync(path.join(folder, 'key.pem')).mode & 0o777;
  checks.push(
    (mode & 0o077) === 0
      ? { name: 'private key', result: 'ok', detail: `mode ${mode.toString(8)}` }
      : {
          name: 'private key',
          result: 'failed',
          detail: `mode ${mode.toString(8)}: others can read it`,
          remedy: `chmod 600 ${folder}/key.pem`,
        },
  );
  const left = validity(readFileSync(path.join(folder, 'certificate.pem'), 'utf8')).notAfter - now;
  const detail = left > 0 ? `valid for ${formatDuration(left)}` : `ended ${formatDuration(-left)} ago`;
  const remedy = 'the agent renews it as soon as it reaches Main: look at its status';
  checks.push({
    name: 'certificate',
    result: left > FEW_DAYS ? 'ok' : left > 0 ? 'warning' : 'failed',
    detail,
    remedy,
  });
  return checks;
}

/** Checks that a directory exists, can be written and has room. @param reserve bytes that must stay free */
export function checkDirectory(name: string, folder: string, reserve: number): Check[] {
  const there = attempt(`directory ${name}`, `create it, or correct its path in the configuration`, () => {
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return folder;
  });
  if (there.result !== 'ok') return [there];
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const room: Check = {
    name: `room for ${name}`,
    result: free > 2 * reserve ? 'ok' : free > reserve ? 'warning' : 'failed',
    detail: `${formatBytes(free)} free, ${formatBytes(reserve)} kept in reserve`,
    remedy: 'free some space: nothing is written below the reserve',
  };
  return [there, room];
}

/** Each folder needs an inotify watch; all programs of a user share the kernel's limit. */
export function checkWatches(folders: readonly string[]): Check {
  const limit = Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  const needed = folders.reduce((sum, folder) => sum + countFolders(folder), 0);
  const detail = `${countOf(needed, 'folder')}, ${limit} watches allowed`;
  const remedy =
    'raise fs.inotify.max_user_watches (and max_user_instances) with sysctl; until then the rest is only read every few seconds';
  if (folders.some((folder) => isUnwatchable(folder)))
    return { name: 'file watches', result: 'failed', detail: `${detail}, none is left`, remedy };
  const result = needed * 2 < limit ? 'ok' : needed < limit ? 'warning' : 'failed';
  return { name: 'file watches', result, detail, remedy };
}

/** Whether the kernel has no watch left for it. A missing folder is reported by another check. */
function isUnwatchable(folder: string): boolean {
  try {
    watch(folder).close();
    return false;
  } catch (error) {
    return ['ENOSPC', 'EMFILE'].includes(errnoOf(error));
  }
}

/** Checks the limit of open files. */
export function checkOpenFiles(): Check {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
  const remedy = 'raise it with LimitNOFILE= in the unit, or ulimit -n';
  return {
    name: 'open files',
    result: limit >= ENOUGH_FILES ? 'ok' : 'warning',
    detail: `${limit} allowed`,
    remedy,
  };
}

/** Checks the programs that are started by name. */
export function checkPrograms(names: readonly string[]): Check[] {
  const folders = (process.env['PATH'] ?? '').split(':');
  return names.map((name) => {
    const candidates = name.includes('/') ? [name] : folders.map((folder) => path.join(folder, name));
    const found = candidates.find((candidate) => existsSync(candidate));
    if (found !== undefined) return { name: `program ${path.basename(name)}`, result: 'ok', detail: found };
    return {
      name: `program ${path.basename(name)}`,
      result: 'failed',
      detail: `${name} was not found`,
      remedy: 'install it, or correct the configuration',
    };
  });
}

function countFolders(root: string): number {
  let count = 0;
  const queue = [root];
  for (let folder = queue.pop(); folder !== undefined && count < MAX_FOLDERS; folder = queue.pop()) {
    count += 1;
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) queue.push(path.join(folder, entry.name));
      }
    } catch {
      // Removed meanwhile or not readable: the check of the directory itself reports that.
    }
  }
  return count;
}
