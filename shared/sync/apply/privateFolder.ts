import { fchmodSync, fchownSync, fstatSync, readlinkSync } from 'node:fs';
import { Folder } from '#host/fs/folder.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { RESERVED_NAME } from '#core/path/names.ts';

/**
 * The program's private folder inside a synchronised directory, on its file system and ignored by Asterisk: `stage` holds
 * objects that are not visible yet, `trash` displaced ones, `partial` the received parts of large files whose transfer
 * was interrupted. Only root may read it.
 */
export class PrivateFolder implements Disposable {
  readonly stage: Folder;
  readonly trash: Folder;
  readonly #area: Folder;
  #partial: Folder | undefined;
  #versions: Folder | undefined;

  /**
   * Opens or creates it.
   * @throws when its name is taken by something that is not a folder, and Node's fs errors
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

  /** Created when first needed. @throws Node's fs errors */
  get partial(): Folder {
    this.#partial ??= openInside(this.#area, 'partial');
    return this.#partial;
  }

  /** On Main: earlier contents, by hash. Created when first needed. @throws Node's fs errors */
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
 * Opens one of the private folders, or creates it. A folder that belongs to another user is taken over: a "chown -R"
 * changed it, as XiVO's xivo-fix-paths-rights does, or the owner of the synchronised directory created it. From then on
 * no other user has access, not even through an open handle. No link is followed, and staged objects are identified by
 * inode, so objects planted there earlier have no effect.
 */
function openPrivate(parent: Folder, name: string): Folder {
  try {
    parent.makeFolder(name, 0o700);
    // The folder's own name must be durable before anything is moved into it.
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

/** Opens a subfolder. A non-folder of its name, planted while another user owned the private folder, is removed. */
function openInside(area: Folder, name: string): Folder {
  const stat = area.stat(name);
  if (stat !== undefined && !stat.isDirectory()) area.removeFile(name);
  return openPrivate(area, name);
}
