import { formatDuration } from '#core/text/duration.ts';
import type { Status } from '../../control/contract/contract.ts';
import { summariesOf, summaryLine } from '../../conditions/summary.ts';

/** Exit codes of a monitoring plugin. */
export const PLUGIN = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
export type PluginCode = (typeof PLUGIN)[keyof typeof PLUGIN];

const WORDS = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

export type PluginResult = { readonly code: PluginCode; readonly lines: readonly string[] };

/**
 * Judges a status as a monitoring plugin does: one line with performance data, then each cause.
 * @param maxBehindMs an MDS may be behind or disconnected for so long before that is critical
 * @param now milliseconds since 1970
 */
export function judge(status: Status, maxBehindMs: number, now: number): PluginResult {
  const judged = status.causes.map((cause) => {
    const lasted = now - Date.parse(cause.since);
    const waits = cause.kind === 'behind' || cause.kind === 'away';
    if (waits)
      return {
        cause,
        code: lasted > maxBehindMs ? PLUGIN.critical : cause.kind === 'away' ? PLUGIN.warning : PLUGIN.ok,
      };
    return { cause, code: cause.severity === 'critical' ? PLUGIN.critical : PLUGIN.warning };
  });
  const late = status.mds.filter(
    ({ state, lagMs }) =>
      state === 'connected' && (lagMs ?? 0) > maxBehindMs && status.main.pausedUntil === null,
  );
  const allRevoked = status.mds.every(({ state }) => state === 'revoked');
  const code = Math.max(
    allRevoked ? PLUGIN.warning : PLUGIN.ok,
    late.length > 0 ? PLUGIN.critical : PLUGIN.ok,
    ...judged.map((each) => each.code),
  ) as PluginCode;
  return pluginResult(code, summaryLine(status), perfdata(status, maxBehindMs), [
    ...judged
      .filter((each) => each.code !== PLUGIN.ok)
      .map(({ cause: { mds, cause, action, since } }) => {
        const who = mds.length === 0 ? '' : `${mds.join(', ')}: `;
        return `${who}${cause} (for ${formatDuration(Math.max(0, now - Date.parse(since)))}) -> ${action}`;
      }),
  ]);
}

/** A line for monitoring. `|` separates the performance data, so it is replaced in texts. */
export function pluginResult(
  code: PluginCode,
  text: string,
  data: readonly string[] = [],
  more: readonly string[] = [],
): PluginResult {
  const clean = (line: string): string => line.replaceAll('|', '/').replaceAll(/\s*\n\s*/g, ' ');
  const first = `XDS ${WORDS[code]} - ${clean(text)}`;
  return { code, lines: [data.length === 0 ? first : `${first} | ${data.join(' ')}`, ...more.map(clean)] };
}

function perfdata(status: Status, maxBehindMs: number): string[] {
  const summaries = summariesOf(status).filter(({ state }) => state !== 'revoked');
  const count = (...states: string[]): number =>
    summaries.filter(({ state }) => states.includes(state)).length;
  const limit = maxBehindMs / 1000;
  return [
    `mds=${summaries.length};;;0`,
    `in_sync=${count('in sync')};;;0`,
    `behind=${count('behind', 'on hold', 'paused')};;;0`,
    `disconnected=${count('disconnected')};;;0`,
    ...summaries
      .toSorted((a, b) => (a.mds.name < b.mds.name ? -1 : 1))
      .flatMap(({ mds, pending }) =>
        mds.lagMs === null
          ? []
          : [
              `'${mds.name}_lag'=${Math.round(mds.lagMs) / 1000}s;;${limit};0`,
              `'${mds.name}_pending'=${pending};;;0`,
            ],
      ),
  ];
}
