import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fromPostgres } from '../../../../controller/mediaServers/fromPostgres.ts';

/* A database that stops in the middle, as far as PostgreSQL's protocol (version 3) is needed for that. */

const int16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function message(type: string, ...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([Buffer.from(type), int32(content.length + 4), content]);
}

const READY = message('Z', Buffer.from('I'));
const LOGGED_IN = Buffer.concat([message('R', int32(0)), READY]);
const column = (name: string): Buffer =>
  Buffer.concat([text(name), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]);
const value = (of: string): Buffer => Buffer.concat([int32(of.length), Buffer.from(of)]);
const LIST = Buffer.concat([
  message('T', int16(2), column('name'), column('voip_ip')),
  message('D', int16(2), value('mds1'), value('10.0.0.11')),
  message('C', text('SELECT 1')),
  READY,
]);

/** It says this, one each time that it is asked, and never closes a connection. @returns its url */
async function serve(
  t: TestContext,
  ...answers: readonly Buffer[]
): Promise<{ url: string; asked: Promise<void> }> {
  const asked = Promise.withResolvers<void>();
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const left = [...answers];
    open.add(socket.on('error', () => undefined));
    socket.on('data', () => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(answer);
      if (left.length === 0) asked.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `postgresql://asterisk@127.0.0.1:${port}/asterisk`, asked: asked.promise };
}

describe("XiVO's list of media servers from its database", () => {
  it('is there when it was sent, also if the database never closes the connection', async (t) => {
    const { url } = await serve(t, LOGGED_IN, LIST);
    assert.deepEqual(await fromPostgres(url, undefined, new AbortController().signal), [
      { name: 'mds1', voipIp: '10.0.0.11' },
    ]);
  });

  for (const [when, answers] of [
    ['before it lets Main in', [Buffer.of()]],
    ['before it answers', [LOGGED_IN, Buffer.of()]],
  ] as const) {
    it(`is not waited for by a Main that is stopping: the database falls silent ${when}`, async (t) => {
      const { url, asked } = await serve(t, ...answers);
      const stop = new AbortController();
      const reading = fromPostgres(url, undefined, stop.signal);
      await Promise.all([asked.then(() => stop.abort()), assert.rejects(reading, { name: 'AbortError' })]);
    });
  }
});
