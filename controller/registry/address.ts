import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The usual notation of an address: a listener on `::` sees IPv4 peers as `::ffff:192.0.2.1`. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** Whether two texts are the same IP address in any notation. */
export function sameAddress(one: string, other: string): boolean {
  const left = plainAddress(one);
  const right = plainAddress(other);
  const family = isIP(left);
  if (family === 0 || family !== isIP(right)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const only = new BlockList();
  only.addAddress(left, type);
  return only.check(right, type);
}
