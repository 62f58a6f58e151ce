import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../support/harness/freePort.ts';
import { eventually } from '../../support/harness/host.ts';
import type { Contestant, Layout, Pair } from '../contestant.ts';
import { Started } from '../processes.ts';
import { answers } from './answers.ts';
import { pairByCommand } from './byCommand.ts';
import { bytesIn, startRsync } from './rsyncCommand.ts';
import { firstLineOf } from './versions.ts';

const MODULE = 'bench';

/** rsync with a daemon of its own on loopback: nothing is encrypted, and no password is asked for. */
export const rsyncDaemon: Contestant = {
  name: 'rsync daemon, unencrypted',
  needs: { rsync: 'rsync' },
  version: () => firstLineOf('rsync', ['--version']),
  kind: 'competitor',
  comparesPasses: true,
  liveChanges: 0,
  hasCommand: true,
  counted: { sender: 'client', receiver: 'server' },
  lay,
};

async function lay(layout: Layout): Promise<Pair> {
  const [config, log] = [path.join(layout.folder, 'rsyncd.conf'), path.join(layout.folder, 'rsync.log')];
  const port = await freePort();
  let daemon: Started | undefined;
  const pair = pairByCommand(
    layout,
    () => daemon?.pid,
    ({ source, under }) => startRsync({ source, target: `rsync://127.0.0.1:${port}/${MODULE}`, log, under }),
  );
  writeFileSync(config, daemonConfig(pair.target, port));
  daemon = new Started('rsync', ['--daemon', '--no-detach', `--config=${config}`], {
    log: path.join(layout.folder, 'rsyncd.log'),
  });
  const started = daemon;
  const end = async (): Promise<void> => {
    await pair.end();
    await started.end();
  };
  try {
    await eventually('the rsync daemon listens', () => {
      if (!started.isRunning) throw new Error(`the rsync daemon ended: ${started.output}`);
      return answers(port);
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { ...pair, again: pair.start, end, wireBytes: () => bytesIn(readFileSync(log, 'utf8')) };
}

/** Only loopback is served, by the user who runs the benchmark: owners and times are kept as over ssh. */
function daemonConfig(target: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : '';
  return `address = 127.0.0.1
port = ${port}
use chroot = no
reverse lookup = no
${user}[${MODULE}]
path = ${target}
read only = no
hosts allow = 127.0.0.1
`;
}
