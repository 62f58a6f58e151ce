import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Contestant, Layout, Pair } from '../contestant.ts';
import type { Started, StartOptions } from '../processes.ts';
import { pairByCommand } from './byCommand.ts';
import { type PrivateSshd, SSH_HOST } from './privateSshd.ts';
import { bytesIn, startRsync } from './rsyncCommand.ts';
import { firstLineOf } from './versions.ts';

/** rsync over ssh: the whole command, as cron runs it. */
export function rsync(sshd: () => PrivateSshd): Contestant {
  return {
    name: 'rsync over ssh',
    needs: { rsync: 'rsync', sshd: 'openssh-server', ssh: 'openssh-client' },
    version: () => `${firstLineOf('rsync', ['--version'])}; ${firstLineOf('ssh', ['-V'])}`,
    kind: 'competitor',
    comparesPasses: true,
    liveChanges: 0,
    hasCommand: true,
    counted: { sender: 'client', receiver: 'server' },
    lay: (layout) => Promise.resolve(lay(layout, sshd())),
  };
}

function lay(layout: Layout, sshd: PrivateSshd): Pair {
  const log = path.join(layout.folder, 'rsync.log');
  const pair = pairByCommand(
    layout,
    () => sshd.pid,
    ({ source, target, under }) => rsyncOverSsh(sshd, source, target, { log, under }),
  );
  return { ...pair, again: pair.start, wireBytes: () => bytesIn(readFileSync(log, 'utf8')) };
}

/** Starts the command for one pass. @param target on this machine, which is reached by ssh */
export function rsyncOverSsh(
  sshd: PrivateSshd,
  source: string,
  target: string,
  options: StartOptions,
): Started {
  return startRsync({
    ...options,
    source,
    target: `${SSH_HOST}:${target}`,
    shell: `ssh -F ${sshd.clientConfig}`,
  });
}
