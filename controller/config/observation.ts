import { isIP } from 'node:net';
import { CONDITION_KINDS } from '../conditions/condition.ts';
import * as z from 'zod';
import { duration, list, oneOf, parsed, section, text } from '#host/config/fields.ts';
import { type HostPort, parseHostPort } from '#host/config/hostPort.ts';

/** Default address of the status page and the metrics. */
export const PAGE_PORT = 9444;

const SECOND = 1_000;

/** A service over plain HTTP. */
export type Served = {
  /** Undefined: served if nothing else shares the machine, so not with `--root`. */
  readonly enabled: boolean | undefined;
  readonly listen: HostPort;
};

/** A target of notifications. */
export type NotifyTarget = {
  /** The kinds of conditions for this target; all when empty. */
  readonly on: readonly string[];
  /** Time limit of one attempt, milliseconds. */
  readonly timeoutMs: number;
} & ({ readonly kind: 'command'; readonly command: string } | { readonly kind: 'url'; readonly url: string });

const enabled = z.boolean().optional();

/** On another address, every host on the network could read it; access control is left to nginx in front. */
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
    // A configured address enables it.
    enabled: written.enabled ?? (written.listen === undefined ? undefined : true),
    listen: written.listen ?? { host: '127.0.0.1', port: PAGE_PORT },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
