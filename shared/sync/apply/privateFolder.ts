import { fchmodSync, fchownSync, fstatSync, readlinkSync } from 'node:fs';
import { Folder } from '#host/fs/folder.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { RESERVED_NAME } from '#core/path/names.ts';

/**
 * Our own folder inside a synchronised directory, on its file system and invisible to Asterisk: `stage` holds
 * what is not visible yet, `trash` what is not visible any more, `partial` what has come of large files whose
 * transfer broke off. Only root may look into it.
 */
export class PrivateFolder implements Disposable {
  readonly stage: Folder;
  readonly trash: Folder;
  readonly #area: Folder;
  #partial: Folder | undefined;
  #versions: Folder | undefined;

  /**
   * Opens or creates it.
   * @throws when something that is no folder stands under its name, and what Node's fs throws
   */
  constructor(root: Folder) {
    this.#area = openPrivateFolder(root);
    try {
      this.stage = openInside(this.#area, 'stage');
      this.trash = openInside(this.#area, 'trash');
    } catch (error) {
      this.#area.close();
      throw error;
    }
  }

  /** Made when it is first needed. @throws what Node's fs throws */
  get partial(): Folder {
    this.#partial ??= openInside(this.#area, 'partial');
    return this.#partial;
  }

  /** On Main: contents as they were, by their hash. Made when it is first needed. @throws what Node's fs throws */
  get versions(): Folder {
    this.#versions ??= openInside(this.#area, 'versions');
    return this.#versions;
  }

  [Symbol.dispose](): void {
    this.#partial?.close();
    this.#versions?.close();
    this.stage.close();
    this.trash.close();
    this.#area.close();
  }
}

function openPrivateFolder(root: Folder): Folder {
  try {
    return openPrivate(root, RESERVED_NAME);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOTDIR' && errno !== 'ELOOP') throw error;
    const path = `${readlinkSync(`/proc/self/fd/${root.fd}`)}/${RESERVED_NAME}`;
    throw new Error(`${path} is not the folder that this program needs there: move it away`, {
      cause: error,
    });
  }
}

/**
 * Opens one of our folders, or makes it. One that is in other hands is taken: a "chown -R" went over it, as by XiVO's
 * xivo-fix-paths-rights, or the owner of the synchronised directory made it. Either way nobody gets into it from then
 * on, not even who has it open; no link is followed; and what we stage is told from what lies there by its inode.
 */
function openPrivate(parent: Folder, name: string): Folder {
  try {
    parent.makeFolder(name, 0o700);
    // Once: what is displaced into it later must not hang on a name that a power cut takes away.
    parent.sync();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const folder = parent.open(name);
  try {
    const { uid, mode } = fstatSync(folder.fd);
    const ours = process.geteuid?.() ?? uid;
    if (uid !== ours) fchownSync(folder.fd, ours, process.getegid?.() ?? ours);
    if ((mode & 0o777) !== 0o700) fchmodSync(folder.fd, 0o700);
  } catch (error) {
    folder.close();
    throw error;
  }
  return folder;
}

/** Inside of our own folder: what somebody put under one of its names, while it was his, is no use to him. */
function openInside(area: Folder, name: string): Folder {
  const stat = area.stat(name);
  if (stat !== undefined && !stat.isDirectory()) area.removeFile(name);
  return openPrivate(area, name);
}
