import path from 'node:path';
import type { Contestant, Layout, Pair } from './contestant.ts';
import { commandOverSsh } from './overSsh.ts';
import { type PrivateSshd, SSH_HOST } from './privateSshd.ts';
import { Started } from './processes.ts';
import { firstLineOf } from './versions.ts';

/** rsync over ssh: the whole command, as cron runs it. */
export function rsync(sshd: () => PrivateSshd): Contestant {
  return {
    name: 'rsync over ssh',
    needs: { rsync: 'rsync', sshd: 'openssh-server', ssh: 'openssh-client' },
    version: () => `${firstLineOf('rsync', ['--version'])}; ${firstLineOf('ssh', ['-V'])}`,
    comparesPasses: true,
    liveChanges: 0,
    hasCommand: true,
    lay: (layout) => Promise.resolve(lay(layout, sshd())),
  };
}

function lay(layout: Layout, sshd: PrivateSshd): Pair {
  return commandOverSsh(
    layout,
    sshd,
    ({ source, target }) =>
      new Started(
        'rsync',
        ['-a', '--delete', '-e', `ssh -F ${sshd.clientConfig}`, `${source}/`, `${SSH_HOST}:${target}/`],
        { log: path.join(layout.folder, 'rsync.log') },
      ),
  );
}
