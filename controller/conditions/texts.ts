import { countOf } from '#core/text/countOf.ts';
import { formatDuration } from '#core/text/duration.ts';
import { localTime } from '#host/time/localTime.ts';
import { isForGood } from './forGood.ts';

/** The texts of each condition: cause and remedy. `status`, the log, the page and `notify:` all use these. */
export type Words = { readonly cause: string; readonly action: string };

/** A disconnected MDS. @param lastSeen null when it has never connected */
export function awayWords(lastSeen: string | null): Words {
  return {
    cause: lastSeen === null ? 'it has never connected since it was enrolled' : 'it is disconnected',
    action: 'on that MDS: systemctl status xivo-xds-sync-agent; xivo-xds-sync-agent doctor',
  };
}

/** A hold on Main. */
export function mainHoldWords(directory: string, reason: string): Words {
  return {
    cause: `${directory} is on hold on Main: ${holdReason(reason)}`,
    action: `put it back (is a disk not mounted?); if you removed it on purpose: xivo-xds-sync confirm ${directory}`,
  };
}

/** The errno alone is not clear to people. */
function holdReason(reason: string): string {
  return reason.replace(/^(.+) can't be opened \(ENOENT\)$/, 'the directory is missing ($1, ENOENT)');
}

/** A hold on an MDS. */
export function mdsHoldWords(mds: string, directory: string, reason: string): Words {
  return {
    cause: `${directory} is on hold: ${holdReason(reason)}`,
    action: `${insteadOfConfirming(directory, reason)}xivo-xds-sync confirm ${directory} --mds ${mds}`,
  };
}

/** What to do first, unless it was intended. Only ` --mds NAME` at the end differs between MDS, see `causesOf`. */
function insteadOfConfirming(directory: string, reason: string): string {
  if (reason.includes('would be removed'))
    return `by mistake? See xivo-xds-sync trash restore ${directory} -n; to go ahead: `;
  if (/can't be opened|is not the same directory|became empty/.test(reason))
    return 'put it back there (is a disk not mounted?); if the change is intended: ';
  return 'to go ahead: ';
}

/** An MDS that is behind. @param pending files to do */
export function behindWords(directories: readonly string[], pending: number): Words {
  return {
    cause: `behind in ${directories.join(', ')}${pending > 0 ? `: ${countOf(pending, 'file')} to go` : ''}`,
    action: 'it catches up by itself; if it does not: xivo-xds-sync why PATH',
  };
}

/** A reload that Asterisk refused. @param output what Asterisk printed */
export function refusedReloadWords(kind: string, output: string): Words {
  const answer = output.trim();
  return {
    cause: `Asterisk refused the last ${kind} reload${answer === '' ? '' : `: ${answer}`}`,
    action: `correct the file on Main; until then the previous files stay active`,
  };
}

/** A pending reload. @param output what Asterisk printed, if it was reached */
export function pendingReloadWords(kind: string, output: string | undefined): Words {
  const answer = output?.trim() ?? '';
  return {
    cause: `${kind} reload pending in Asterisk${answer === '' ? '' : `: ${answer}`}`,
    action: 'it is retried; see whether Asterisk runs there: systemctl status asterisk',
  };
}

/** @param waiting how many other files wait for this one */
export function blockedWords(path: string, message: string, waiting: number): Words {
  const others =
    waiting === 0 ? '' : ` (${countOf(waiting, 'other file waits', 'other files wait')} with it)`;
  return {
    cause: `${path}: ${message}${others}`,
    action: 'correct the file on Main and save it; the change is tried again at once',
  };
}

/** A path that could not be synchronised. */
export function errorWords(path: string, message: string): Words {
  return {
    cause: path === '' ? message : `${path}: ${message}`,
    action: 'it is retried; see xivo-xds-sync why PATH',
  };
}

/** An error with Main's own files. */
export function mainErrorWords(path: string, message: string): Words {
  return { cause: path === '' ? message : `${path}: ${message}`, action: 'see xivo-xds-sync doctor' };
}

/** An alarm. */
export function alarmWords(message: string): Words {
  return { cause: message, action: 'see docs/operations.md, "Troubleshooting"' };
}

/** A certificate that expires soon or has expired. @param leftMs milliseconds left; negative when expired */
export function certificateWords(leftMs: number): Words {
  return {
    cause:
      leftMs <= 0
        ? 'its certificate has expired'
        : `its certificate expires in ${formatDuration(leftMs)} and was not renewed`,
    action:
      'a connected agent renews it automatically: find out why it does not connect, or enrol it again with --replace',
  };
}

/** A wrong clock. @param offsetMs the MDS's clock minus Main's, milliseconds */
export function clockWords(offsetMs: number): Words {
  const side = offsetMs > 0 ? 'ahead of' : 'behind';
  return {
    cause: `its clock is ${formatDuration(Math.abs(offsetMs))} ${side} Main's`,
    action: 'synchronise the clocks (chrony or systemd-timesyncd) on both hosts',
  };
}

/** An MDS that waits for approval. */
export function approvalWords(mds: string, fingerprint: string | null): Words {
  return {
    cause: `it asks to join, with the fingerprint ${fingerprint ?? 'unknown'}`,
    action: `compare the fingerprint with the one that ${mds} shows, then: xivo-xds-sync mds approve ${mds}`,
  };
}

/** An MDS of XiVO's list that was never enrolled. */
export function neverEnrolledWords(mds: string): Words {
  return {
    cause: `${mds} is in XiVO's list of media servers, but was never enrolled`,
    action: `xivo-xds-sync mds add ${mds}`,
  };
}

/** A pause. @param until UTC, ISO 8601 */
export function pausedWords(until: string): Words {
  return {
    cause: `synchronisation is paused until ${isForGood(until) ? 'it is resumed' : localTime(until)}: no file is changed on any host`,
    action: 'to resume: xivo-xds-sync resume',
  };
}
