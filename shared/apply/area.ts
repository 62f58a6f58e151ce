import { chmodSync, fstatSync, readlinkSync } from 'node:fs';
import { Folder } from '../disk/folder.ts';
import { errnoOf } from '../disk/errno.ts';
import { RESERVED_NAME } from '../paths/names.ts';

/**
 * Our own folder inside a synchronised directory, on its file system and invisible to Asterisk: `stage` holds
 * what is not visible yet, `trash` what is not visible any more, `partial` what has come of large files whose
 * transfer broke off. Only root may look into it.
 */
export class Area implements Disposable {
  readonly stage: Folder;
  readonly trash: Folder;
  readonly #area: Folder;
  #partial: Folder | undefined;

  /**
   * Opens or creates it.
   * @throws when something of somebody else's stands under its name
   */
  constructor(root: Folder) {
    this.#area = openPrivate(root, RESERVED_NAME);
    try {
      this.stage = openPrivate(this.#area, 'stage');
      this.trash = openPrivate(this.#area, 'trash');
    } catch (error) {
      this.#area.close();
      throw error;
    }
  }

  /** Made when it is first needed. @throws what Node's fs throws */
  get partial(): Folder {
    this.#partial ??= openPrivate(this.#area, 'partial');
    return this.#partial;
  }

  [Symbol.dispose](): void {
    this.#partial?.close();
    this.stage.close();
    this.trash.close();
    this.#area.close();
  }
}

function openPrivate(parent: Folder, name: string): Folder {
  try {
    parent.makeFolder(name, 0o700);
    // Once: what is displaced into it later must not hang on a name that a power cut takes away.
    parent.sync();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const folder = parent.open(name);
  const stat = fstatSync(folder.fd);
  // Whoever owns the synchronised directory can put a folder of his own here, and could then look into or
  // exchange what we stage.
  if (stat.uid !== process.geteuid?.()) {
    const path = readlinkSync(`/proc/self/fd/${folder.fd}`);
    folder.close();
    throw new Error(
      `${path} belongs to user ${stat.uid}, not to this program. After a "chown -R" (as by xivo-fix-paths-rights) ` +
        `'chown -h root: ${path} ${path}/*' gives it back; else somebody made it: move it away`,
    );
  }
  if ((stat.mode & 0o777) !== 0o700) chmodSync(`/proc/self/fd/${folder.fd}`, 0o700);
  return folder;
}
