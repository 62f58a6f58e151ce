import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { withShortSocketPath } from '#host/control/socketPath.ts';

function folder(t: TestContext, length: number): string {
  const base = mkdtempSync(join(tmpdir(), 'xds-socket-'));
  t.after(() => rmSync(base, { recursive: true }));
  const path = join(base, 'd'.repeat(length - base.length - 1));
  mkdirSync(path);
  return path;
}

void test('a control socket works in a folder whose path is longer than a socket address can be', async (t) => {
  const socket = join(folder(t, 200), 'controller.sock');
  const server = createServer((connection) => connection.end('hello'));
  t.after(() => server.close());
  await withShortSocketPath(socket, async (short) => {
    assert.match(short, /^\/proc\/self\/fd\/\d+\/controller\.sock$/);
    server.listen(short);
    await once(server, 'listening');
  });
  assert.equal(statSync(socket).isSocket(), true);
  const client = await withShortSocketPath(socket, async (short) => {
    const connection = connect(short);
    await once(connection, 'connect');
    return connection;
  });
  const [answer] = (await once(client.setEncoding('utf8'), 'data')) as [string];
  assert.equal(answer, 'hello');
});

void test('a path that is short enough is used as it is', async () => {
  assert.equal(await withShortSocketPath('/run/x/a.sock', async (short) => short), '/run/x/a.sock');
});

void test('a missing folder and a name that is too long are refused', async (t) => {
  const long = folder(t, 200);
  const use = async () => assert.fail('used');
  await assert.rejects(withShortSocketPath(join(long, 'missing', 'a.sock'), use), { code: 'ENOENT' });
  await assert.rejects(
    withShortSocketPath(join(long, 'n'.repeat(101)), use),
    /name is longer than 100 bytes/,
  );
});
