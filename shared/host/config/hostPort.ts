import { isIPv4, isIPv6 } from 'node:net';

/** The controller's default port. */
export const SERVICE_PORT = 9443;

export type HostPort = { readonly host: string; readonly port: number };

/** Labels of letters, digits, hyphens and underscores: what /etc/hosts and DNS give in practice. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?$/i;

/**
 * Splits `HOST`, `HOST:PORT` or `[IPv6]:PORT`; the host comes back without brackets.
 * @throws RangeError whose message says what is allowed
 */
export function parseHostPort(text: string, defaultPort: number = SERVICE_PORT): HostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text.trim());
  const bracketed = match?.[1];
  const host = bracketed ?? match?.[2] ?? '';
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (!isHost(host, bracketed !== undefined)) {
    const hint = isIPv6Address(text.trim()) ? `; an IPv6 address stands in brackets: "[${text.trim()}]"` : '';
    throw new RangeError(`"${text}" is not HOST or HOST:PORT${hint}`);
  }
  if (port < 1 || port > 65_535) throw new RangeError(`"${text}": the port must be from 1 to 65535`);
  return { host, port };
}

/** The text that {@link parseHostPort} reads. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIPv6Address(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether it is an IPv6 address. Node compiles an expression of 1.5 kB at its first look at one, so not for a mere name. */
function isIPv6Address(host: string): boolean {
  return host.includes(':') && isIPv6(host);
}

function isHost(host: string, bracketed: boolean): boolean {
  if (bracketed) return isIPv6(host);
  // Digits and dots alone are a mistyped IPv4 address, never a name.
  return isIPv4(host) || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host));
}
