import path from 'node:path';
import type { Contestant } from '../contestant.ts';
import { Started } from '../processes.ts';
import { pairByCommand } from './byCommand.ts';
import { type PrivateSshd, SSH_HOST } from './privateSshd.ts';
import { firstLineOf } from './versions.ts';

/** No competitor, for it only copies: it deletes nothing, makes nothing durable, verifies nothing, and knows one pass only. */
const LIMIT = { kind: 'limit', comparesPasses: true, liveChanges: 0, hasCommand: false } as const;

/** What the file system alone takes: `cp -a` on one machine, without any network. */
export const cp: Contestant = {
  ...LIMIT,
  name: 'limit: cp -a',
  needs: {},
  version: () => firstLineOf('cp', ['--version']),
  counted: { sender: 'client' },
  lay: (layout) => {
    const log = path.join(layout.folder, 'cp.log');
    return Promise.resolve(
      pairByCommand(
        layout,
        () => undefined,
        ({ source, target, under }) => new Started('cp', ['-a', `${source}/.`, target], { log, under }),
      ),
    );
  },
};

/** What an encrypted stream of all files takes, which nothing answers to: `tar | ssh | tar`. */
export function tarOverSsh(sshd: () => PrivateSshd): Contestant {
  return {
    ...LIMIT,
    name: 'limit: tar | ssh | tar',
    needs: { sshd: 'openssh-server', ssh: 'openssh-client' },
    version: () => firstLineOf('tar', ['--version']),
    counted: { sender: 'client', receiver: 'server' },
    lay: (layout) => {
      const { pid, clientConfig } = sshd();
      const log = path.join(layout.folder, 'tar.log');
      const script = 'tar -C "$1" -cf - . | ssh -F "$2" "$3" "tar -C \'$4\' -xpf -"';
      return Promise.resolve(
        pairByCommand(
          layout,
          () => pid,
          ({ source, target, under }) =>
            new Started(
              'bash',
              ['-o', 'pipefail', '-c', script, '-', source, clientConfig, SSH_HOST, target],
              { log, under },
            ),
        ),
      );
    },
  };
}
