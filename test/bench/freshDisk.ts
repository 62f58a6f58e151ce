import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SIZE = 8 * 2 ** 30;
/** Where the image lies, when there is room: what is measured is the program, and not the disk. */
const MEMORY = '/dev/shm';

/**
 * An empty ext4 of its own for one run, mounted at a folder. Creating files soon after others were deleted is slow because
 * ext4 examines every inode that was freed in the last minutes, which doubles the time of the second measurement.
 */
export class FreshDisk implements Disposable {
  readonly #folder: string;
  readonly #image: string;

  private constructor(folder: string, image: string) {
    this.#folder = folder;
    this.#image = image;
  }

  /** @param folder an empty one. @returns undefined where nothing may be mounted: then runs share a file system */
  static mount(folder: string): FreshDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const image = path.join(
      hasRoom() ? MEMORY : path.dirname(folder),
      `xds-bench-${process.pid}-${next++}.img`,
    );
    try {
      writeFileSync(image, '');
      truncateSync(image, SIZE);
      execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
      execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'ignore' });
      const disk = new FreshDisk(folder, image);
      mounted.add(disk);
      return disk;
    } catch {
      rmSync(image, { force: true });
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    // Lazily: a process that is just ending may still have a file open.
    spawnSync('umount', ['-l', this.#folder]);
    rmSync(this.#image, { force: true });
    mounted.delete(this);
  }
}

/** Makes a folder with a disk of its own, if one can be mounted, and removes it after its use. */
export async function onFreshDisk<T>(
  parent: string,
  name: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = path.join(parent, name.replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(folder);
  const disk = FreshDisk.mount(folder);
  try {
    return await use(folder);
  } finally {
    disk?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

let next = 0;
const mounted = new Set<FreshDisk>();

/** For a benchmark that is broken off: nothing stays mounted. */
export function unmountAll(): void {
  for (const disk of mounted) disk[Symbol.dispose]();
}

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > SIZE;
}
