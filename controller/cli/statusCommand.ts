import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { table } from '#host/cli/table.ts';
import { formatBytes } from '#core/text/size.ts';
import { formatDuration } from '#core/text/duration.ts';
import type { MdsStatus, RotationStatus, Status } from '../control/contract/contract.ts';
import { clearScreen } from '#host/cli/terminal.ts';
import { print } from '#host/cli/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

const WATCH_EVERY = 500;
const MAX_ERROR_LINES = 20;
const MAX_WARNING_LINES = 10;

export async function status(
  context: Context,
  options: { mds?: string; json?: boolean; watch?: boolean },
): Promise<number> {
  for (;;) {
    const now = await ask(context, 'status', { mds: options.mds });
    if (options.watch === true) clearScreen();
    if (options.json === true) printJson(now);
    else for (const line of render(now, Date.now())) print(line);
    if (options.watch !== true)
      return now.mds.every(isFine) && now.main.errors.length === 0 ? EXIT.done : EXIT.failed;
    await sleep(WATCH_EVERY);
  }
}

/** An MDS that somebody removed is no trouble. */
function isFine({ state, inSync }: MdsStatus): boolean {
  return inSync || state === 'revoked';
}

/** The tables for people. @param now milliseconds since 1970 */
export function render(status: Status, now: number): string[] {
  const colour = process.stdout.isTTY;
  const { main } = status;
  const lines = [
    `xivo-xds-sync ${status.version} on ${main.listen}, running for ${formatDuration(now - Date.parse(main.startedAt))}`,
    `fingerprint ${main.fingerprint}`,
    ...(main.pausedUntil === null
      ? []
      : [`PAUSED until ${main.pausedUntil}: nothing is changed; "xivo-xds-sync resume" goes on`]),
    ...main.alarms.map(
      ({ at, message, times }) => `ALARM ${at} ${message}${times > 1 ? ` (${times} times)` : ''}`,
    ),
    ...main.errors.map(({ path, message }) => `ERROR on Main: ${printable(path)}: ${message}`),
    ...(main.rotation === null ? [] : [rotationLine(main.rotation)]),
    ...(main.mediaServers.problem === null
      ? []
      : [
          `XiVO's list of media servers (${main.mediaServers.source}) can't be read, so the last one counts: ${main.mediaServers.problem}`,
        ]),
    '',
    ...table(
      ['DIRECTORY', 'FILES', 'SIZE', 'PATH'],
      main.directories.map(({ name, files, bytes, path }) => [name, String(files), formatBytes(bytes), path]),
      { colour, right: [1, 2] },
    ),
    ...main.directories.flatMap(({ name, held }) =>
      held === null ? [] : [`HELD ${name}: ${held}. If that is right: xivo-xds-sync confirm ${name}`],
    ),
    ...warnings(main.directories),
    '',
  ];
  if (status.mds.length === 0)
    return [...lines, 'No MDS yet: "xivo-xds-sync mds add NAME" makes a join token for one.'];
  return [
    ...lines,
    ...table(
      ['MDS', 'STATE', 'SYNC', 'ADDRESS', 'VERSION', 'LAG', 'BEHIND', 'LOCAL', 'LAST RECONCILE'],
      status.mds.map((mds) => mdsRow(mds, now)),
      {
        colour,
        right: [5, 6, 7],
      },
    ),
    ...status.mds.flatMap((mds) => troubles(mds, main)),
  ];
}

function warnings(directories: Status['main']['directories']): string[] {
  const lines = directories.flatMap(({ name, warnings }) =>
    warnings.map(({ path, message }) => `WARNING ${name}/${printable(path)}: ${message}`),
  );
  if (lines.length <= MAX_WARNING_LINES) return lines;
  return [
    ...lines.slice(0, MAX_WARNING_LINES),
    `WARNING and ${lines.length - MAX_WARNING_LINES} more files: see status --json`,
  ];
}

function rotationLine({ nextFingerprint, stragglers }: RotationStatus): string {
  const next = `Main's next key is ${nextFingerprint}`;
  return stragglers.length === 0
    ? `${next}; every MDS knows it: "xivo-xds-sync rotate-identity --finish" puts it into use`
    : `${next}; not known yet to ${stragglers.join(', ')}`;
}

function mdsRow(mds: MdsStatus, now: number): string[] {
  const behind = mds.directories.filter(({ inSync }) => !inSync).map(({ name }) => name);
  const sum = (key: 'pending' | 'localOnly'): string =>
    String(mds.directories.reduce((total, each) => total + each[key], 0));
  const connected = mds.state === 'connected';
  const sync = mds.inSync ? 'ok' : behind.length > 0 ? behind.join(',') : '-';
  const { lastReconcile } = mds;
  return [
    mds.name,
    mds.state,
    sync,
    mds.address ?? '-',
    mds.agentVersion ?? '-',
    mds.lagMs === null ? '-' : `${mds.lagMs} ms`,
    connected ? sum('pending') : '-',
    connected ? sum('localOnly') : '-',
    lastReconcile === null
      ? '-'
      : `${formatDuration(Math.max(0, now - Date.parse(lastReconcile.at)))} ago${lastReconcile.ok ? '' : ', not ok'}`,
  ];
}

function troubles(
  { name, directories, errors, owedReloads, reloads, state, fingerprint }: MdsStatus,
  main: Status['main'],
): string[] {
  const lines: string[] = [];
  if (state === 'pending')
    lines.push(
      `${name} asks to enrol: see that it shows the fingerprint ${fingerprint}, then "xivo-xds-sync mds approve ${name}"`,
    );
  for (const { name: directory, held } of directories) {
    // What Main holds is said of Main.
    const heldByMain = main.directories.some((each) => each.name === directory && each.held === held);
    if (held !== null && !heldByMain)
      lines.push(
        `HELD ${name} ${directory}: ${held}. If that is right: xivo-xds-sync confirm ${directory} --mds ${name}`,
      );
  }
  for (const kind of owedReloads) {
    const last = reloads.findLast((reload) => reload.kind === kind);
    lines.push(
      `${name}: Asterisk has still to reload ${kind}${last && !last.ok ? `: ${last.output.trim()}` : ''}`,
    );
  }
  for (const { path, message } of errors.slice(0, MAX_ERROR_LINES))
    lines.push(`${name}: ${path}: ${message}`);
  if (errors.length > MAX_ERROR_LINES) lines.push(`${name}: and ${errors.length - MAX_ERROR_LINES} more`);
  return lines;
}
