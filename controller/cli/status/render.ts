import { countOf } from '#core/text/countOf.ts';
import { formatBytes } from '#core/text/size.ts';
import { formatDuration } from '#core/text/duration.ts';
import { columns, type Line, type Span, type Style } from '#host/cli/output/terminal.ts';
import { table } from '#host/cli/output/table.ts';
import { wrap } from '#host/cli/output/wrap.ts';
import { localTimeShort } from '#host/time/localTime.ts';
import type { RotationStatus, Status } from '../../control/contract/contract.ts';
import { toGoOf } from '../../conditions/toGo.ts';
import { ago, type StateWord, summariesOf, summaryLine } from '../../conditions/summary.ts';

const MAX_CAUSES = 20;
const MAX_WARNINGS = 5;
/** Most MDS whose transfers are shown. */
const MAX_TRAVELLING = 10;
/** Most MDS named in front of a cause; others are counted. */
const MAX_NAMES = 6;

const STATE_STYLE: Readonly<Partial<Record<StateWord, Style>>> = {
  disconnected: 'red',
  'on hold': 'red',
  behind: 'yellow',
  pending: 'yellow',
  'never enrolled': 'yellow',
  paused: 'yellow',
  'in sync': 'green',
};

/** The whole status as text, within the width of the terminal. @param now milliseconds since 1970 */
export function render(status: Status, now: number): Line[] {
  const fine = status.causes.length === 0;
  const lines: Line[] = [
    [{ text: summaryLine(status), style: fine ? 'green' : 'bold' }],
    '',
    ...mdsTable(status, now),
    ...travelling(status),
    ...causes(status, now),
    '',
    ...directories(status),
    ...skippedAndWarnings(status),
    ...(status.main.rotation === null ? [] : wrap(rotationLine(status.main.rotation))),
    ...(status.main.mediaServers.problem === null
      ? []
      : wrap(
          `XiVO's list of media servers (${status.main.mediaServers.source}) can't be read; the last one is used: ${status.main.mediaServers.problem}`,
        )),
    `Main: xivo-xds-sync ${status.version} on ${status.main.listen}, up ${ago(status.main.startedAt, now)}`,
    ...fingerprint(status.main.fingerprint),
  ];
  // A part may be empty, without MDS for example.
  return lines.filter((line, i) => line !== '' || lines[i - 1] !== '');
}

/** In two lines, since it is as long as a terminal is wide. */
function fingerprint(text: string): string[] {
  const half = text.indexOf(':', text.length / 2) + 1;
  return [`fingerprint ${text.slice(0, half)}`, `            ${text.slice(half)}`];
}

function mdsTable(status: Status, now: number): Line[] {
  const summaries = summariesOf(status);
  if (summaries.length === 0) return [];
  // During a pause no check can end well, which is no fault.
  const isPaused = status.main.pausedUntil !== null;
  const rows = summaries.map(({ mds, state, since, outOfSync, pending }) => {
    const { lastReconcile } = mds;
    const connected = mds.state === 'connected';
    return [
      mds.name,
      state,
      ago(since, now),
      outOfSync.length === 0 ? '-' : outOfSync.join(','),
      mds.lagMs === null ? '-' : formatDuration(mds.lagMs),
      connected ? toDo(pending, toGoOf(mds).bytes) : '-',
      mds.lastDeliveryMs === null ? '-' : formatDuration(mds.lastDeliveryMs),
      lastReconcile === null
        ? '-'
        : `${checked(lastReconcile.at, now)}${lastReconcile.ok || isPaused ? '' : ', failed'}`,
    ];
  });
  const heading = [
    'MDS',
    'STATE',
    'SINCE',
    'OUT OF SYNC',
    'LAG',
    'TO DO',
    'LAST DELIVERY',
    'LAST FULL CHECK',
  ];
  const lines = table(
    fitting(heading, rows),
    rows.map((row) => fitting(row, rows)),
    { right: [] },
  );
  return lines.map((line, i): Line => {
    if (i === 0) return [{ text: line, style: 'bold' }];
    const state = summaries[i - 1]?.state ?? 'in sync';
    const at = line.indexOf(state, (summaries[i - 1]?.mds.name.length ?? 0) + 1);
    const style = STATE_STYLE[state];
    if (at < 0 || style === undefined) return line;
    return [line.slice(0, at), { text: state, style }, line.slice(at + state.length)];
  });
}

function toDo(files: number, bytes: number | null): string {
  return bytes === null || bytes === 0 ? String(files) : `${files} (${formatBytes(bytes)})`;
}

