import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fromPostgres } from '../../controller/mediaServers/fromPostgres.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

/** The list is read every 15 s, more or less. */
const PATIENCE = 60_000;
/** Nothing ends it early. */
const UNTIL_THEN = new AbortController().signal;

describe("XiVO's own list of media servers, over HTTP", () => {
  let service: Server;
  let cluster: Cluster;
  let answer: { status: number; body: unknown };
  let tokens: Set<string | string[] | undefined>;

  before(async () => {
    answer = {
      status: 200,
      body: [
        { name: 'default', read_only: true },
        { name: 'mds1', voip_ip: '192.0.2.7' },
        { name: 'mds2', voip_ip: '127.0.0.1' },
      ],
    };
    tokens = new Set();
    service = createServer((request, response) => {
      tokens.add(request.headers['x-auth-token']);
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    cluster = await Cluster.make({
      mds: ['mds1'],
      config: `mediaServers: { source: http, url: "http://127.0.0.1:${port}/mds", token: secret }\n`,
    });
    await cluster.startMain();
    const [mds1] = cluster.mds;
    assert.ok(mds1 !== undefined);
    await cluster.enrolAndStart(mds1);
  });
  after(async () => {
    await cluster.end();
    service.close();
  });

  async function errorsOf(name: string): Promise<string> {
    return (await cluster.statusOf(name)).errors.map(({ message }) => message).join('\n');
  }

  it('shows MDS that were never enrolled or connect from another address, and sends the token', async () => {
    await eventually('mds2 is known', async () => (await cluster.status()).mds.length === 2);
    assert.equal((await cluster.statusOf('mds2')).state, 'never-enrolled');
    await eventually('mds1 is connected', async () => (await cluster.statusOf('mds1')).state === 'connected');
    assert.match(await errorsOf('mds1'), /connects from 127\.0\.0\.1, and its VoIP IP .* is 192\.0\.2\.7/);
    assert.deepEqual([...tokens], ['secret']);
  });

  it('changes nothing while the list can not be fetched, nor when it is empty, and reports it', async () => {
    answer = { status: 503, body: {} };
    const problem = async (): Promise<string> => (await cluster.status()).main.mediaServers.problem ?? '';
    await eventually('it is reported', async () => (await problem()).includes('answers 503'), PATIENCE);
    answer = { status: 200, body: [] };
    await eventually('it is reported', async () => (await problem()).includes('no media server'), PATIENCE);
    assert.equal((await cluster.statusOf('mds1')).state, 'connected');
    assert.equal((await cluster.statusOf('mds2')).state, 'never-enrolled');
  });

  it('suspends MDS that left the list, with a reason, and readmits them', async () => {
    answer = { status: 200, body: { items: [{ name: 'mds2' }] } };
    await eventually(
      'mds1 is out',
      async () => (await cluster.statusOf('mds1')).state === 'disconnected',
      PATIENCE,
    );
    assert.match(await errorsOf('mds1'), /mds1 is suspended: it is not in XiVO's list/);
    const refused = async (): Promise<boolean> =>
      /suspended/.test((await cluster.one('mds1').run(['status'])).stdout + cluster.one('mds1').log);
    await eventually('the MDS shows the reason', refused, PATIENCE);
    answer = { status: 200, body: [{ name: 'mds1' }, { name: 'mds2' }] };
    await eventually(
      'mds1 is back',
      async () => (await cluster.statusOf('mds1')).state === 'connected',
      2 * PATIENCE,
    );
    assert.equal(await errorsOf('mds1'), '');
  });
});

describe("XiVO's own list of media servers, in a real PostgreSQL", () => {
  const [bin] = globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed();
  const skip =
    bin === undefined || process.getuid?.() !== 0
      ? 'needs PostgreSQL, and root to start it as another user'
      : false;
  let folder: string;
  let database: ChildProcess;
  const UNPRIVILEGED = 65534;
  const as = ['--reuid', `${UNPRIVILEGED}`, '--regid', `${UNPRIVILEGED}`, '--clear-groups'];
  const url = (name: string): string => `postgresql://nobody@localhost/${name}?host=${folder}`;

  before(async () => {
    if (skip !== false || bin === undefined) return;
    folder = mkdtempSync(path.join(tmpdir(), 'xds-pg-'));
    chownSync(folder, UNPRIVILEGED, UNPRIVILEGED);
    const data = path.join(folder, 'data');
    const options = ['-A', 'trust', '-U', 'nobody', '--no-sync', '-D', data];
    execFileSync('setpriv', [...as, `${bin}/initdb`, ...options], { stdio: 'ignore', cwd: folder });
    const listen = ['-c', 'listen_addresses=', '-k', folder, '-c', 'fsync=off'];
    database = spawn('setpriv', [...as, `${bin}/postgres`, '-D', data, ...listen], {
      stdio: 'ignore',
      cwd: folder,
    });
    const sql = (name: string, text: string): void => {
      execFileSync(`${bin}/psql`, ['-q', '-h', folder, '-U', 'nobody', '-d', name, '-c', text], {
        stdio: 'ignore',
      });
    };
    await eventually(
      'PostgreSQL answers',
      () => {
        try {
          sql('postgres', 'SELECT 1');
          return true;
        } catch {
          return false;
        }
      },
      60_000,
    );
    sql('postgres', 'CREATE DATABASE asterisk');
    sql(
      'asterisk',
      `CREATE TABLE mediaserver (id serial, name text, display_name text, voip_ip text, read_only boolean);
       INSERT INTO mediaserver (name, display_name, voip_ip, read_only) VALUES
       ('default', 'MDS Main', '10.0.0.1', true), ('mds1', 'Rennes', '10.0.0.2', false), ('mds2', 'Lyon', NULL, false)`,
    );
  });
  after(async () => {
    if (skip !== false) return;
    const ended = once(database, 'exit');
    database.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true });
  });

  it('is read by the default query, without Main', { skip }, async () => {
    assert.deepEqual(await fromPostgres(url('asterisk'), undefined, UNTIL_THEN), [
      { name: 'mds1', voipIp: '10.0.0.2' },
      { name: 'mds2', voipIp: null },
    ]);
  });

  it('is read by another query', { skip }, async () => {
    const query = "SELECT name, '10.1.1.1' AS voip_ip FROM mediaserver WHERE name = 'mds2'";
    assert.deepEqual(await fromPostgres(url('asterisk'), query, UNTIL_THEN), [
      { name: 'mds2', voipIp: '10.1.1.1' },
    ]);
  });

  it('says what is wrong with the database or the query', { skip }, async () => {
    await assert.rejects(
      fromPostgres(url('other'), undefined, UNTIL_THEN),
      /database "other" does not exist/,
    );
    await assert.rejects(
      fromPostgres(url('asterisk'), 'SELECT name FROM nothing', UNTIL_THEN),
      /relation "nothing" does not exist/,
    );
    await assert.rejects(
      fromPostgres('postgresql://nobody@127.0.0.1:1/asterisk', undefined, UNTIL_THEN),
      /ECONNREFUSED/,
    );
  });
});
