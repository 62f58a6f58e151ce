import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import { encodeFrame } from '#protocol/frames.ts';
import { PROTOCOL } from '#protocol/version.ts';
import type { Host } from './host.ts';

/** A Main that was taken over: it has Main's key, listens where Main did, and says whatever a test wants. */
export class HostileMain {
  readonly received: FromAgent[] = [];
  /** Why each connection ended, as the agent said. */
  readonly endings: string[] = [];
  readonly #server: https.Server;
  readonly #sockets: WebSocketServer;
  #agent: WebSocket | undefined;
  connections = 0;
  /** Whether it answers who asks for a session; if not, it says nothing at all. */
  letsIn = true;
  asked = 0;

  constructor(main: Host, onMessage: (hostile: HostileMain, message: FromAgent) => void) {
    const folder = path.join(main.root, 'var/lib/xivo-xds-sync/identity');
    this.#server = https.createServer({
      key: readFileSync(path.join(folder, 'key.pem')),
      cert: readFileSync(path.join(folder, 'certificate.pem')),
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#sockets = new WebSocketServer({
      server: this.#server,
      perMessageDeflate: false,
      verifyClient: (_info, answer) => {
        this.asked += 1;
        if (this.letsIn) answer(true);
      },
    });
    this.#sockets.on('connection', (socket) => {
      this.#agent = socket;
      this.connections += 1;
      socket.on('error', () => undefined);
      socket.on('close', (_code, reason) => this.endings.push(reason.toString()));
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) return;
        const message = JSON.parse(data.toString()) as FromAgent;
        this.received.push(message);
        if (message.type === 'ping') this.say({ type: 'pong', sent: message.sent, time: Date.now() });
        else onMessage(this, message);
      });
    });
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  say(message: FromMain | object): void {
    this.#agent?.send(JSON.stringify(message));
  }

  /** Sends, at the pace of the agent. */
  async sayAndWait(message: object | string): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined || agent.readyState !== agent.OPEN) return;
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    await new Promise<void>((resolve) => agent.send(text, () => resolve()));
    while (agent.bufferedAmount > 1 << 20) await sleep(5);
  }

  get isOpen(): boolean {
    return this.#agent !== undefined && this.#agent.readyState === this.#agent.OPEN;
  }

  frame(stream: number, bytes: Uint8Array): void {
    this.#agent?.send(encodeFrame({ kind: 'data', stream, bytes }));
  }

  end(stream: number): void {
    this.#agent?.send(encodeFrame({ kind: 'end', stream }));
  }

  welcome(): void {
    const base = { deletions: 'main', settle: 0, reload: 'none', reloadAlways: false, lint: 'off' };
    this.say({
      type: 'welcome',
      protocol: PROTOCOL.newest,
      version: '0.1.0',
      name: 'mds1',
      main: { stateId: 'hostile', sequence: 1 },
      additive: false,
      directories: [{ name: 'moh', direction: 'to-mds', ...base }],
      guard: { percent: 100, files: 1_000_000 },
      reconcileEvery: 900_000,
      paused: false,
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
