import { Started, type StartOptions } from '../processes.ts';

/** One pass of rsync, as cron runs it. */
export type RsyncPass = StartOptions & {
  readonly source: string;
  /** With the host in front. */
  readonly target: string;
  /** How another shell than the usual one is called. */
  readonly shell?: string;
};

export function startRsync({ source, target, shell, ...options }: RsyncPass): Started {
  const by = shell === undefined ? [] : ['-e', shell];
  return new Started('rsync', ['-a', '--delete', '--stats', ...by, `${source}/`, `${target}/`], options);
}

/** Of all passes whose figures are in a log; what ssh adds is not counted. */
export function bytesIn(log: string): number {
  const counted = log.matchAll(/^Total bytes (?:sent|received): ([\d,]+)$/gm);
  return [...counted].reduce((sum, [, bytes = '']) => sum + Number(bytes.replaceAll(',', '')), 0);
}
