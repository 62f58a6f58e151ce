import type net from 'node:net';

/** Most unauthenticated connections: enough for all MDS at once, too few to do harm. */
export const MAX_UNAUTHENTICATED = 128;
/** Time limit for handshake, upgrade and enrolment together, milliseconds. */
export const UNAUTHENTICATED_LIFETIME = 20_000;

type UnauthenticatedConnection = {
  readonly socket: net.Socket;
  readonly address: string;
  readonly timer: NodeJS.Timeout;
};

/**
 * The connections whose peer is not authenticated yet. When there are too many, the oldest connection of the address with
 * the most of them is dropped, so that a host that floods the port only affects itself.
 */
export class UnauthenticatedConnections {
  readonly #byEndpoint = new Map<string, UnauthenticatedConnection>();
  readonly #onDropped: (address: string, why: string) => void;

  /** @param onDropped called with the address and the reason of each dropped connection */
  constructor(onDropped: (address: string, why: string) => void) {
    this.#onDropped = onDropped;
  }

  add(socket: net.Socket): void {
    const key = endpointOf(socket);
    const address = addressOf(socket);
    const timer = setTimeout(
      () => this.#drop(key, `it did not authenticate within ${UNAUTHENTICATED_LIFETIME / 1000} s`),
      UNAUTHENTICATED_LIFETIME,
    );
    this.#byEndpoint.set(key, { socket, address, timer });
    socket.once('close', () => this.#forget(key));
    if (this.#byEndpoint.size > MAX_UNAUTHENTICATED) this.#makeRoom();
  }

  /** Removes a connection whose peer is authenticated now. @param socket the socket, or the TLS socket on top of it */
  known(socket: net.Socket): void {
    this.#forget(endpointOf(socket));
  }

  #makeRoom(): void {
    const counts = new Map<string, number>();
    let busiest = '';
    for (const { address } of this.#byEndpoint.values()) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (count > (counts.get(busiest) ?? 0)) busiest = address;
    }
    for (const [key, { address }] of this.#byEndpoint) {
      if (address !== busiest) continue;
      return this.#drop(key, `more than ${MAX_UNAUTHENTICATED} unauthenticated connections`);
    }
  }

  #drop(key: string, why: string): void {
    const connection = this.#byEndpoint.get(key);
    if (connection === undefined) return;
    this.#forget(key);
    connection.socket.destroy();
    this.#onDropped(connection.address, why);
  }

  #forget(key: string): void {
    clearTimeout(this.#byEndpoint.get(key)?.timer);
    this.#byEndpoint.delete(key);
  }
}

/** The usual notation of an address: a listener on `::` sees IPv4 peers as `::ffff:192.0.2.1`. */
export function addressOf(socket: net.Socket): string {
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
}

/** A key that is equal for a TLS socket and the socket below it. */
function endpointOf(socket: net.Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
