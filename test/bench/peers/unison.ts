import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Contestant, Layout, Pair } from '../contestant.ts';
import { pairByCommand } from './byCommand.ts';
import { type PrivateSshd, SSH_HOST } from './privateSshd.ts';
import { Started } from '../processes.ts';
import { firstLineOf } from './versions.ts';

/** unison over ssh: the whole command. Each side keeps its archives in the pair's folder. */
export function unison(sshd: () => PrivateSshd): Contestant {
  return {
    name: 'unison over ssh',
    needs: { unison: 'unison', sshd: 'openssh-server', ssh: 'openssh-client' },
    version: () => firstLineOf('unison', ['-version']),
    kind: 'competitor',
    comparesPasses: true,
    liveChanges: 0,
    hasCommand: true,
    lay: (layout) => Promise.resolve(lay(layout, sshd())),
  };
}

function lay(layout: Layout, sshd: PrivateSshd): Pair {
  const [here, there] = ['archives-here', 'archives-there'].map((name) => path.join(layout.folder, name)) as [
    string,
    string,
  ];
  for (const each of [here, there]) mkdirSync(each);
  const pair = pairByCommand(
    layout,
    () => sshd.pid,
    ({ source, target }) =>
      new Started(
        'unison',
        [
          source,
          `ssh://${SSH_HOST}/${target}`,
          ...['-ui', 'text', '-batch', '-auto', '-dumbtty', '-silent', '-log=false'],
          ...['-times', '-owner', '-group', '-confirmbigdel=false'],
          ...['-sshargs', `-F ${sshd.clientConfig}`],
          ...['-servercmd', `env UNISON=${there} unison`],
        ],
        { log: path.join(layout.folder, 'unison.log'), env: { UNISON: here } },
      ),
  );
  return { ...pair, again: pair.start };
}
