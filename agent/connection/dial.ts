import tls from 'node:tls';
import { WebSocket } from 'ws';
import { MAX_MESSAGE_BYTES } from '#protocol/limits.ts';
import { formatHostPort, type HostPort } from '#host/config/hostPort.ts';
import { formatFingerprint, type Pin, pinOfCertificate, samePin } from '#host/identity/pin.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { ReadBuffers } from '#wire/readBuffers.ts';

const CONNECT_TIMEOUT = 10_000;
const MAX_REFUSAL_BYTES = 4_096;
/** The key is enrolled, but Main requests a new certificate for it. */
const RENEW_STATUS = 401;

/** Main refuses this agent. A retry alone does not help. */
export class DialRefused extends Error {
  /** Whether a new certificate is needed. */
  readonly renew: boolean;

  constructor(message: string, options: { renew: boolean } = { renew: false }) {
    super(message);
    this.renew = options.renew;
  }
}

/** The host that answers does not have the pin of this MDS's Main. Nothing was sent to it. */
export class PinMismatch extends Error {}

export type DialOptions = {
  readonly main: HostPort;
  readonly path: '/agent' | '/enrol';
  readonly keyPem: string;
  readonly certificatePem: string;
  /** Accepted pins of Main; none only for an enrolment whose fingerprints a person compares. */
  readonly mainPins: readonly Pin[];
  /** The source address: the VoIP IP of this MDS. */
  readonly localAddress?: string | undefined;
  /** Cancels the attempt. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
};

export type Dialled = { readonly socket: WebSocket; readonly tls: tls.TLSSocket; readonly mainPin: Pin };

/**
 * Connects to Main over TLS 1.3, verifies its pin before anything is sent, and opens a WebSocket.
 * @throws PinMismatch, DialRefused, the network's error, or one that says that Main did not answer within 10 s
 */
export function dial(options: DialOptions): Promise<Dialled> {
  return bounded(options, async (until) => {
    const buffers = new ReadBuffers();
    const { tls: secure, mainPin } = await connectToMain(options, until, buffers);
    const socket = await upgrade(secure, options);
    buffers.readBy(socket);
    return { socket, tls: secure, mainPin };
  });
}

/**
 * Connects to Main over TLS 1.3 and verifies its pin; nothing is sent.
 * @throws PinMismatch, the network's error, or one that says that Main did not answer within 10 s
 */
export function dialPlain(options: Omit<DialOptions, 'path'>): Promise<Pick<Dialled, 'tls' | 'mainPin'>> {
  return bounded(options, (until) => connectToMain(options, until));
}

/**
 * An attempt ends with the agent, and after 10 s, whatever the other side sends or leaves out.
 * @param attempt is to end with the reason of its signal, an Error
 */
async function bounded<T>(
  { main, signal, clock = systemClock }: Omit<DialOptions, 'path'>,
  attempt: (until: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort(new Error('the agent is stopping'));
  const cancel = clock.after(CONNECT_TIMEOUT, () =>
    end.abort(new Error(`no answer from ${formatHostPort(main)} within ${CONNECT_TIMEOUT / 1000} s`)),
  );
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    end.signal.throwIfAborted();
    return await attempt(end.signal);
  } finally {
    cancel();
    signal?.removeEventListener('abort', stop);
  }
}

async function connectToMain(
  options: Omit<DialOptions, 'path'>,
  until: AbortSignal,
  buffers?: ReadBuffers,
): Promise<Pick<Dialled, 'tls' | 'mainPin'>> {
  const { main, mainPins } = options;
  const secure = await connect(options, until, buffers);
  const shown = secure.getPeerCertificate().raw as Uint8Array | undefined;
  const mainPin = shown === undefined ? '' : pinOfCertificate(shown);
  if (mainPins.length > 0 && !mainPins.some((pin) => samePin(mainPin, pin))) {
    secure.destroy();
    const expected = mainPins.map(formatFingerprint).join(' or ');
    throw new PinMismatch(
      `the host at ${formatHostPort(main)} is not the Main that this MDS knows: its key is ${formatFingerprint(mainPin)}, expected ${expected}. Nothing was sent to it, and the files here are kept. If Main was reinstalled, restore its backup there ("xivo-xds-sync restore FILE"); if there is none, or Main's key was changed while this MDS was disconnected, enrol this MDS again ("xivo-xds-sync-agent leave", then "enroll")`,
    );
  }
  return { tls: secure, mainPin };
}

function connect(
  { main, keyPem, certificatePem, localAddress }: Omit<DialOptions, 'path'>,
  until: AbortSignal,
  buffers?: ReadBuffers,
): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: main.host,
      port: main.port,
      key: keyPem,
      cert: certificatePem,
      minVersion: 'TLSv1.3',
      // Main's certificate is its own: its pin is checked instead of a certificate authority.
      rejectUnauthorized: false,
      ...(localAddress !== undefined && { localAddress }),
      ...(buffers !== undefined && { onread: buffers.onread }),
    });
    buffers?.serve(socket);
    // Until the attempt has ended: what then uses the connection ends with this reason, too.
    until.addEventListener('abort', () => socket.destroy(until.reason as Error), { once: true });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      // From now on the user of the socket is notified by 'close'.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

function upgrade(secure: tls.TLSSocket, { main, path }: DialOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    // Its handshakeTimeout would have no effect on a connection that exists already.
    const socket = new WebSocket(`wss://${formatHostPort(main)}${path}`, {
      createConnection: () => secure,
      perMessageDeflate: false,
      // Masking keeps proxies from taking content for a request (RFC 6455, section 10.3). None sees any inside TLS, and
      // with a mask of zeros neither side spends time on it: 2 s for each GiB of recordings.
      generateMask: (mask) => mask.fill(0),
      maxPayload: MAX_MESSAGE_BYTES,
    });
    socket.once('open', () => resolve(socket));
    socket.on('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body = (body + chunk).slice(0, MAX_REFUSAL_BYTES)));
      response.on('end', () => {
        const why = body.trim() || `status ${response.statusCode}`;
        reject(new DialRefused(`Main refused: ${why}`, { renew: response.statusCode === RENEW_STATUS }));
      });
      response.on('error', reject);
      response.on('aborted', () => reject(new Error('Main closed the connection')));
    });
  });
}
