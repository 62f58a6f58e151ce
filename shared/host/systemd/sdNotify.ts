import { Buffer } from 'node:buffer';
import { UnixDatagrams } from '#host/log/unixDatagram.ts';

/** Reports the service's status to systemd (sd_notify(3)) by a datagram to the socket that systemd named. */

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
  using datagrams = new UnixDatagrams();
  // A service whose READY is lost is never started for systemd.
  datagrams.send(address, Buffer.from(message), true);
}
