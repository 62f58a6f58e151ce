import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { statusAnswer } from '../support/harness/statusShows.ts';

const CONFIG = `settle: 100ms
reconcile: { every: 2s }
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 100ms }
guard: { percent: 100, files: 1000000 }
`;
/** More than are made durable one by one. */
const FILES = 60;
/** Long enough for what the daemons do by themselves to have come by. */
const A_WHILE = 4_000;
/** How long a debugger may need for all threads of a process, milliseconds. */
const ATTACH = 1_500;
const HEALED_WITHIN = 90_000;
const EIO = 'EIO: the disk fails: look at dmesg';

/** Why no system calls can be made to fail here, if so. */
function whyNot(): string | false {
  const { error, status, stderr } = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? false : `processes can not be traced here: ${stderr.trim()}`;
}

/** Lets a system call of a host's daemon, and of what it starts, fail until {@link end}. */
class Fault {
  readonly #strace: ChildProcess;
  readonly #pid: number;

  private constructor(pid: number, call: string, errno: string) {
    this.#pid = pid;
    const fault = ['-e', `trace=${call}`, '-e', `inject=${call}:error=${errno}`];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const all = `${pid} ${children}`.trim().split(' ');
    const attach = all.flatMap((each) => ['-p', each]);
    this.#strace = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...fault, ...attach], {
      stdio: 'ignore',
    });
  }

  static async begin({ pid = 0 }: Host, call: string, errno: string): Promise<Fault> {
    const fault = new Fault(pid, call, errno);
    await eventually('it is traced', () => fault.#tracer !== 0);
    // Every thread of it has still to be stopped once.
    await sleep(ATTACH);
    return fault;
  }

  async end(): Promise<void> {
    if (this.#strace.exitCode !== null) return;
    const ended = once(this.#strace, 'exit');
    this.#strace.kill('SIGINT');
    await ended;
  }

  get #tracer(): number {
    return Number(/TracerPid:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1]);
  }
}

/** A folder that is moved in as a whole is one change set. */
function putAtOnce(host: Host, round: string): void {
  const folder = path.join(host.root, round);
  mkdirSync(folder);
  for (let i = 0; i < FILES; i++) writeFileSync(path.join(folder, `${i}.gsm`), `${round} ${i}`);
  renameSync(folder, host.at('moh', round));
}

void describe('A disk that fails', { skip: whyNot() }, () => {
  let cluster: Cluster;
  let mds: Mds;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'], config: CONFIG });
    mds = cluster.one('mds1');
  });
  after(() => cluster?.end());

  /** Changes everything while a system call fails on a host, and expects a report, intact files, and recovery. */
  async function bears(host: Host, call: string, wanted: RegExp, errno = 'EIO'): Promise<void> {
    const round = `${host.name}-${call}`;
    const fault = await Fault.begin(host, call, errno);
    try {
      putAtOnce(cluster.main, round);
      cluster.main.write('dialplan', `${round}.conf`, `[${round}]\nexten => 1,1,NoOp\n`);
      mds.write('recordings', `${round}.wav`, round);
      let last = '';
      // Its daemon is asked first, which costs less than to start the command again and again.
      await eventually(`${host.name} answers it`, async () =>
        (last = await statusAnswer(host)).includes(`${errno}: `),
      ).catch((error: Error) => assert.fail(`${error.message}\n${last}\n${host.log.slice(-4_000)}`));
      await eventually(`${host.name} tells it`, async () => {
        const { stdout, stderr } = await host.run(['status']);
        // Long lines are broken to fit a terminal.
        return wanted.test((last = (stdout + stderr).replace(/\n {10}/g, ' ')));
      }).catch((error: Error) => assert.fail(`${error.message}\n${last}\n${host.log.slice(-4_000)}`));
      await sleep(A_WHILE);
      for (const { isRunning, name, log } of [cluster.main, mds])
        assert.ok(isRunning, `${name} ended:\n${log.slice(-4_000)}`);
    } finally {
      await fault.end();
    }
    await eventually('all is well again', async () => isThere(round), HEALED_WITHIN).catch((error: Error) =>
      assert.fail(`${error.message}\n${host.log.slice(-4_000)}`),
    );
    await cluster.inSync(HEALED_WITHIN);
    assert.equal((await cluster.main.run(['verify'])).code, 0);
  }

  /** Never another content: what is there is whole. */
  function isThere(round: string): boolean {
    let all = true;
    const look = (content: string | undefined, wanted: string): void => {
      if (content === undefined) all = false;
      else assert.equal(content, wanted);
    };
    for (let i = 0; i < FILES; i++) look(mds.read('moh', `${round}/${i}.gsm`), `${round} ${i}`);
    look(mds.read('dialplan', `${round}.conf`), `[${round}]\nexten => 1,1,NoOp\n`);
    look(cluster.main.read('recordings', `${round}.wav`), round);
    return all;
  }

  void it("when an MDS's files are made durable ends nothing, is reported, and recovers", async () => {
    await bears(mds, 'syncfs', new RegExp(`^moh/mds1-syncfs/\\d+\\.gsm: ${EIO}$`, 'm'));
  });

  void it('when an MDS makes a few files durable', async () => {
    await bears(mds, 'fsync', new RegExp(`^dialplan/mds1-fsync\\.conf: (the state .*)?${EIO}$`, 'm'));
  });

  void it("when an MDS's state is written", async () => {
    await bears(mds, 'pwrite64', new RegExp(`^\\S*state\\.sqlite: the state .*${EIO}$`, 'm'));
  });

  void it("when Main's state is written", async () => {
    await bears(
      cluster.main,
      'pwrite64',
      new RegExp(`^CRITICAL +\\S*state\\.sqlite: the state .*${EIO}`, 'm'),
    );
  });

  void it('when Main lists its folders', async () => {
    await bears(
      cluster.main,
      'getdents64',
      new RegExp(`^CRITICAL +moh: \\S*/moh can't be read: ${EIO}`, 'm'),
    );
  });

  void it("when an MDS's quota is used up", async () => {
    await bears(mds, 'mkdir', /^moh\/mds1-mkdir: EDQUOT: no room: the quota of this user/m, 'EDQUOT');
  });

  void it('when an MDS renames', async () => {
    await bears(mds, 'renameat2', new RegExp(`^moh/mds1-renameat2: ${EIO}$`, 'm'));
  });
});
