import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Copies the pinned Node, stripped of what only a debugger reads, and the one library it needs that a bare Debian
 * lacks (libatomic.so.1, of GCC). Everything else that it loads is there on Debian 11 and 12.
 * @throws when this machine has no libatomic.so.1 to copy
 */
export function writeNode(checkout: string, folder: string): void {
  const node = path.join(folder, 'node');
  copyFileSync(path.join(checkout, 'node_modules/node/bin/node'), node);
  chmodSync(node, 0o755);
  const [libatomic] = globSync(['/usr/lib/*-linux-gnu/libatomic.so.1', '/lib/*-linux-gnu/libatomic.so.1']);
  if (libatomic === undefined)
    throw new Error('there is no libatomic.so.1 to put beside Node: apt-get install libatomic1');
  mkdirSync(path.join(folder, 'lib'), { recursive: true });
  copyFileSync(libatomic, path.join(folder, 'lib/libatomic.so.1'));
  chmodSync(path.join(folder, 'lib/libatomic.so.1'), 0o644);
  if (existsSync('/usr/bin/strip'))
    execFileSync('strip', ['--strip-unneeded', '--remove-section=.comment', '--remove-section=.note', node]);
}
