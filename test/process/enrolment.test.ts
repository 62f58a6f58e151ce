import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askMain } from '../../agent/connection/askMain.ts';
import { dial } from '../../agent/connection/dial.ts';
import type { EnrolAnswer } from '#protocol/messages/enrolment.ts';
import { PROTOCOL } from '#protocol/version.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Ran } from '../support/harness/host.ts';
import { statusAnswer, statusShows } from '../support/harness/statusShows.ts';

const IDENTITY = 'var/lib/xivo-xds-sync/identity';

const waitsFor = (fingerprint: string): RegExp => new RegExp(`(?=.*waits for approval).*${fingerprint}`);

void describe('An MDS that enrols', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ mds: [] });
    cluster.main.write('moh', 'default/one.wav', 'one');
    await cluster.startMain();
  });
  after(() => cluster.end());

  const main = (): string => `127.0.0.1:${cluster.port}`;
  const enroll = (mds: Mds, token: string, args: readonly string[] = []): Promise<Ran> =>
    mds.run(['enroll', '--main', main(), '--token-file', '-', ...args], { input: token });
  const add = (name: string, ...args: string[]): Promise<string> =>
    cluster.main.ok(['mds', 'add', name, ...args]);
  const state = async (name: string): Promise<string> => (await cluster.statusOf(name)).state;

  void it('waits without a token, shows the fingerprint that Main shows, and connects by itself once approved', async () => {
    const mds = cluster.addHost('asks');
    const asked = await mds.ok(['enroll', '--main', main(), '--name', 'asks']);
    const fingerprint = /([0-9a-f]{4}:){9}[0-9a-f]{4}/.exec(asked)?.[0];
    assert.ok(fingerprint !== undefined, asked);
    assert.match(await cluster.main.ok(['mds', 'list']), new RegExp(`asks +pending[\\s\\S]*${fingerprint}`));
    assert.equal(await state('asks'), 'pending');
    mds.start();
    await statusShows(mds, waitsFor(fingerprint), { hint: /waits for approval/ });
    assert.equal(mds.read('moh', 'default/one.wav'), undefined);
    await cluster.main.ok(['mds', 'approve', 'asks']);
    const twice = await cluster.main.run(['mds', 'approve', 'asks']);
    assert.deepEqual([twice.code, /asks is enrolled already/.test(twice.stderr)], [2, true], twice.stderr);
    await eventually('it got in and has the files', () => mds.read('moh', 'default/one.wav') === 'one');
    assert.equal(await state('asks'), 'connected');
    assert.equal(existsSync(path.join(mds.root, IDENTITY, 'main.json')), true);
  });

  void it('is disconnected at once when it is removed, and gets the reason from then on', async () => {
    const mds = cluster.one('asks');
    const { main } = cluster;
    assert.equal(await main.ok(['mds', 'remove', 'asks']), 'asks removed: disconnected, key revoked\n');
    await main.ok(['mds', 'add', 'invited']);
    assert.match(
      await main.ok(['mds', 'remove', 'invited']),
      /^invited removed: its join token is withdrawn/,
    );
    assert.equal(await state('asks'), 'revoked');
    const loggedAt = (words: string): number => {
      const time = new RegExp(`^([0-9:.]+) .*${words}`, 'm').exec(cluster.main.log)?.[1];
      assert.ok(time !== undefined, cluster.main.log);
      return Date.parse(`2000-01-01T${time}Z`);
    };
    await eventually('its session ended', () => cluster.main.log.includes('agent disconnected mds=asks'));
    const took = loggedAt('agent disconnected mds=asks') - loggedAt('MDS removed mds=asks');
    // The agent has a part in it, and it may be late on a busy machine; a heartbeat would take 15 s.
    assert.ok(took < 5_000, `the session outlived the removal by ${took} ms`);
    await statusShows(mds, /may no longer connect: it was removed on Main/, { hint: /no longer connect/ });
    // It keeps what it has, and gets nothing more, though it has tried since there is more.
    await cluster.mainNotices(['moh/default/secret.wav'], () =>
      cluster.main.write('moh', 'default/secret.wav', 'not for those who were removed'),
    );
    const lastTry = async (): Promise<number> =>
      (JSON.parse(await statusAnswer(mds)) as { link: { since: number } }).link.since;
    const before = await lastTry();
    // It waits up to 15 s between two tries.
    await eventually('it was refused again', async () => (await lastTry()) > before, 40_000);
    await eventually('Main logs that', () =>
      /connection refused.*address=127\.0\.0\.1/.test(cluster.main.log),
    );
    assert.equal(mds.read('moh', 'default/one.wav'), 'one');
    assert.equal(mds.read('moh', 'default/secret.wav'), undefined);
    await mds.stop();
  });

  void it('learns from the agent itself that it was never approved or is not enrolled', async () => {
    const mds = cluster.addHost('nosuch');
    const ran = await mds.run(['run']);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /enroll --main/);
  });

  void it('is refused with a token that is wrong, used, expired, for another name or for another address', async () => {
    const mds = cluster.addHost('mds9');
    const garbled = await enroll(mds, 'xds1.AAAA');
    assert.equal(garbled.code, 1);
    assert.match(garbled.stderr, /damaged or incomplete/);

    const good = (await add('mds9')).trim();
    const payload = JSON.parse(Buffer.from(good.slice(5), 'base64url').toString()) as Record<string, unknown>;
    const forge = (change: Record<string, unknown>): string =>
      `xds1.${Buffer.from(JSON.stringify({ ...payload, ...change })).toString('base64url')}`;
    const wrongSecret = await enroll(mds, forge({ s: Buffer.alloc(16, 7).toString('base64url') }));
    assert.match(wrongSecret.stderr, /proof for the join token is wrong/);
    const wrongMain = await enroll(mds, forge({ m: 'ab'.repeat(32) }));
    assert.match(wrongMain.stderr, /not the Main that this MDS knows.*Nothing was sent/s);
    const wrongName = await enroll(mds, forge({ n: 'mds8' }));
    assert.match(wrongName.stderr, /the join token is for mds9, not for mds8/);
    const otherName = await enroll(mds, good, ['--name', 'mds8']);
    assert.equal(otherName.code, 2);

    assert.equal((await enroll(mds, good)).code, 0);
    const thief = cluster.addHost('thief');
    const reused = await enroll(thief, good);
    assert.match(reused.stderr, /was used by 127\.0\.0\.1 at/);
    const { alarms } = (await cluster.status()).main;
    assert.ok(
      alarms.some(({ message }) => message.includes('enrolment of mds9 from 127.0.0.1')),
      JSON.stringify(alarms),
    );
    assert.match(cluster.main.log, /ALARM.*mds9/);

    const late = cluster.addHost('late');
    const short = await add('late', '--ttl', '1s');
    await sleep(1_200);
    assert.match((await enroll(late, short)).stderr, /expired at/);

    const bound = cluster.addHost('bound');
    const elsewhere = await enroll(bound, await add('bound', '--voip-ip', '192.0.2.77'));
    assert.match(elsewhere.stderr, /this host does not have the VoIP IP 192\.0\.2\.77/);
    assert.equal(elsewhere.code, 1);
  });

  void it('comes from the VoIP IP that its token names, from then on', async () => {
    const mds = cluster.addHost('voip');
    const ran = await enroll(mds, await add('voip', '--voip-ip', '127.0.0.9'));
    assert.equal(ran.code, 0, ran.stderr);
    mds.start();
    await eventually('it is connected', async () => (await state('voip')) === 'connected');
    const { address, voipIp } = await cluster.statusOf('voip');
    assert.deepEqual({ address, voipIp }, { address: '127.0.0.9', voipIp: '127.0.0.9' });
    // A stolen token of another MDS is worth nothing from here.
    const stolen = cluster.addHost('stolen');
    const token = await add('stolen', '--voip-ip', '127.0.0.10');
    const payload = JSON.parse(Buffer.from(token.trim().slice(5), 'base64url').toString()) as Record<
      string,
      unknown
    >;
    delete payload['v'];
    const forged = `xds1.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    assert.match(
      (await enroll(stolen, forged)).stderr,
      /is for the VoIP IP 127\.0\.0\.10, and this connection comes from 127\.0\.0\.1/,
    );
    await mds.stop();
  });

  void it('takes the name of a reinstalled MDS only with --replace; then nothing is removed in its first pass, and the old key is refused', async () => {
    const old = cluster.addHost('twice');
    await cluster.enrolAndStart(old);
    await eventually('it is connected', async () => (await state('twice')) === 'connected');
    cluster.main.write('recordings', 'stays.wav', 'stays');
    cluster.main.write('recordings', 'gone.wav', 'recorded');
    await eventually('it arrived', () => old.read('recordings', 'gone.wav') === 'recorded', 30_000);
    unlinkSync(cluster.main.at('recordings', 'gone.wav'));
    await eventually('it is gone', () => old.read('recordings', 'gone.wav') === undefined);
    const refusedAdd = await cluster.main.run(['mds', 'add', 'twice']);
    assert.equal(refusedAdd.code, 1);
    assert.match(refusedAdd.stderr, /already enrolled: use --replace/);

    const reinstalled = cluster.addHost('twice-new');
    // The new installation still has (from its own backup) what Main has removed everywhere since.
    reinstalled.write('recordings', 'gone.wav', 'recorded');
    reinstalled.write('recordings', 'new.wav', 'new here');
    const token = await add('twice', '--replace');
    assert.equal((await enroll(reinstalled, token)).code, 0);
    reinstalled.start();
    await eventually(
      'the new one is connected and its recordings are on Main',
      () => cluster.main.read('recordings', 'new.wav') === 'new here',
    );
    await statusShows(old, /another key was enrolled under its name/, { hint: /another key/ });
    assert.equal(
      reinstalled.read('recordings', 'gone.wav'),
      'recorded',
      'something was removed in the first pass',
    );
    await old.stop();
    await reinstalled.stop();
  });

  void it('leaves: its membership ends on Main, its identity is deleted, the files stay', async () => {
    const mds = cluster.addHost('leaver');
    await cluster.enrolAndStart(mds);
    await eventually('it has the files', () => mds.read('moh', 'default/one.wav') === 'one');
    const running = await mds.run(['leave']);
    assert.equal(running.code, 2);
    assert.match(running.stderr, /the agent is running: stop it first/);
    await mds.stop();
    assert.equal((await mds.run(['leave'])).code, 0);
    assert.equal(await state('leaver'), 'revoked');
    for (const file of ['key.pem', 'certificate.pem', 'main.json'])
      assert.equal(existsSync(path.join(mds.root, IDENTITY, file)), false, file);
    assert.equal(mds.read('moh', 'default/one.wav'), 'one');
    // And it may come back, with a key of its own.
    assert.equal((await enroll(mds, await add('leaver'))).code, 0);
    mds.start();
    await eventually('it is back', async () => (await state('leaver')) === 'connected');
    await mds.stop();
  });

  void it('leaves even when Main can not be reached, and says so', async () => {
    const mds = cluster.addHost('alone');
    await cluster.enrol(mds);
    const file = path.join(mds.root, 'etc/xivo-xds-sync/agent.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^main:.*$/m, 'main: "127.0.0.1:1"'));
    const ran = await mds.run(['leave']);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /Main could not be reached .*mds remove alone/);
    assert.equal(existsSync(path.join(mds.root, IDENTITY, 'key.pem')), false);
  });
});

void describe('Certificates', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({
      enrolled: false,
      mds: ['mds1'],
      config: 'certificates: { life: 12s }\n',
    });
  });
  after(() => cluster.end());

  const certificate = (mds: Mds): string =>
    readFileSync(path.join(mds.root, IDENTITY, 'certificate.pem'), 'utf8');
  const readIdentity = (mds: Mds): { keyPem: string; certificatePem: string } => ({
    keyPem: readFileSync(path.join(mds.root, IDENTITY, 'key.pem'), 'utf8'),
    certificatePem: certificate(mds),
  });

  void it('are renewed in the second half of their life, without a session noticing', async () => {
    const mds = cluster.one('mds1');
    const first = certificate(mds);
    const { connectedSince } = await cluster.statusOf('mds1');
    await eventually('the certificate is another one', () => certificate(mds) !== first, 30_000);
    await eventually('and again', () => mds.log.split('certificate renewed').length > 2, 30_000);
    assert.equal((await cluster.statusOf('mds1')).connectedSince, connectedSince);
    cluster.main.write('moh', 'default/renewed.wav', 'still live');
    await eventually('files go on', () => mds.read('moh', 'default/renewed.wav') === 'still live');
    assert.equal(statSync(path.join(mds.root, IDENTITY, 'key.pem')).mode & 0o777, 0o600);
  });

  void it('are not signed in a loop for an MDS that asks without end, and the others get theirs meanwhile', async () => {
    const greedy = cluster.addHost('greedy');
    await cluster.enrol(greedy);
    const { keyPem, certificatePem } = readIdentity(greedy);
    const main = { host: '127.0.0.1', port: cluster.port };
    const ask = async (): Promise<EnrolAnswer> => {
      const dialled = await dial({ main, path: '/enrol', keyPem, certificatePem, mainPins: [] });
      return askMain(dialled, { type: 'renew', protocol: PROTOCOL, name: 'greedy' });
    };
    const answers: EnrolAnswer[] = [];
    for (let i = 0; i < 60; i++) answers.push(await ask());
    const refused = answers.filter((answer) => answer.type === 'refused');
    // A machine under load may take long enough for some more to fall due.
    assert.ok(refused.length > 30, `${refused.length} of ${answers.length} were refused`);
    for (const { reason } of refused) assert.match(reason, /certificates recently.* in [0-9]+ s.*clock/);
    const renewals = (): number => cluster.one('mds1').log.split('certificate renewed').length;
    const before = renewals();
    await eventually('the other MDS renews in its time', () => renewals() > before, 30_000);
    assert.doesNotMatch(cluster.one('mds1').log, /was not renewed/);
    await eventually('it may ask again', async () => (await ask()).type === 'enrolled');
  });

  void it('that expired while the agent was off are renewed when it comes back', async () => {
    const mds = cluster.one('mds1');
    await mds.stop();
    const old = certificate(mds);
    await sleep(13_000);
    cluster.main.write('moh', 'default/while-off.wav', 'x');
    mds.start();
    await eventually('it is back', () => mds.read('moh', 'default/while-off.wav') === 'x');
    assert.notEqual(certificate(mds), old);
  });

  void it('of a key that was removed are not renewed', async () => {
    const mds = cluster.one('mds1');
    await mds.stop();
    await cluster.main.ok(['mds', 'remove', 'mds1']);
    mds.start();
    await statusShows(mds, /may no longer connect/, { hint: /no longer connect/ });
  });
});

void describe("Main's key", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1', 'mds2'] });
  });
  after(() => cluster.end());

  void it('is changed without enrolling an MDS again, and an MDS that has not learned the new key is listed', async () => {
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    const before = (await cluster.status()).main.fingerprint;
    await mds2.stop();
    await cluster.main.ok(['rotate-identity']);
    await eventually('only the one that is away has not heard of it', async () => {
      const { rotation } = (await cluster.status()).main;
      return rotation !== null && rotation.stragglers.join() === 'mds2';
    });
    assert.match((await cluster.main.run(['status'])).stdout, /next key is\s[^]*not received yet by\s+mds2/);
    const early = await cluster.main.run(['rotate-identity', '--finish']);
    assert.equal(early.code, 1);
    assert.match(early.stderr, /not every MDS has received the next key yet: mds2/);
    // A restart of Main forgets nothing of it.
    await cluster.main.stop();
    await cluster.startMain();
    mds2.start();
    await eventually('all have heard of it', async () => {
      const { rotation } = (await cluster.status()).main;
      return rotation !== null && rotation.stragglers.length === 0;
    });
    const next = (await cluster.status()).main.rotation?.nextFingerprint;
    await cluster.main.ok(['rotate-identity', '--finish']);
    const now = (await cluster.status()).main;
    assert.equal(now.rotation, null);
    assert.equal(now.fingerprint, next);
    assert.notEqual(now.fingerprint, before);
    cluster.main.write('moh', 'default/rotated.wav', 'new key');
    for (const mds of [mds1, mds2])
      await eventually('it came over', () => mds.read('moh', 'default/rotated.wav') === 'new key');
    // And it is the new key that they know after a restart of everything, too.
    for (const host of [mds1, mds2, cluster.main]) await host.stop();
    await cluster.startMain();
    for (const mds of [mds1, mds2]) mds.start();
    await cluster.inSync();
  });

  void it('is announced to an MDS that waits for approval, too; one that was away learns what to do', async () => {
    const main = `127.0.0.1:${cluster.port}`;
    const asks = cluster.addHost('asks');
    const off = cluster.addHost('off');
    for (const mds of [asks, off]) await mds.ok(['enroll', '--main', main, '--name', mds.name]);
    asks.start();
    assert.match(await cluster.main.ok(['rotate-identity']), /waiting for approval, .*: asks, off$/m);
    await eventually('it heard of the next key', async () => {
      const { rotation } = (await cluster.status()).main;
      return rotation?.stragglers.length === 0 && rotation.unapproved.join() === 'off';
    });
    const late = cluster.addHost('late');
    await late.ok(['enroll', '--main', main, '--name', 'late']);
    const finished = await cluster.main.ok(['rotate-identity', '--finish']);
    assert.match(finished, /^off waits for approval .*"xivo-xds-sync-agent leave" .*"enroll"/m);
    const listed = await cluster.main.ok(['mds', 'list']);
    const fingerprintOf = (name: string): string =>
      new RegExp(`^${name} asks to join\\. .*fingerprint (([0-9a-f]{4}:){9}[0-9a-f]{4}):`, 'm').exec(
        listed,
      )?.[1] ?? 'none';
    // It was enrolled after the announcement, and hears of nothing before it runs.
    late.start();
    for (const mds of [asks, late]) {
      const fingerprint = fingerprintOf(mds.name);
      // The older fingerprint may be shown until it has heard of the newer one.
      await statusShows(mds, waitsFor(fingerprint), { hint: new RegExp(fingerprint) });
      await cluster.main.ok(['mds', 'approve', mds.name]);
    }
    off.start();
    await statusShows(off, /key was changed.*leave", then "enroll"/, { hint: /key was changed/ });
    await off.stop();
    assert.match((await off.run(['leave'])).stderr, /run "xivo-xds-sync mds remove off" there/);
    await cluster.main.ok(['mds', 'remove', 'off']);
    await off.ok(['enroll', '--main', main, '--name', 'off']);
    await cluster.main.ok(['mds', 'approve', 'off']);
    off.start();
    for (const mds of [asks, late, off])
      await eventually(
        `${mds.name} got in and has the files`,
        () => mds.read('moh', 'default/rotated.wav') === 'new key',
      );
    for (const mds of [asks, late, off]) {
      await mds.stop();
      await cluster.main.ok(['mds', 'remove', mds.name]);
    }
  });

  void it('that was left behind is refused loudly by the agent', async () => {
    const mds2 = cluster.one('mds2');
    await mds2.stop();
    await cluster.main.ok(['rotate-identity']);
    await eventually('mds1 knows', async () => {
      const { rotation } = (await cluster.status()).main;
      return rotation?.stragglers.join() === 'mds2';
    });
    assert.match(
      await cluster.main.ok(['rotate-identity', '--finish', '--leave-behind']),
      /mds2 must enrol again/,
    );
    mds2.start();
    await eventually('it says so', () => mds2.log.includes('ANOTHER MAIN ANSWERS'));
    assert.equal(mds2.read('moh', 'default/rotated.wav'), 'new key');
    await mds2.stop();
  });
});

void describe('One identity on two machines', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
  });
  after(() => cluster.end());

  void it('is refused and raised as an alarm that names both addresses', async () => {
    const mds = cluster.one('mds1');
    const clone = cluster.addHost('clone');
    for (const folder of ['var/lib/xivo-xds-sync/identity', 'etc/xivo-xds-sync']) {
      rmSync(path.join(clone.root, folder), { recursive: true, force: true });
      cpSync(path.join(mds.root, folder), path.join(clone.root, folder), { recursive: true });
    }
    appendFileSync(path.join(clone.root, 'etc/xivo-xds-sync/agent.yml'), '\nlocalAddress: "127.0.0.2"\n');
    const { connectedSince } = await cluster.statusOf('mds1');
    clone.start();
    await eventually('an alarm names both', async () => {
      const { alarms } = (await cluster.status()).main;
      return alarms.some(({ message }) => message.includes('127.0.0.1') && message.includes('127.0.0.2'));
    });
    assert.match(cluster.main.log, /ALARM.*two machines hold the key of mds1/);
    await statusShows(clone, /is this machine a copy/, { hint: /machine a copy/ });
    assert.equal((await cluster.statusOf('mds1')).connectedSince, connectedSince, 'the first one goes on');
    await clone.stop();
  });

  void it('is not assumed for a half-open connection that the same agent left behind', async () => {
    const mds = cluster.one('mds1');
    const { alarms: before } = (await cluster.status()).main;
    const pid = mds.pid ?? 0;
    // It stands still with its connection open, as a host does whose cable was pulled, and is then restarted.
    process.kill(pid, 'SIGSTOP');
    const { connectedSince } = await cluster.statusOf('mds1');
    rmSync(path.join(mds.root, 'run/xivo-xds-sync/agent.sock'), { force: true });
    const again = Object.assign(cluster.addHost('again'), { root: mds.root });
    again.start();
    await eventually('the new one is in', async () => {
      const now = await cluster.statusOf('mds1');
      return now.state === 'connected' && now.connectedSince !== connectedSince;
    });
    const { alarms } = (await cluster.status()).main;
    assert.deepEqual(alarms, before);
    await mds.kill();
    await again.stop();
  });
});
