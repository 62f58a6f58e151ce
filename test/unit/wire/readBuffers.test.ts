import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { MAX_MESSAGE_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { Channel } from '#wire/channel.ts';
import { isOverwritten, ReadBuffers } from '#wire/readBuffers.ts';
import { dial } from '../../../agent/connection/dial.ts';

const MIB = 1024 * 1024;
const STREAM = 1;
const [MAIN, MDS] = await Promise.all(['main', 'mds1'].map((commonName) => createIdentity({ commonName })));
assert.ok(MAIN && MDS);

/** Content in which each place has other bytes. */
function content(bytes: number): Buffer {
  const numbers = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < numbers.length; i++) numbers[i] = Math.imul(i + 1, 0x9e3779b1);
  return Buffer.from(numbers.buffer, 0, bytes);
}

void describe('What an agent reads from its connection', () => {
  const server = https.createServer({ key: MAIN.keyPem, cert: MAIN.certificatePem, minVersion: 'TLSv1.3' });
  const sockets = new WebSocketServer({ server });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });

  /** Both ends of a new connection. */
  async function connect(): Promise<{
    main: WebSocket;
    agent: WebSocket;
    mainTls: TLSSocket;
  }> {
    const connected = once(sockets, 'connection') as Promise<[WebSocket, { socket: TLSSocket }]>;
    const { port } = server.address() as AddressInfo;
    const { socket } = await dial({
      main: { host: '127.0.0.1', port },
      path: '/agent',
      keyPem: MDS?.keyPem ?? '',
      certificatePem: MDS?.certificatePem ?? '',
      mainPins: [],
    });
    const [main, request] = await connected;
    return { main, agent: socket, mainTls: request.socket };
  }

  /** Main's and the agent's channel on a new connection. */
  async function channels(): Promise<{
    main: Channel<ArrivingFromAgent, FromMain>;
    agent: Channel<FromMain, ArrivingFromAgent>;
    reasons: string[];
    refusals: string[];
  }> {
    const { main, agent } = await connect();
    const [reasons, refusals]: string[][] = [[], []];
    assert.ok(reasons && refusals);
    const onClose = (reason: string): void => void reasons.push(reason);
    return {
      main: new Channel(main, { schema: fromAgentSchema, onMessage: () => undefined, onClose }),
      agent: new Channel(agent, {
        schema: fromMainSchema,
        onMessage: (message) => void (message.type === 'refused' && refusals.push(message.reason)),
        onClose,
      }),
      reasons,
      refusals,
    };
  }

  for (const piece of [64 * 1024, 16_384, 5_000, 1]) {
    it(`is the content in the order of its bytes, sent ${piece} at a time, and stays so for a slow reader`, async () => {
      const { main, agent, reasons, refusals } = await channels();
      const all = content(piece === 1 ? 2_000 : 12 * MIB);
      const out = main.openOutgoing(STREAM, all.length);
      const sending = (async () => {
        for (let at = 0; at < all.length; at += piece) {
          await out.write(all.subarray(at, at + piece));
          // Texts between the frames move where those lie.
          if (at % (piece * 7) === 0) main.send({ type: 'refused', reason: 'x'.repeat(at % 1_000) });
        }
        await out.end();
      })();
      const held: { at: number; chunk: Uint8Array }[] = [];
      let at = 0;
      for await (const chunk of agent.openIncoming(STREAM)) {
        assert.ok(!isOverwritten(chunk));
        held.push({ at, chunk });
        at += chunk.length;
        while (held[0] !== undefined && at - held[0].at > 900 * 1024) {
          const { at: start, chunk: kept } = held.shift() ?? { at: 0, chunk };
          assert.ok(all.subarray(start, start + kept.length).equals(kept), `at ${start}`);
        }
      }
      await sending;
      assert.equal(at, all.length);
      for (const { at: start, chunk } of held)
        assert.ok(all.subarray(start, start + chunk.length).equals(chunk));
      assert.deepEqual(reasons, []);
      assert.ok(refusals.every((reason) => /^x*$/.test(reason)) && refusals.length > 0);
      agent.close('done');
    });
  }

  it('is a text as long as may be, in the middle of content', async () => {
    const { main, agent } = await connect();
    const texts: string[] = [];
    const pieces: Buffer[] = [];
    agent.on('message', (data, isBinary) => {
      if (isBinary) pieces.push(Buffer.from(data as Buffer));
      else texts.push((data as Buffer).toString());
    });
    const all = content(MIB);
    const text = Array.from({ length: MAX_MESSAGE_BYTES / 8 }, (_, i) => String(i).padStart(8, '0')).join('');
    for (let round = 0; round < 3; round++) {
      main.send(all.subarray(0, WINDOW_BYTES / 2));
      main.send(text);
      main.send(all.subarray(WINDOW_BYTES / 2));
    }
    main.ping();
    await once(agent, 'ping');
    assert.ok(Buffer.concat(pieces).equals(Buffer.concat([all, all, all])));
    assert.deepEqual(
      texts.map((arrived) => arrived === text),
      [true, true, true],
    );
    agent.terminate();
  });

  it('is passed on when a message ends with a full record, too, after which nothing comes', async () => {
    const { main, agent } = await connect();
    // With its header, 4 bytes, it fills a record.
    const sent = content(16_380);
    for (let round = 0; round < 20; round++) {
      const arrived = once(agent, 'message') as Promise<[Buffer]>;
      main.send(sent);
      assert.ok(sent.equals((await arrived)[0]));
    }
    agent.terminate();
  });

  it('ends with the connection, wherever that is cut', async () => {
    for (let round = 0; round < 20; round++) {
      const { main, agent, mainTls } = await connect();
      const sent = content(MIB);
      const pieces: Buffer[] = [];
      agent.on('message', (data) => pieces.push(Buffer.from(data as Buffer)));
      const closed = once(agent, 'close');
      for (let i = 0; i < 64; i++) main.send(sent.subarray(i * 16_380, (i + 1) * 16_380));
      if (round % 2 === 0) mainTls.end();
      else setImmediate(() => mainTls.destroy());
      await closed;
      const arrived = Buffer.concat(pieces);
      assert.ok(arrived.equals(sent.subarray(0, arrived.length)));
    }
  });

  for (const piece of [10_000, 16_384])
    for (const [reader, webSocket] of [
      ['another reader', undefined],
      ['a WebSocket', new EventEmitter()],
    ] as const) {
      it(`stays as it is, in pieces of ${piece}, for ${reader} that takes it later`, async () => {
        const { connection, buffers } = fake(webSocket);
        const all = content(64 * piece);
        for (let at = 0; at < all.length; at += piece) {
          const bytes = all.subarray(at, at + piece);
          const buffer = buffers.onread.buffer();
          assert.equal(buffer.length, 16_384);
          buffer.set(bytes);
          buffers.onread.callback(bytes.length);
        }
        await turn();
        const kept: Buffer[] = [];
        for (let chunk: unknown; (chunk = connection.read()) !== null;) kept.push(chunk as Buffer);
        assert.ok(all.equals(Buffer.concat(kept)));
      });
    }
});

/** A connection that is not real, with its buffers. */
function fake(webSocket: EventEmitter | undefined): { connection: Readable; buffers: ReadBuffers } {
  const connection = new Readable({ read: () => undefined });
  const buffers = new ReadBuffers();
  buffers.serve(connection as Socket);
  if (webSocket !== undefined) buffers.readBy(webSocket as WebSocket);
  return { connection, buffers };
}
