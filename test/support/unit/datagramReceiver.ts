import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const LONGEST = 65_536;

/** Receives the datagrams that are sent to a Unix socket, as syslogd does. Node has no such sockets, so libc receives. */
export class DatagramReceiver implements Disposable {
  readonly #libc = ffi.dlopen('libc.so.6', {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    bind: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
    recv: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
    close: { arguments: ['int32'], return: 'int32' },
  }).functions;
  readonly #fd: number;

  constructor(socketPath: string) {
    this.#fd = this.#libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);
    const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(`${socketPath}\0`)]);
    if (this.#libc.bind(this.#fd, address, address.length) !== 0) throw new Error(`can't bind ${socketPath}`);
  }

  /** The datagrams that wait in its queue, at most so many. */
  take(most = Infinity): string[] {
    const taken: string[] = [];
    const buffer = Buffer.alloc(LONGEST);
    while (taken.length < most) {
      const length = Number(this.#libc.recv(this.#fd, buffer, BigInt(LONGEST), 0));
      if (length < 0) break;
      taken.push(buffer.toString('utf8', 0, length));
    }
    return taken;
  }

  [Symbol.dispose](): void {
    this.#libc.close(this.#fd);
  }
}
