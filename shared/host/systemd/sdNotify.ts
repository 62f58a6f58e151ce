import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';

/**
 * Reports the service's status to systemd (sd_notify(3)) by a datagram to the socket that systemd named. Node has no
 * datagram Unix sockets, so libc sends it.
 */

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

export type ServiceManager = {
  /** Whether a service manager started this process. */
  readonly isPresent: boolean;
  /** Reports that the service is ready. Also feeds the watchdog until {@link stopping}. */
  ready(): void;
  stopping(): void;
};

/**
 * The service manager that started this process, or a no-op when there is none. Removes its variables from the
 * environment, so that child processes do not inherit them.
 */
export function serviceManager(): ServiceManager {
  const address = process.env['NOTIFY_SOCKET'];
  const watchdog = watchdogInterval();
  delete process.env['NOTIFY_SOCKET'];
  delete process.env['WATCHDOG_USEC'];
  delete process.env['WATCHDOG_PID'];
  if (address === undefined || address === '')
    return { isPresent: false, ready: () => undefined, stopping: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  return {
    isPresent: true,
    ready: () => {
      send(address, 'READY=1');
      // Sent from the event loop, so that systemd notices when it hangs.
      if (watchdog !== undefined) timer = setInterval(() => send(address, 'WATCHDOG=1'), watchdog).unref();
    },
    stopping: () => {
      clearInterval(timer);
      send(address, 'STOPPING=1');
    },
  };
}

/** Milliseconds between watchdog messages: half of what systemd allows, so that one may be late. */
function watchdogInterval(): number | undefined {
  const microseconds = Number(process.env['WATCHDOG_USEC']);
  const pid = process.env['WATCHDOG_PID'];
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return microseconds / 2000;
}

/** Errors are ignored: the service keeps working without its service manager. */
function send(address: string, message: string): void {
  const { functions: libc } = ffi.dlopen('libc.so.6', {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    sendto: { arguments: ['int32', 'buffer', 'uint64', 'int32', 'buffer', 'uint32'], return: 'int64' },
    close: { arguments: ['int32'], return: 'int32' },
  });
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return;
  const to = socketAddress(address);
  const text = Buffer.from(message);
  libc.sendto(fd, text, BigInt(text.length), MSG_NOSIGNAL, to, to.length);
  libc.close(fd);
}

/** sockaddr_un; a name that begins with @ is abstract, so its first byte is NUL. */
function socketAddress(address: string): Buffer {
  const name = Buffer.from(address);
  const abstract = address.startsWith('@');
  if (abstract) name[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name, ...(abstract ? [] : [Buffer.of(0)])]);
}
