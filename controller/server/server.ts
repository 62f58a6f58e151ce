import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES } from '#protocol/limits.ts';
import type { HostPort } from '#host/config/hostPort.ts';
import { codeOf } from '#host/fs/errno.ts';
import { type Pin, pinOfCertificate } from '#host/identity/pin.ts';
import { connectionTrouble } from '#wire/connectionTrouble.ts';
import { addressOf, UnauthenticatedConnections } from './unauthenticatedConnections.ts';

/** Timeout of the handshake, and of the request, milliseconds. */
const UNAUTHENTICATED_TIMEOUT = 10_000;
/** Timeout of the closing handshake with all peers, milliseconds. */
const CLOSE_WITHIN = 500;
const MAX_ENROL_MESSAGE_BYTES = 64 * 1024;
/** P-256, as OpenSSL calls it. */
const KEY_CURVE = 'prime256v1';

/** The peer of an upgraded connection. */
export type Peer = {
  readonly socket: WebSocket;
  readonly tls: TLSSocket;
  readonly pin: Pin;
  /** DER of its certificate. */
  readonly certificate: Uint8Array;
  readonly address: string;
};

/** Why a peer is refused a session. With `renew` it should request a new certificate and reconnect. */
export type SessionRefusal = { readonly reason: string; readonly renew: boolean };

/** Main's key and certificate, which the port shows to its peers. */
export type ServedIdentity = { readonly keyPem: string; readonly certificatePem: string };

export type ServerOptions = {
  readonly listen: HostPort;
  readonly identity: ServedIdentity;
  /** The refusal of a session; undefined when it is allowed. */
  readonly refuseSession: (pin: Pin, certificate: Uint8Array, address: string) => SessionRefusal | undefined;
  /** Called when a connection ends before the peer is authenticated. */
  readonly onUnauthenticated: (event: string, address: string, reason: string) => void;
  readonly onSession: (peer: Peer) => void;
  readonly onEnrol: (peer: Peer) => void;
  /** @param keep allows the connection to last longer than other unauthenticated ones */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse, keep: () => void) => void;
  readonly onError: (error: unknown) => void;
};

/**
 * Main's single port: TLS 1.3 with certificates on both sides, each authenticated by its key's pin. `/agent` is a session
 * of an enrolled agent, `/enrol` is enrolment; everything else is plain HTTPS.
 */
export class Server {
  readonly #options: ServerOptions;
  readonly #https: https.Server;
  // No automatic pongs: for a peer that never reads they would pile up here.
  readonly #sessions = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    autoPong: false,
  });
  readonly #enrolments = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_ENROL_MESSAGE_BYTES,
    perMessageDeflate: false,
    autoPong: false,
  });
  readonly #unauthenticated: UnauthenticatedConnections;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#unauthenticated = new UnauthenticatedConnections((address, reason) =>
      options.onUnauthenticated('connection dropped', address, reason),
    );
    this.#https = https.createServer({
      ...secureContext(options.identity),
      // Any certificate is accepted in the handshake: peers are authenticated by their pin, not by a certificate authority.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: UNAUTHENTICATED_TIMEOUT,
    });
    this.#https.headersTimeout = UNAUTHENTICATED_TIMEOUT;
    this.#https.requestTimeout = UNAUTHENTICATED_TIMEOUT;
    this.#https.on('connection', (socket) => this.#unauthenticated.add(socket));
    this.#https.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#https.on('request', (request, response) =>
      options.onRequest(request, response, () => this.#unauthenticated.known(request.socket)),
    );
    this.#https.on('tlsClientError', (error, socket) => {
      // A peer that only connects and disconnects (a monitoring system's port check) is not logged.
      if (codeOf(error) !== 'ECONNRESET')
        options.onUnauthenticated('no TLS handshake', addressOf(socket), connectionTrouble(error));
    });
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

  /** Resolves when every WebSocket has emitted 'close', which comes after the close of its connection. */
  async close(): Promise<void> {
    const sockets = [...this.#sessions.clients, ...this.#enrolments.clients];
    const ends = sockets.map(
      (socket) =>
        new Promise<void>((resolve) =>
          socket.readyState === socket.CLOSED ? resolve() : socket.once('close', () => resolve()),
        ),
    );
    for (const socket of sockets) socket.close(1001, 'Main is stopping');
    const closed = new Promise<void>((resolve) => this.#https.close(() => resolve()));
    const impatience = setTimeout(() => {
      for (const socket of [...this.#sessions.clients, ...this.#enrolments.clients]) socket.terminate();
      this.#https.closeAllConnections();
    }, CLOSE_WITHIN);
    await Promise.all([closed, ...ends]);
    clearTimeout(impatience);
  }

  /** Uses another identity for new connections. */
  useIdentity(identity: ServedIdentity): void {
    this.#https.setSecureContext(secureContext(identity));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const tls = socket as TLSSocket;
    const der = tls.getPeerCertificate().raw as Uint8Array | undefined;
    if (der === undefined)
      return refuse(socket, 403, 'a client certificate is required: this port is for xivo-xds-sync-agent');
    const address = addressOf(tls);
    const pin = pinIfUsable(der);
    if (pin === undefined) {
      this.#options.onUnauthenticated('connection refused', address, 'a key that is not ECDSA P-256');
      return refuse(
        socket,
        403,
        'the certificate has a key that is not ECDSA P-256, the only kind used here',
      );
    }
    const peer = { tls, pin, certificate: der, address };
    if (request.url === '/agent') {
      const refusal = this.#options.refuseSession(pin, der, address);
      if (refusal !== undefined) return refuse(socket, refusal.renew ? 401 : 403, refusal.reason);
      this.#sessions.handleUpgrade(request, socket, head, (ws) => {
        this.#unauthenticated.known(tls);
        this.#options.onSession({ ...peer, socket: ws });
      });
    } else if (request.url === '/enrol') {
      this.#enrolments.handleUpgrade(request, socket, head, (ws) =>
        this.#options.onEnrol({ ...peer, socket: ws }),
      );
    } else refuse(socket, 404, 'nothing is here');
  }
}

function secureContext({ keyPem, certificatePem }: ServedIdentity): SecureContextOptions {
  return { key: keyPem, cert: certificatePem, minVersion: 'TLSv1.3' };
}

/** All identities are ECDSA P-256; certificates with other keys are not parsed further. */
function pinIfUsable(der: Uint8Array): Pin | undefined {
  try {
    const certificate = new X509Certificate(der);
    const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
    return curve === KEY_CURVE ? pinOfCertificate(certificate) : undefined;
  } catch {
    // Accepted by OpenSSL in the handshake but unreadable for Node, so it is not a certificate of this program.
    return undefined;
  }
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
