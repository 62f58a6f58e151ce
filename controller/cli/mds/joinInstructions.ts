import { Buffer } from 'node:buffer';
import { hostname } from 'node:os';
import type { HostPort } from '#host/config/hostPort.ts';
import type { JoinToken } from '#host/identity/joinToken.ts';

/**
 * The command for an MDS without an agent: it fetches the script from Main and verifies Main's key.
 * @param listen the address on which Main listens; for a wildcard address, the host name is used
 */
export function joinInstructions(token: JoinToken, listen: HostPort): string[] {
  const everywhere = ['0.0.0.0', '::', '::0'].includes(listen.host);
  const host = everywhere ? hostname() : listen.host;
  const main = `${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
  const pin = Buffer.from(token.mainPin, 'hex').toString('base64');
  const url = `https://${main}/install/mds_install.sh`;
  const elsewhere = `Replace "${host}" if ${token.name} cannot reach it by that name; paste the token when asked:`;
  return [
    '',
    `On ${token.name}, as root. ${elsewhere}`,
    `  wget --no-check-certificate --pinnedpubkey='sha256//${pin}' -O mds_install.sh ${url} && sh mds_install.sh --main ${main}`,
    'or, without wget:',
    `  curl -k --pinnedpubkey 'sha256//${pin}' -o mds_install.sh ${url} && sh mds_install.sh --main ${main}`,
  ];
}
