import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';

/**
 * Tells systemd how the service is (sd_notify(3)): a datagram to the socket that it named. Node has no datagram
 * unix sockets, so libc sends it.
 */

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

export type ServiceManager = {
  /** Whether one started this process. */
  readonly isPresent: boolean;
  /** The service does its work from now on. Keeps the watchdog content until {@link stopping}, too. */
  ready(): void;
  stopping(): void;
};

/**
 * The service manager that started this process; one that does nothing when there is none. Takes its variables out
 * of the environment: they are not for what this program starts.
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
      // From the event loop: when that stands still, systemd notices.
      if (watchdog !== undefined) timer = setInterval(() => send(address, 'WATCHDOG=1'), watchdog).unref();
    },
    stopping: () => {
      clearInterval(timer);
      send(address, 'STOPPING=1');
    },
  };
}

/** Milliseconds between signs of life: half of what systemd allows, so that one may come late. */
function watchdogInterval(): number | undefined {
  const microseconds = Number(process.env['WATCHDOG_USEC']);
  const pid = process.env['WATCHDOG_PID'];
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return microseconds / 2000;
}

/** A service manager that went away is no reason to stop working: failures are its own to notice. */
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

/** sockaddr_un; a name that begins with @ is an abstract one, which begins with NUL. */
function socketAddress(address: string): Buffer {
  const name = Buffer.from(address);
  const abstract = address.startsWith('@');
  if (abstract) name[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name, ...(abstract ? [] : [Buffer.of(0)])]);
}
