import { execFileSync } from 'node:child_process';

/**
 * Bytes that have travelled both ways over the connections to a port of this machine, as long as these last: the kernel
 * counts them, TLS included. NaN where iproute2 is not installed.
 */
export function bytesOnWire(port: number): number {
  let shown: string;
  try {
    shown = execFileSync('ss', ['-tinH', 'state', 'established', `( sport = :${port} )`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return Number.NaN;
  }
  const counted = shown.matchAll(/\bbytes_(?:acked|received):(\d+)/g);
  return [...counted].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
