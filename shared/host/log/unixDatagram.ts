import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';
import { lastError } from '#host/fs/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;

/**
 * Sends datagrams to Unix sockets, as syslog(3) and sd_notify(3) need it. Node has no such sockets, so libc sends.
 * Each one is addressed by itself: a receiver that was restarted gets the next one, without a connection to renew.
 */
export class UnixDatagrams implements Disposable {
  readonly #libc = open();
  #fd = -1;

  /**
   * Sends a datagram.
   * @param address the socket's path; one that begins with @ is in the abstract name space
   * @param waits true to block until there is room in the receiver's queue
   * @returns undefined when the receiver has it, and otherwise the error's name: EAGAIN when there is no room,
   *   ENOENT or ECONNREFUSED when there is no receiver, EMFILE when this process has too many open files
   */
  send(address: string, content: Buffer, waits = false): string | undefined {
    const to = socketAddress(address);
    if (to === undefined) return 'ENAMETOOLONG';
    if (this.#fd < 0) this.#fd = this.#libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (this.#fd < 0) return lastError().code;
    const flags = MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT);
    const sent = this.#libc.sendto(this.#fd, content, BigInt(content.length), flags, to, to.length);
    return sent < 0n ? lastError().code : undefined;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#libc.close(this.#fd);
    this.#fd = -1;
  }
}

function open() {
  return ffi.dlopen('libc.so.6', {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    sendto: { arguments: ['int32', 'buffer', 'uint64', 'int32', 'buffer', 'uint32'], return: 'int64' },
    close: { arguments: ['int32'], return: 'int32' },
  }).functions;
}

/** sockaddr_un, whose name has at most 108 bytes; an abstract name begins with NUL and does not end with it. */
function socketAddress(address: string): Buffer | undefined {
  const name = Buffer.from(address);
  const abstract = address.startsWith('@');
  if (abstract) name[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  const all = Buffer.concat([family, name, ...(abstract ? [] : [Buffer.of(0)])]);
  return all.length <= 110 ? all : undefined;
}
