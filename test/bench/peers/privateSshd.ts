import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from '../../support/harness/host.ts';
import { freePort } from '../../support/harness/freePort.ts';
import { findProgram, Started } from '../processes.ts';
import { answers } from './answers.ts';

/** Where Debian's sshd wants an empty folder when root runs it; its init script makes it. */
const SEPARATION_FOLDER = '/run/sshd';

/** The name of this machine in the client's configuration. */
export const SSH_HOST = 'bench';

/** An sshd on loopback with keys, configuration and port of its own; the user's and the system's are not read. */
export class PrivateSshd {
  /** The client's configuration file, for `ssh -F`. */
  readonly clientConfig: string;
  readonly pid: number;
  readonly #daemon: Started;

  private constructor(daemon: Started, clientConfig: string) {
    this.#daemon = daemon;
    this.pid = daemon.pid;
    this.clientConfig = clientConfig;
  }

  static async start(folder: string): Promise<PrivateSshd> {
    const at = (name: string): string => path.join(folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const key of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', at(key)]);
    const port = await freePort();
    writeFileSync(at('known_hosts'), `${SSH_HOST} ${readFileSync(at('host.pub'), 'utf8')}`);
    writeFileSync(
      at('sshd_config'),
      `ListenAddress 127.0.0.1:${port}
HostKey ${at('host')}
AuthorizedKeysFile ${at('user.pub')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
# With this, bash does not read the user's .bashrc, which may take longer than a whole pass.
SetEnv SHLVL=1
`,
    );
    writeFileSync(
      at('ssh_config'),
      `Host ${SSH_HOST}
  HostName 127.0.0.1
  HostKeyAlias ${SSH_HOST}
  Port ${port}
  User ${os.userInfo().username}
  IdentityFile ${at('user')}
  IdentitiesOnly yes
  UserKnownHostsFile ${at('known_hosts')}
  StrictHostKeyChecking yes
  BatchMode yes
  LogLevel ERROR
`,
    );
    // It stays: another sshd may have come to need it.
    if (process.getuid?.() === 0) mkdirSync(SEPARATION_FOLDER, { recursive: true, mode: 0o755 });
    // sshd starts itself again for each connection and insists on its full path for that.
    const daemon = new Started(findProgram('sshd') ?? 'sshd', ['-D', '-e', '-f', at('sshd_config')], {
      log: at('sshd.log'),
    });
    await eventually('sshd listens', () => {
      if (!daemon.isRunning) throw new Error(`sshd ended: ${daemon.output}`);
      return answers(port);
    });
    return new PrivateSshd(daemon, at('ssh_config'));
  }

  async end(): Promise<void> {
    await this.#daemon.end();
  }
}
