import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '#host/fs/errno.ts';

/** What a folder holds, a line a path, without the program's own area and without overrides: for comparing hosts. */
export function treeOf(
  root: string,
  options: { skip?: readonly string[]; metadata?: boolean } = {},
): string[] {
  const lines: string[] = [];
  const walk = (folder: Buffer, shown: string): void => {
    for (const name of namesIn(folder, shown !== '')) {
      const text = name.toString('latin1');
      const relative = shown === '' ? text : `${shown}/${text}`;
      if (
        relative === '.xivo-xds-sync' ||
        text.startsWith('xds_override') ||
        options.skip?.includes(relative) === true
      )
        continue;
      const full = Buffer.concat([folder, Buffer.from('/'), name]);
      const stat = lstatSync(full, { bigint: true, throwIfNoEntry: false });
      // It went away between list and look: the next comparison sees that.
      if (stat === undefined) continue;
      const meta =
        options.metadata === false ? '' : ` ${(stat.mode & 0o7777n).toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.isDirectory()) {
        lines.push(`${relative}/${meta}`);
        walk(full, relative);
      } else if (stat.isSymbolicLink()) lines.push(`${relative} -> ${readlinkSync(full)}`);
      else if (stat.isFile()) {
        const hash = createHash('sha256').update(readFileSync(full)).digest('hex').slice(0, 16);
        lines.push(`${relative} ${hash}${meta}${options.metadata === false ? '' : ` ${stat.mtimeNs}`}`);
      } else lines.push(`${relative} (special)`);
    }
  };
  walk(Buffer.from(path.resolve(root)), '');
  return lines.sort();
}

/** @param mayBeGone a folder that went away since it was listed holds nothing: the next comparison sees that */
function namesIn(folder: Buffer, mayBeGone: boolean): Buffer[] {
  try {
    return readdirSync(folder, { encoding: 'buffer' });
  } catch (error) {
    if (mayBeGone && codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
