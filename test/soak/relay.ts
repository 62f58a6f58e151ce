import { connect, createServer, type Socket } from 'node:net';

/** What a relay does to what passes, until the next command. */
export type Weather = {
  /** Holds every byte back without closing the connection. */
  readonly cut: boolean;
  /** Milliseconds that each piece waits. */
  readonly delay: number;
  /** Bytes a second each way; 0 is no limit. */
  readonly rate: number;
};

export type RelayOrder =
  | { readonly do: 'weather'; readonly weather: Weather }
  /** Ends every connection at once, as a router does that has lost its table. */
  | { readonly do: 'reset' }
  /** Changes a bit in the next piece that passes towards Main. */
  | { readonly do: 'corrupt' }
  /** Ends the connection once so many bytes have passed towards Main without a rest: as an upload begins. */
  | { readonly do: 'reset-upload'; readonly after: number };

const FAIR: Weather = { cut: false, delay: 0, rate: 0 };
/** No bytes towards Main for so long is a rest, milliseconds: between two uploads, or two heartbeats. */
const REST = 150;

/** Passes bytes between an MDS and Main on loopback, as well or as badly as it is ordered to. */
export class Relay {
  readonly port: Promise<number>;
  #weather = FAIR;
  #corrupts = false;
  #resetAfter: number | undefined;
  #burst = { bytes: 0, last: 0 };
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer({ pauseOnConnect: true }, (socket) => this.#join(socket));

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.port = promise;
    this.#server.once('error', reject);
    this.#server.listen(0, '127.0.0.1', () => {
      const address = this.#server.address();
      resolve(address === null || typeof address === 'string' ? 0 : address.port);
    });
  }

  carryOut(order: RelayOrder): void {
    switch (order.do) {
      case 'weather': {
        this.#weather = order.weather;
        for (const pair of this.#pairs) for (const socket of pair) this.#flow(socket);
        return;
      }
      case 'reset':
        return this.#reset();
      case 'corrupt':
        this.#corrupts = true;
        return;
      case 'reset-upload':
        this.#resetAfter = order.after;
        this.#burst = { bytes: 0, last: performance.now() };
    }
  }

  #reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  #flow(socket: Socket): void {
    if (this.#weather.cut) socket.pause();
    else socket.resume();
  }

  #join(fromMds: Socket): void {
    const toMain = connect(this.#target.port, this.#target.host);
    const pair = [fromMds, toMain] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      // Whatever ends one end ends the other; how is no matter here.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    fromMds.on('data', (piece: Buffer) => this.#towardsMain(fromMds, toMain, piece));
    toMain.on('data', (piece: Buffer) => this.#pass(toMain, fromMds, piece));
    this.#flow(fromMds);
    this.#flow(toMain);
  }

  #towardsMain(from: Socket, to: Socket, piece: Buffer): void {
    if (this.#corrupts && piece.length > 0) {
      this.#corrupts = false;
      const at = Math.floor(piece.length / 2);
      piece.writeUInt8(piece.readUInt8(at) ^ 1, at);
    }
    const now = performance.now();
    if (now - this.#burst.last > REST) this.#burst.bytes = 0;
    this.#burst.bytes += piece.length;
    this.#burst.last = now;
    if (this.#resetAfter !== undefined && this.#burst.bytes > this.#resetAfter) {
      this.#resetAfter = undefined;
      return this.#reset();
    }
    this.#pass(from, to, piece);
  }

  /** One piece at a time each way: what waits holds back what follows. */
  #pass(from: Socket, to: Socket, piece: Buffer): void {
    const { delay, rate } = this.#weather;
    const wait = delay + (rate === 0 ? 0 : (piece.length / rate) * 1_000);
    if (wait === 0) {
      if (to.write(piece)) return;
      from.pause();
      to.once('drain', () => this.#flow(from));
      return;
    }
    from.pause();
    setTimeout(() => {
      to.write(piece);
      this.#flow(from);
    }, wait);
  }
}
