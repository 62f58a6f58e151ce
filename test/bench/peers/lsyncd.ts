import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Contestant, Layout, Pair } from '../contestant.ts';
import { makePairFolders } from './pairFolders.ts';
import { type PrivateSshd, SSH_HOST } from './privateSshd.ts';
import { Started } from '../processes.ts';
import { firstLineOf } from './versions.ts';

export type LsyncdVariant = {
  /** Seconds for which it collects events; its default, 15, when not given. */
  readonly delay?: number;
  readonly comparesPasses: boolean;
  readonly liveChanges: number;
};

/** lsyncd, which watches and starts rsync over ssh for what changed. */
export function lsyncd(sshd: () => PrivateSshd, variant: LsyncdVariant): Contestant {
  return {
    name: `lsyncd, ${variant.delay === undefined ? 'its default delay of 15 s' : `delay ${variant.delay} s`}`,
    needs: { lsyncd: 'lsyncd', rsync: 'rsync', sshd: 'openssh-server', ssh: 'openssh-client' },
    version: () => `lsyncd ${firstLineOf('lsyncd', ['--version']).replace('Version: ', '')}`,
    kind: 'competitor',
    comparesPasses: variant.comparesPasses,
    liveChanges: variant.liveChanges,
    hasCommand: false,
    lay: (layout) => Promise.resolve(lay(layout, sshd(), variant.delay)),
  };
}

function lay(layout: Layout, sshd: PrivateSshd, delay: number | undefined): Pair {
  const { source, target, outbox } = makePairFolders(layout);
  const config = path.join(layout.folder, 'lsyncd.lua');
  writeFileSync(
    config,
    `settings { nodaemon = true }
sync {
  default.rsync,
  source = ${JSON.stringify(source)},
  target = ${JSON.stringify(`${SSH_HOST}:${target}`)},
${delay === undefined ? '' : `  delay = ${delay},\n`}  rsync = { archive = true, rsh = ${JSON.stringify(`/usr/bin/ssh -F ${sshd.clientConfig}`)} },
}
`,
  );
  let daemon: Started | undefined;
  return {
    source,
    target,
    outbox,
    roots: () => [
      ...(daemon?.isRunning === true ? [{ role: 'lsyncd', pid: daemon.pid }] : []),
      { role: 'server', pid: sshd.pid },
    ],
    start: () => {
      daemon = new Started('lsyncd', [config], { log: path.join(layout.folder, 'lsyncd.log') });
      return Promise.resolve();
    },
    end: async () => daemon?.end(),
  };
}