/** Current transfers, one line for each MDS. */
function travelling({ mds }: Status): Line[] {
  const moving = mds.filter(({ bytesPerSecond, transfers }) => bytesPerSecond > 0 || transfers.length > 0);
  const lines = moving.slice(0, MAX_TRAVELLING).flatMap((each) => {
    const { files, bytes, bytesPerSecond, secondsLeft } = toGoOf(each);
    // What can't be done at present does not travel, and has no time left.
    if (files === 0 || (each.transfers.length === 0 && each.errors.length >= files)) return [];
    return wrap(
      [`${each.name}: ${countOf(files, 'file')}`, ...(bytes === null ? [] : [formatBytes(bytes)])].join(
        ', ',
      ) +
        ` to go, ${formatBytes(bytesPerSecond)}/s` +
        (secondsLeft === null ? '' : `, about ${formatDuration(secondsLeft * 1_000)} left`),
    );
  });
  const more = moving.length - MAX_TRAVELLING;
  if (more > 0) lines.push(`… and ${countOf(more, 'more transfer')}`);
  return lines.length === 0 ? [] : ['', ...lines];
}

/** The time comes from the MDS; with a wrong clock it is meaningless. */
function checked(at: string, now: number): string {
  const since = ago(at, now);
  return since === '-' ? 'at an unknown time' : `${since} ago`;
}

/** Drops the least important columns until the rows fit the width. */
function fitting(cells: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const width = (column: number, least: number): number =>
    Math.max(least, ...rows.map((row) => (row[column] ?? '').length)) + 2;
  const least = [3, 5, 5, 11, 3, 5, 13, 15];
  const shown = new Set(least.keys());
  const total = (): number => [...shown].reduce((sum, column) => sum + width(column, least[column] ?? 0), -2);
  for (const column of [6, 5, 3]) if (total() > columns()) shown.delete(column);
  return cells.filter((_, column) => shown.has(column));
}

function causes({ causes }: Status, now: number): Line[] {
  const lines = causes
    .slice(0, MAX_CAUSES)
    .flatMap(({ kind, severity, mds, cause, since, action }): Line[] => {
      const who = mds.length > MAX_NAMES ? `${mds.length} MDS` : mds.join(', ');
      const label: Span = {
        text: kind === 'hold' ? 'HELD    ' : severity === 'critical' ? 'CRITICAL' : 'WARNING ',
        style: severity === 'critical' ? 'red' : 'yellow',
      };
      const [first = '', ...rest] = wrap(`${who === '' ? '' : `${who}: `}${cause}`, 10);
      return [
        '',
        [label, `  ${first.trimStart()}`],
        ...rest,
        ...wrap(`since ${localTimeShort(since, now)} (${ago(since, now)})`, 10),
        ...wrap(`-> ${action}`, 10),
      ];
    });
  if (causes.length > MAX_CAUSES) lines.push(`… and ${causes.length - MAX_CAUSES} more: see status --json`);
  return lines;
}

function directories({ main }: Status): Line[] {
  const rows = main.directories.map(({ name, files, bytes, path }) => [
    name,
    String(files),
    formatBytes(bytes),
    path,
  ]);
  const [heading = '', ...lines] = table(['DIRECTORY', 'FILES', 'SIZE', 'PATH'], rows, { right: [1, 2] });
  return [[{ text: heading, style: 'bold' }], ...lines];
}

function skippedAndWarnings({ main, mds }: Status): Line[] {
  const ofMain = new Set(
    main.directories.flatMap(({ name, skipped }) => skipped.map(({ path }) => `${name}/${path}`)),
  );
  const onMds = mds.flatMap(({ name, directories }) =>
    directories.flatMap((directory) =>
      directory.skipped
        .map(({ path, reason }) => ({ path: `${directory.name}/${path}`, reason }))
        .filter(({ path }) => !ofMain.has(path))
        .map(({ path, reason }) => `skipped ${path} of ${name}: ${reason}`),
    ),
  );
  const lines = main.directories.flatMap(({ name, skipped, warnings }) => [
    ...skipped.map(({ path, reason }) => `skipped ${name}/${path}: ${reason}`),
    ...warnings.map(({ path, message }) => `WARNING ${name}/${path}: ${message}`),
  ]);
  lines.push(...onMds);
  const more = lines.length - MAX_WARNINGS;
  return [
    ...lines.slice(0, MAX_WARNINGS).flatMap((line) => wrap(line)),
    ...(more > 0 ? [`… and ${countOf(more, 'more file')}: see status --json`] : []),
  ];
}

function rotationLine({ nextFingerprint, stragglers }: RotationStatus): string {
  const next = `Main's next key is ${nextFingerprint}`;
  return stragglers.length === 0
    ? `${next}; every MDS has received it. To activate the new key: xivo-xds-sync rotate-identity --finish`
    : `${next}; not received yet by ${stragglers.join(', ')}`;
}
