import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ACCESS_MODE = 0o3;

/**
 * The paths below `root` (its real path) that some other process has open for writing, as /proc tells. What
 * /proc hides (another user's processes without the right to look) is taken for closed.
 */
export function openForWriting(root: string): Set<string> {
  const found = new Set<string>();
  const prefix = `${root}/`;
  for (const process of numbersIn('/proc')) {
    if (process === String(globalThis.process.pid)) continue;
    for (const descriptor of numbersIn(`/proc/${process}/fd`)) {
      const path = readOr(() => readlinkSync(`/proc/${process}/fd/${descriptor}`));
      if (!path?.startsWith(prefix)) continue;
      const info = readOr(() => readFileSync(`/proc/${process}/fdinfo/${descriptor}`, 'utf8'));
      const flags = /^flags:\s*([0-7]+)/m.exec(info ?? '')?.[1];
      if (flags !== undefined && (parseInt(flags, 8) & ACCESS_MODE) !== 0)
        found.add(path.slice(prefix.length));
    }
  }
  return found;
}

function numbersIn(folder: string): string[] {
  return (readOr(() => readdirSync(folder)) ?? []).filter((name) => /^\d+$/.test(name));
}

/** A process or descriptor may end between two reads: then it writes no more. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
