import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromAgentSchema, fromMainSchema, helloSchema } from '#protocol/messages/session.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';
import { HostileMain } from '../support/harness/hostileMain.ts';
import { openFiles } from '../support/harness/resources.ts';
import { type Lie, liesIn, samplesOf } from '../support/lies/lies.ts';

const LIMIT = 120_000;
/** Invalid messages sent over one connection before it is checked that it is still open. */
const TOGETHER = 8;
/** Lines that a host's log may have about all of it: once a minute each, and the few about what it did. */
const MOST_LINES = 60;

/** Lines of a log that name the peer as one that makes no sense. */
function offences(host: Host): number {
  return host.log.split('\n').filter((line) => /protocol violation|could not be handled/.test(line)).length;
}

function isSound(host: Host): void {
  assert.ok(host.isRunning, host.log.slice(-3_000));
  assert.doesNotMatch(host.log, /uncaughtException|unhandledRejection|TypeError|RangeError|SyntaxError/);
}

void describe('An MDS that lies in every field', () => {
  let cluster: Cluster;
  let liar: Mds;
  let honest: Mds;
  let agent: HostileAgent | undefined;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'] });
    [liar, honest] = [cluster.one('mds1'), cluster.one('mds2')];
    await cluster.startMain();
    honest.start();
    await cluster.inSync(LIMIT);
  });
  after(() => cluster.end());

  function hangUp(): void {
    agent?.hangUp();
    agent = undefined;
  }

  async function connected(hello = true): Promise<HostileAgent> {
    if (agent !== undefined && agent.closed === undefined) return agent;
    for (let tries = 0; ; tries++) {
      try {
        agent = await HostileAgent.connect(liar, cluster.port, { hello });
        return agent;
      } catch (error) {
        // The half of the connection before may not be gone yet.
        if (tries > 100) throw error;
        await sleep(20);
      }
    }
  }

  async function tell(lies: readonly Lie[], hello: boolean): Promise<void> {
    for (let at = 0; at < lies.length; at += TOGETHER) {
      for (const { message } of lies.slice(at, at + TOGETHER))
        (await connected(hello)).say(message as object);
      // Main has read all before it reads this.
      const hostile = await connected(hello);
      const answered = hostile.received.length;
      hostile.say({ type: 'ping', sent: 1 });
      await eventually(
        'it is answered, or cut off',
        () => hostile.closed !== undefined || hostile.received.length > answered,
        LIMIT,
      );
    }
  }

  void it('costs Main nothing but its own connection; others are served, and the log names it at most once a minute', async () => {
    const files = openFiles(cluster.main.pid ?? 0);
    const session = samplesOf(fromAgentSchema).flatMap((sample) => [...liesIn(sample)]);
    const { pid } = cluster.main;
    await tell(session, true);
    hangUp();
    const hellos = samplesOf(helloSchema)
      .slice(0, 1)
      .flatMap((sample) => [...liesIn({ ...(sample as object), ...HELLO })]);
    for (const lie of hellos) {
      await tell([lie], false);
      hangUp();
    }
    isSound(cluster.main);
    assert.equal(cluster.main.pid, pid);
    cluster.main.write('moh', 'served.wav', 'served');
    await eventually('the other is served', () => honest.read('moh', 'served.wav') === 'served', LIMIT);
    await eventually('it is in sync', async () => (await cluster.statusOf('mds2')).inSync, LIMIT);
    const { code, stderr } = await cluster.main.run(['verify', '--mds', 'mds2']);
    assert.equal(code, 0, stderr);
    assert.ok(offences(cluster.main) < MOST_LINES, String(offences(cluster.main)));
    await eventually('no handle is left over', () => openFiles(cluster.main.pid ?? 0) <= files + 5, LIMIT);
    assert.doesNotMatch(honest.log, /protocol violation/);
  });

  void it('with a clock of 1e300 and a recording does not spread it', async () => {
    hangUp();
    const hostile = await connected();
    hostile.say({ type: 'pong', sent: 0, time: 1e300 });
    hostile.say({ type: 'pong', sent: Date.now(), time: 1e300 });
    const archive = Buffer.alloc(512 + 1_024);
    archive.write('0', 0);
    archive.write('0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00', 100, 'latin1');
    archive.write('0', 156);
    archive.write('ustar\x0000', 257, 'latin1');
    archive.fill(' ', 148, 156);
    const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1');
    const entry = {
      type: 'file',
      size: 0,
      hash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      mtime: '1700000000000000000',
      mode: 0o644,
      owner: 'root',
      group: 'root',
      uid: 0,
      gid: 0,
    };
    const put = { op: 'put', path: 'poison.wav', entry, expect: null, conflict: false, reason: 'a lie' };
    hostile.say({ type: 'offer', stream: 77, directory: 'recordings', offers: [put] });
    await hostile.pour(77, Buffer.concat([Buffer.of(0), archive]));
    await eventually('Main has it', () => cluster.main.read('recordings', 'poison.wav') !== undefined, LIMIT);
    await eventually('the other, too', () => honest.read('recordings', 'poison.wav') !== undefined, LIMIT);
    assert.doesNotMatch(honest.log, /protocol violation/);
    isSound(cluster.main);
  });
});

void describe('A Main that lies in every field', () => {
  let cluster: Cluster;
  let mds: Mds;
  let hostile: HostileMain | undefined;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    mds = cluster.one('mds1');
    await cluster.startMain();
    await cluster.main.stop();
  });
  afterEach(async () => {
    await mds.stop();
    await hostile?.close();
  });
  after(() => cluster.end());

  void it('costs the agent nothing but the connection, and the log names it at most once a minute', async () => {
    const taken = samplesOf(fromMainSchema)
      .flatMap((sample) => [...liesIn(sample)])
      // What is refused ends the connection, and the agent takes its time to come back: those are covered by its unit test.
      .filter(({ message }) => fromMainSchema.safeParse(JSON.parse(JSON.stringify(message))).success);
    const refused = samplesOf(fromMainSchema).flatMap((sample) => [...liesIn(sample)].slice(0, 1));
    let sent = 0;
    hostile = new HostileMain(cluster.main, (main, message) => {
      if (message.type === 'hello') main.welcome();
      else if (message.type === 'want-manifest' && sent < taken.length) {
        for (; sent < taken.length && main.isOpen; sent++) main.say(taken[sent]?.message as object);
      }
    });
    await hostile.listen(cluster.port);
    mds.start();
    await eventually('all was said', () => sent === taken.length, LIMIT);
    const { pid } = mds;
    const before = hostile.connections;
    hostile.say(refused[0]?.message as object);
    await eventually('it comes back', () => (hostile?.connections ?? 0) > before, LIMIT);
    const files = openFiles(mds.pid ?? 0);
    for (const lie of refused.slice(1, 4)) {
      const connections: number = hostile.connections;
      hostile.say(lie.message as object);
      await eventually('it comes back again', () => (hostile?.connections ?? 0) > connections, LIMIT);
    }
    isSound(mds);
    assert.equal(mds.pid, pid);
    assert.ok(offences(mds) < MOST_LINES, String(offences(mds)));
    await eventually('no handle is left over', () => openFiles(mds.pid ?? 0) <= files + 5, LIMIT);
    assert.ok((await mds.run(['status'])).code <= 1);
  });
});
