import { countOf } from '#core/text/countOf.ts';
import { formatDuration } from '#core/text/duration.ts';
import { formatBytes } from '#core/text/size.ts';
import type { Progress } from '../../control/contract.ts';

/** Over how long the rate is taken, milliseconds. */
const WINDOW = 5_000;

type Sample = { readonly at: number; readonly bytes: number };
type Host = { progress: Progress; readonly samples: Sample[] };

/** How far the hosts are that a command waits for, in lines for a person. Pure: the time is handed in. */
export class ProgressLines {
  readonly #hosts = new Map<string, Host>();

  /** @param now milliseconds, growing */
  update(progress: Progress, now: number): void {
    if (progress.doing === 'done') {
      this.#hosts.delete(progress.host);
      return;
    }
    const known = this.#hosts.get(progress.host);
    // Something else is done now: what went before says nothing of how fast that is.
    const samples = known?.progress.doing === progress.doing ? known.samples : [];
    samples.push({ at: now, bytes: progress.bytes });
    while (samples.length > 2 && (samples[1]?.at ?? now) <= now - WINDOW) samples.shift();
    this.#hosts.set(progress.host, { progress, samples });
  }

  /** Most lines, those with the most to do first. */
  lines(most: number): string[] {
    const hosts = [...this.#hosts.values()].toSorted((a, b) => toDo(b) - toDo(a));
    const width = Math.max(0, ...hosts.map(({ progress }) => progress.host.length));
    const shown = hosts.length > most ? hosts.slice(0, most - 1) : hosts;
    const lines = shown.map((host) => lineOf(host, width));
    return hosts.length > shown.length ? [...lines, `… and ${hosts.length - shown.length} more`] : lines;
  }
}

function toDo({ progress: { bytes, bytesTotal } }: Host): number {
  return bytesTotal === null ? 0 : bytesTotal - bytes;
}

function lineOf({ progress, samples }: Host, width: number): string {
  const { host, doing, files, filesTotal, bytes, bytesTotal } = progress;
  const rate = rateOf(samples);
  const left = bytesTotal === null ? 0 : Math.max(0, bytesTotal - bytes);
  const parts = [
    ...(filesTotal === null || filesTotal === 0 ? [] : [`${files} of ${countOf(filesTotal, 'file')}`]),
    ...(bytesTotal === null || bytesTotal === 0
      ? []
      : [`${formatBytes(bytes)} of ${formatBytes(bytesTotal)}`]),
    ...(rate > 0 ? [`${formatBytes(rate)}/s`] : []),
    ...(rate > 0 && left > 0 ? [`${formatDuration((left / rate) * 1_000)} left`] : []),
  ];
  return `${host.padEnd(width)}  ${doing}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

/** Bytes a second. */
function rateOf(samples: readonly Sample[]): number {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return 0;
  return Math.max(0, ((last.bytes - first.bytes) * 1_000) / (last.at - first.at));
}
