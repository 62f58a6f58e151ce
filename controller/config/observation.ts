import { isIP } from 'node:net';
import { CONDITION_KINDS } from '../conditions/condition.ts';
import * as z from 'zod';
import { duration, list, oneOf, parsed, section, text } from '#host/config/fields.ts';
import { type HostPort, parseHostPort } from '#host/config/hostPort.ts';

/** Where the status page and the metrics are served unless configured otherwise. */
export const PAGE_PORT = 9444;

const SECOND = 1_000;

/** Something that is served over plain HTTP. */
export type Served = {
  /** Undefined: where nothing else shares the machine, so not with `--root`. */
  readonly enabled: boolean | undefined;
  readonly listen: HostPort;
};

/** Who hears of conditions that begin and end. */
export type NotifyTarget = {
  /** The conditions that it hears of; all of them when empty. */
  readonly on: readonly string[];
  /** How long one attempt may take, milliseconds. */
  readonly timeoutMs: number;
} & ({ readonly kind: 'command'; readonly command: string } | { readonly kind: 'url'; readonly url: string });

const enabled = z.boolean().optional();

/** Anybody on the network could read it elsewhere: nginx, which knows who may, stands in front. */
const loopback = parsed((value) => {
  const address = parseHostPort(String(value), PAGE_PORT);
  if (!isLoopback(address.host))
    throw new RangeError(
      `"${String(value)}": the page has no login, so it listens on loopback only; put nginx in front of it (docs/page.md)`,
    );
  return address;
});

export const pageSchema = section({
  enabled,
  listen: loopback.optional(),
}).transform(serve);

export const metricsSchema = section({
  enabled,
  listen: parsed((value) => parseHostPort(String(value), PAGE_PORT)).optional(),
}).transform(serve);

export const notifySchema = list(
  section({
    command: text().optional(),
    url: text().optional(),
    on: list(oneOf(...CONDITION_KINDS, 'conflict')).default([]),
    timeout: duration(SECOND, 300 * SECOND).default(10 * SECOND),
  })
    .superRefine(({ command, url }, context) => {
      if ((command === undefined) === (url === undefined))
        context.addIssue({ code: 'custom', path: [], message: 'name a command or a url, one of them' });
      if (url !== undefined && !/^https?:\/\/./.test(url))
        context.addIssue({ code: 'custom', path: ['url'], message: `"${url}" is not an http or https URL` });
      if (command !== undefined && !command.startsWith('/'))
        context.addIssue({
          code: 'custom',
          path: ['command'],
          message: `"${command}": name the program by its absolute path`,
        });
    })
    .transform(({ command, url, on, timeout }): NotifyTarget => {
      const common = { on, timeoutMs: timeout };
      return command === undefined
        ? { kind: 'url', url: url ?? '', ...common }
        : { kind: 'command', command, ...common };
    }),
);

function serve(written: { enabled?: boolean | undefined; listen?: HostPort | undefined }): Served {
  return {
    // Who names an address wants it served there.
    enabled: written.enabled ?? (written.listen === undefined ? undefined : true),
    listen: written.listen ?? { host: '127.0.0.1', port: PAGE_PORT },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
