import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import { encodeFrame } from '#protocol/frames.ts';
import { PROTOCOL } from '#protocol/version.ts';
import type { Host } from './host.ts';

type Message = FromMain | { readonly type: string };

/** An MDS that was taken over: it has a key and a certificate that count, and says whatever a test wants. */
export class HostileAgent {
  readonly socket: WebSocket;
  readonly received: Message[] = [];
  readonly frames: Buffer[] = [];
  closed: { code: number; reason: string } | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.frames.push(data);
      else {
        const message = JSON.parse(data.toString('utf8')) as FromMain;
        this.received.push(message);
        if (message.type === 'ping') this.say({ type: 'pong', sent: message.sent, time: Date.now() });
      }
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  /** With the key and certificate of a host whose own agent does not run. */
  static async connect(
    host: Host,
    port: number,
    options: { hello?: boolean; localAddress?: string } = {},
  ): Promise<HostileAgent> {
    const folder = path.join(host.root, 'var/lib/xivo-xds-sync/identity');
    const secure = tls.connect({
      host: '127.0.0.1',
      port,
      key: readFileSync(path.join(folder, 'key.pem')),
      cert: readFileSync(path.join(folder, 'certificate.pem')),
      rejectUnauthorized: false,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    });
    await once(secure, 'secureConnect');
    const socket = new WebSocket(`wss://127.0.0.1:${port}/agent`, {
      createConnection: () => secure,
      perMessageDeflate: false,
    });
    const agent = new HostileAgent(socket);
    await once(socket, 'open');
    if (options.hello !== false) {
      agent.say(HELLO);
      await agent.until(({ type }) => type === 'welcome');
    }
    return agent;
  }

  say(message: FromAgent | object | string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  frame(stream: number, bytes: Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN)
      this.socket.send(encodeFrame({ kind: 'data', stream, bytes }));
  }

  /** Sends content in whole frames, as long as the connection lasts; credit is not asked for. */
  async pour(stream: number, content: Uint8Array): Promise<void> {
    for (let at = 0; at < content.length && this.closed === undefined; at += 65_536) {
      this.frame(stream, content.subarray(at, at + 65_536));
      if (at % (16 * 65_536) === 0) await sleep(5);
    }
    this.end(stream);
  }

  end(stream: number): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(encodeFrame({ kind: 'end', stream }));
  }

  async until(holds: (message: Message) => boolean, limit = 20_000): Promise<Message> {
    const deadline = Date.now() + limit;
    for (;;) {
      const found = this.received.find(holds);
      if (found !== undefined) return found;
      if (this.closed !== undefined) throw new Error(`closed: ${this.closed.code} ${this.closed.reason}`);
      if (Date.now() > deadline)
        throw new Error(`no such message; got ${JSON.stringify(this.received).slice(0, 2_000)}`);
      await sleep(10);
    }
  }

  /** Main's word on an offer. */
  async results(stream: number): Promise<Extract<FromMain, { type: 'offer-result' }>['results']> {
    const message = await this.until(
      (each) => each.type === 'offer-result' && 'stream' in each && each.stream === stream,
    );
    return (message as Extract<FromMain, { type: 'offer-result' }>).results;
  }

  async untilClosed(limit = 20_000): Promise<string> {
    const deadline = Date.now() + limit;
    while (this.closed === undefined) {
      if (Date.now() > deadline) throw new Error('Main did not close the connection');
      await sleep(10);
    }
    return this.closed.reason;
  }

  hangUp(): void {
    this.socket.terminate();
  }
}

export const HELLO = {
  type: 'hello',
  protocol: PROTOCOL,
  version: '0.1.0',
  state: { stateId: 'hostile', sequence: 1 },
  directories: ['dialplan', 'moh', 'sounds', 'recordings'],
} as const;
