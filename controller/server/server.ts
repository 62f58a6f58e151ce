import https from 'node:https';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { HostPort } from '../../shared/config/hostPort.ts';
import { type Pin, pinOfCertificate } from '../../shared/identity/pin.ts';

/** Connections that have not shown who they are: enough for every MDS at once, too few to hurt. */
const MAX_STRANGERS = 128;
/** A stranger has this long for handshake and upgrade, milliseconds. */
const STRANGER_TIMEOUT = 10_000;
const MAX_ENROL_MESSAGE_BYTES = 64 * 1024;

/** Who is on the other end of an upgraded connection. */
export type Peer = {
  readonly socket: WebSocket;
  readonly tls: TLSSocket;
  readonly pin: Pin;
  /** DER of the certificate it showed. */
  readonly certificate: Uint8Array;
  readonly address: string;
};

export type ServerOptions = {
  readonly listen: HostPort;
  readonly keyPem: string;
  readonly certificatePem: string;
  /** An answer to a peer that may not open a session, or undefined when it may. */
  readonly refuseSession: (pin: Pin, certificate: Uint8Array, address: string) => string | undefined;
  readonly onSession: (peer: Peer) => void;
  readonly onEnrol: (peer: Peer) => void;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onError: (error: unknown) => void;
};

/**
 * Main's one port: TLS 1.3, where each side shows a certificate and is known by its key's pin. `/agent` is a
 * session of an enrolled agent, `/enrol` the way to become one; everything else is plain HTTPS.
 */
export class Server {
  readonly #options: ServerOptions;
  readonly #https: https.Server;
  readonly #sessions = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  readonly #enrolments = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_ENROL_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  /** The timer of each connection from a stranger, by its far end. */
  readonly #strangers = new Map<string, NodeJS.Timeout>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#https = https.createServer({
      key: options.keyPem,
      cert: options.certificatePem,
      minVersion: 'TLSv1.3',
      // Any key may knock: who it is, is decided by its pin, not by a certificate authority.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: STRANGER_TIMEOUT,
    });
    this.#https.headersTimeout = STRANGER_TIMEOUT;
    this.#https.requestTimeout = STRANGER_TIMEOUT;
    this.#https.on('connection', (socket) => this.#countStranger(socket));
    this.#https.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#https.on('request', options.onRequest);
    this.#https.on('tlsClientError', () => undefined);
  }

  /** @returns the port, which the system chose when 0 was asked for. @throws EADDRINUSE, EACCES, … */
  async listen(): Promise<number> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#https.once('error', reject);
      this.#https.listen(port, host, () => {
        this.#https.off('error', reject);
        this.#https.on('error', this.#options.onError);
        resolve();
      });
    });
    const address = this.#https.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    for (const socket of [...this.#sessions.clients, ...this.#enrolments.clients])
      socket.close(1001, 'Main is stopping');
    const closed = new Promise<void>((resolve) => this.#https.close(() => resolve()));
    setTimeout(() => {
      for (const socket of [...this.#sessions.clients, ...this.#enrolments.clients]) socket.terminate();
      this.#https.closeAllConnections();
    }, 500).unref();
    await closed;
  }

  /** Bounds the connections that have not shown who they are, and the time each of them has. */
  #countStranger(socket: net.Socket): void {
    if (this.#strangers.size >= MAX_STRANGERS) {
      socket.destroy();
      return;
    }
    const key = endpoint(socket);
    const timer = setTimeout(() => socket.destroy(), STRANGER_TIMEOUT * 2);
    this.#strangers.set(key, timer);
    socket.once('close', () => this.#nowKnown(key));
  }

  #nowKnown(key: string): void {
    clearTimeout(this.#strangers.get(key));
    this.#strangers.delete(key);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const tls = socket as TLSSocket;
    const der = tls.getPeerCertificate().raw as Uint8Array | undefined;
    if (der === undefined)
      return refuse(socket, 401, 'show a certificate: this port is for xivo-xds-sync-agent');
    const pin = pinOfCertificate(der);
    const address = tls.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
    const peer = { tls, pin, certificate: der, address };
    if (request.url === '/agent') {
      const refusal = this.#options.refuseSession(pin, der, address);
      if (refusal !== undefined) return refuse(socket, 403, refusal);
      this.#sessions.handleUpgrade(request, socket, head, (ws) => {
        this.#nowKnown(endpoint(tls));
        this.#options.onSession({ ...peer, socket: ws });
      });
    } else if (request.url === '/enrol') {
      this.#enrolments.handleUpgrade(request, socket, head, (ws) =>
        this.#options.onEnrol({ ...peer, socket: ws }),
      );
    } else refuse(socket, 404, 'nothing is here');
  }
}

/** The TLS socket and the one below it have the same. */
function endpoint(socket: net.Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
