import { readFileSync } from 'node:fs';
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
  const log = path.join(layout.folder, 'rsync.log');
  const pair = commandOverSsh(layout, sshd, (folders) => startRsync(sshd, { ...folders, log }));
  return { ...pair, wireBytes: () => bytesIn(readFileSync(log, 'utf8')) };
}

/** Starts the command for one pass. @param target on this machine, which is reached by ssh */
export function startRsync(
  sshd: PrivateSshd,
  { source, target, log }: { readonly source: string; readonly target: string; readonly log: string },
): Started {
  const ssh = `ssh -F ${sshd.clientConfig}`;
  return new Started(
    'rsync',
    ['-a', '--delete', '--stats', '-e', ssh, `${source}/`, `${SSH_HOST}:${target}/`],
    { log },
  );
}

/** Of all passes whose figures are in a log; what ssh adds is not counted. */
function bytesIn(log: string): number {
  const counted = log.matchAll(/^Total bytes (?:sent|received): ([\d,]+)$/gm);
  return [...counted].reduce((sum, [, bytes = '']) => sum + Number(bytes.replaceAll(',', '')), 0);
}
