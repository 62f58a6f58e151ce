import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileCache, launcherOf } from '../support/harness/bundles.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Ran } from '../support/harness/host.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../install/mds_install.sh');

/** The script beside the bundled agent, as in a checkout whose programs start quicker. */
const bundled = mkdtempSync(path.join(tmpdir(), 'xds-'));
after(() => rmSync(bundled, { recursive: true }));
mkdirSync(path.join(bundled, 'install'));
mkdirSync(path.join(bundled, 'bin'));
cpSync(SCRIPT, path.join(bundled, 'install/mds_install.sh'));
writeFileSync(
  path.join(bundled, 'bin/xivo-xds-sync-agent'),
  `#!/bin/sh\nexec ${launcherOf('xivo-xds-sync-agent').join(' ')} "$@"\n`,
  { mode: 0o755 },
);

describe('mds_install.sh', { skip: process.getuid?.() === 0 ? false : 'installs as root' }, () => {
  let cluster: Cluster;
  let main: string;

  before(async () => {
    cluster = await Cluster.make({ mds: [] });
    main = `127.0.0.1:${cluster.port}`;
    await cluster.startMain();
  });
  afterEach(async () => {
    // Each test has MDS of its own. What the script started in the background ends with it.
    for (const mds of cluster.mds.splice(0)) await endAgent(mds);
  });
  after(() => cluster.end());

  function token(name: string, ...options: string[]): Promise<string> {
    return cluster.main.ok(['mds', 'add', name, ...options]);
  }

  async function agentStatus(mds: Mds): Promise<{ name: string; link: { state: string } }> {
    const ran = await mds.run(['status', '--json']);
    assert.notEqual(ran.code, 3, ran.stderr);
    return JSON.parse(ran.stdout) as { name: string; link: { state: string } };
  }

  function pidFile(mds: Mds): string {
    return path.join(mds.root, 'run/xivo-xds-sync/agent.pid');
  }

  function pidOf(mds: Mds): string {
    return readFileSync(pidFile(mds), 'utf8').trim();
  }

  async function endAgent(mds: Mds): Promise<void> {
    if (!existsSync(pidFile(mds))) return;
    const pid = Number(pidOf(mds));
    process.kill(pid, 'SIGTERM');
    await eventually(`the agent of ${mds.name} has ended`, () => !existsSync(`/proc/${pid}/root`));
  }

  it('enrols with a token on standard input, starts the agent, and asks nothing', async () => {
    const mds = cluster.addHost('one');
    // From the checkout itself.
    const args = ['--main', main, '--token-file', '-', '--root', mds.root];
    const ran = await runCommand([SCRIPT, ...args], await token('one'));
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /enrolled as "one" with Main at 127\.0\.0\.1/);
    assert.match(ran.stdout, /the agent runs: in the background/);
    assert.equal((await agentStatus(mds)).name, 'one');
    assert.equal((await cluster.statusOf('one')).state, 'connected');
  });

  it('takes a token from a file, changes nothing when run again, and starts an agent that has ended', async () => {
    const mds = cluster.addHost('two');
    const file = path.join(mds.root, 'token');
    writeFileSync(file, await token('two'));
    const args = ['--main', main, '--token-file', file, '--root', mds.root];
    await ok(args);
    const first = pidOf(mds);
    const before = listing(path.join(mds.root, 'var/lib/xivo-xds-sync/identity'));

    const again = await run(args);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /already enrolled with the Main at/);
    assert.equal(pidOf(mds), first);
    assert.deepEqual(listing(path.join(mds.root, 'var/lib/xivo-xds-sync/identity')), before);

    process.kill(Number(first), 'SIGKILL');
    const third = await run(args);
    assert.equal(third.code, 0, third.stderr);
    assert.notEqual(pidOf(mds), first);
    assert.equal((await agentStatus(mds)).link.state, 'connected');
  });

  it('waits for an agent whose process is slow to become one', async () => {
    const mds = cluster.addHost('unready');
    const folder = path.join(mds.root, 'programs');
    mkdirSync(folder);
    // Until it is replaced, the process has another command line; on a busy machine, that of the script itself.
    const program =
      '#!/bin/bash\nexport ARGS="$*"\nexec -a starting bash -c \'sleep 1; exec /usr/bin/setsid $ARGS\'\n';
    writeFileSync(path.join(folder, 'setsid'), program, { mode: 0o755 });
    const PATH = `${folder}:${process.env['PATH']}`;
    await ok(['--main', main, '--root', mds.root], await token('unready'), { PATH });
    assert.equal((await cluster.statusOf('unready')).state, 'connected');
  });

  it('readmits an MDS that was removed on Main, with a new token', async () => {
    const mds = cluster.addHost('back');
    const args = ['--main', main, '--token-file', '-', '--root', mds.root];
    await ok(args, await token('back'));
    await cluster.main.ok(['mds', 'remove', 'back']);
    const ran = await run(args, await token('back'));
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /enrolling again/);
    assert.equal((await cluster.statusOf('back')).state, 'connected');
  });

  it('refuses to make an MDS of one Main the MDS of another', async () => {
    const mds = cluster.addHost('loyal');
    await ok(['--main', main, '--root', mds.root], await token('loyal'));
    const ran = await run(['--main', '127.0.0.1:1', '--root', mds.root], await token('other'));
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /is already an MDS of the Main at 127\.0\.0\.1:\d+: run ".* --uninstall" first/);
  });

  it('takes the key of the old rsync job out of authorized_keys, and no other', async () => {
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIOldOldOld';
    const published = path.join(cluster.main.root, 'usr/share/xivo-certs/rsync_xds.pub');
    mkdirSync(path.dirname(published), { recursive: true });
    writeFileSync(published, `ssh-ed25519 ${key} root@main\n`);
    const others = [
      '# who may log in',
      'ssh-rsa AAAAmine me@home',
      `from="10.0.0.1" ssh-ed25519 AAAAother b`,
    ];
    const old = [`ssh-ed25519 ${key} root@main`, `command="rsync",no-pty ssh-ed25519 ${key}`];
    const mds = cluster.addHost('keys');
    const file = path.join(mds.root, 'root/.ssh/authorized_keys');
    const backup = `${file}.before-xivo-xds-sync`;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const made = await token('keys');
    // The script is run again for the later ones, and then knows Main's key from the enrolment, not from the token.
    for (const [name, lines] of [
      ['several', [others[0], old[0], others[1], old[1], others[2]]],
      ['only', old],
      ['without', others],
    ] as const) {
      for (const left of [backup, `${file}.rsync_xds`]) rmSync(left, { force: true });
      const before = lines.map((line) => `${line}\n`).join('');
      writeFileSync(file, before, { mode: 0o600 });
      const ran = await run(['--main', main, '--root', mds.root], made);
      assert.equal(ran.code, 0, ran.stderr);
      const kept = others.filter((line) => lines.includes(line));
      assert.equal(readFileSync(file, 'utf8'), kept.map((line) => `${line}\n`).join(''), name);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      if (name === 'without') assert.equal(existsSync(backup), false);
      else {
        assert.equal(readFileSync(backup, 'utf8'), before);
        assert.match(ran.stdout, /removed Main's old rsync key \(rsync_xds\)/);
      }
      const back = await run(['--old-key', '--root', mds.root]);
      if (name === 'without') assert.equal(back.code, 1, back.stdout);
      else {
        assert.equal(back.code, 0, back.stderr);
        const allowed = before.trim().split('\n').toSorted();
        assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n').toSorted(), allowed, name);
        assert.equal(statSync(file).mode & 0o777, 0o600);
        assert.match((await run(['--old-key', '--root', mds.root])).stdout, /already/);
        assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n').toSorted(), allowed);
      }
      assert.deepEqual(
        readdirSync(path.dirname(file)).filter((each) => each.endsWith('.new')),
        [],
      );
    }
    rmSync(published);
  });

  it('forgets Main with --uninstall, and leaves the files', async () => {
    const mds = cluster.addHost('gone');
    mds.write('recordings', 'mine.wav', 'recorded here');
    await ok(['--main', main, '--root', mds.root], await token('gone'));
    const pid = Number(pidOf(mds));
    const ran = await run(['--uninstall', '--root', mds.root]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /no longer an MDS/);
    // Main knows of it: the name is free again.
    await token('gone');
    assert.equal(existsSync(`/proc/${pid}/root`), false);
    assert.equal(existsSync(path.join(mds.root, 'var/lib/xivo-xds-sync')), false);
    assert.equal(existsSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml')), false);
    assert.equal(mds.read('recordings', 'mine.wav'), 'recorded here');
    const again = await run(['--uninstall', '--root', mds.root]);
    assert.equal(again.code, 0);
    assert.match(again.stdout, /nothing to uninstall/);
  });

  describe('refuses with a clear message, and leaves nothing behind,', () => {
    let mds: Mds;
    let before: string[];

    function fresh(name: string): void {
      mds = cluster.addHost(name);
      before = listing(mds.root);
    }

    async function refused(args: readonly string[], input: string, words: RegExp, code = 1): Promise<void> {
      const ran = await run([...args, '--root', mds.root], input);
      assert.equal(ran.code, code, `${ran.stdout}${ran.stderr}`);
      assert.match(ran.stderr, words);
      assert.deepEqual(listing(mds.root), before);
    }

    it('a Main that can not be reached', async () => {
      fresh('far');
      await refused(
        ['--main', '127.0.0.1:1'],
        await token('far'),
        /Main can't be reached at 127\.0\.0\.1:1 \(ECONNREFUSED\)/,
      );
    });

    it('what is no token', async () => {
      fresh('odd');
      await refused(['--main', main], 'hello', /this is not a join token/);
    });

    it('a token of another Main', async () => {
      fresh('lost');
      const other = await Cluster.make({ mds: [] });
      try {
        await other.startMain();
        await refused(
          ['--main', main],
          await other.main.ok(['mds', 'add', 'lost']),
          /pin|another|not the Main/i,
        );
      } finally {
        await other.end();
      }
    });

    it('a token that was withdrawn', async () => {
      fresh('late');
      const made = await token('late');
      await cluster.main.ok(['mds', 'remove', 'late']);
      await refused(['--main', main], made, /Main refused: Main does not know this join token/);
    });

    it('a token that another MDS has used', async () => {
      const first = cluster.addHost('first');
      const made = await token('first');
      await ok(['--main', main, '--root', first.root], made);
      fresh('second');
      await refused(['--main', main], made, /Main refused: the join token was used by 127\.0\.0\.1 at/);
    });

    it('a token that has expired', async () => {
      fresh('slow');
      const made = await token('slow', '--ttl', '1s');
      await sleep(1100);
      await refused(['--main', main], made, /Main refused: the join token expired at/);
    });

    it('a token for another name', async () => {
      fresh('name');
      await refused(
        ['--main', main, '--name', 'other'],
        await token('name'),
        /the token is for "name", not for "other"/,
        1,
      );
    });

    it('a token file that is not there, an empty one, and no token at all', async () => {
      fresh('none');
      await refused(
        ['--main', main, '--token-file', '/nonexistent'],
        '',
        /the token file \/nonexistent can't be read/,
      );
      await refused(['--main', main, '--token-file', '/dev/null'], '', /no token found in \/dev\/null/);
      await refused(['--main', main], '', /there is no token: give --token-file FILE/, 2);
    });

    it('no Main, an unknown argument, and a token on the command line', async () => {
      fresh('words');
      await refused([], '', /--main HOST\[:PORT\] is required/, 2);
      await refused(['--man', main], '', /unknown argument: --man/, 2);
      await refused(['--main', main, 'xds1.abc'], '', /can be read by every user of this host/, 2);
    });

    it('an agent that does not start after it was enrolled', async () => {
      mds = cluster.addHost('stuck');
      // A foreign folder is where the agent must listen.
      mkdirSync(path.join(mds.root, 'run/xivo-xds-sync/agent.sock/foreign'), { recursive: true });
      before = listing(mds.root);
      await refused(
        ['--main', main],
        await token('stuck'),
        /the agent does not start: [^]*agent\.sock[^]*the token is used up: make another/,
      );
    });

    it('a user who is not root', async (t) => {
      // A copy, since that user may not be allowed to look into the checkout.
      const folder = mkdtempSync(path.join(tmpdir(), 'xds-'));
      t.after(() => rmSync(folder, { recursive: true }));
      chmodSync(folder, 0o755);
      const copy = path.join(folder, 'mds_install.sh');
      cpSync(SCRIPT, copy);
      const ran = await runCommand(
        ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'sh', copy, '--main', main],
        '',
      );
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /this must run as root, and you are \S+: try again with sudo/);
    });
  });

  it('is clean for shellcheck, and so is every other script', async (t) => {
    const scripts = ['install/mds_install.sh', 'bin/xivo-xds-sync', 'bin/xivo-xds-sync-agent', '.ci/run'];
    const checkout = path.resolve(import.meta.dirname, '../..');
    const ran = await runCommand(['shellcheck', ...scripts.map((script) => path.join(checkout, script))], '');
    if (ran.code === 255) return t.skip('shellcheck is not installed');
    assert.equal(ran.stdout, '');
  });
});

function run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return runCommand([path.join(bundled, 'install/mds_install.sh'), ...args], input, env);
}

async function ok(...asked: Parameters<typeof run>): Promise<void> {
  const { code, stdout, stderr } = await run(...asked);
  assert.equal(code, 0, stdout + stderr);
}

/** 255 when the program is not there. */
async function runCommand(
  command: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compileCache(),
      XDS_SYSLOG_SOCKET: '/nonexistent',
      ...env,
    },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', () => resolve(255));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  void once(child, 'close').then(
    ([code]) => resolve((code as number | null) ?? 255),
    () => undefined,
  );
  return { code: await promise, stdout, stderr };
}

/** Every path below a folder. */
function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
}
