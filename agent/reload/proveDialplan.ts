import { readDialplan } from '../../shared/lint/lint.ts';
import { findRefusals, isWarningLog, logFolder } from './asteriskLog.ts';
import { readDialplanShow } from './dialplanShow.ts';
import { judgePlan } from './judgePlan.ts';
import { ANSWER_TIMEOUT_MS, SHOW_LIMIT } from './limits.ts';
import { markLogs } from './logTail.ts';
import type { Prove } from './reloader.ts';
import { runCommand } from './runCommand.ts';

export type DialplanProofOptions = {
  /** The command's words; `-rx` and the line for Asterisk are appended. */
  readonly asterisk: readonly string[];
  /** The dialplan folder's own name, by which Asterisk's includes find it: extensions_extra.d. */
  readonly folderName: string;
  /** The files of the dialplan folder as they are now, by path relative to it. */
  readonly files: () => Promise<ReadonlyMap<string, Buffer>>;
  /** Whether an `#include` finds something, as for lint. */
  readonly exists: (path: string) => boolean;
};

/**
 * Proves what a dialplan reload made active, since Asterisk's answer does not: by the live plan that `dialplan
 * show` prints, and by the log, whose path Asterisk itself tells. Where neither says anything (an older
 * Asterisk, a script in its place, a log that may not be read) nothing speaks against the reload.
 */
export function dialplanProof(options: DialplanProofOptions): Prove {
  return async (kind, signal) => {
    if (kind !== 'dialplan') return () => Promise.resolve(undefined);
    const ask = async (line: string): Promise<string> => {
      const end = await runCommand([...options.asterisk, '-rx', line], {
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
        keepBytes: SHOW_LIMIT,
        encoding: 'latin1',
      });
      return end.output;
    };
    const readLog = await markAsteriskLogs(ask);
    const files = await options.files();
    return async () => {
      const log = await readLog();
      const live = readDialplanShow(await ask('dialplan show'));
      // Files that changed while Asterisk read them prove nothing; whoever changed them asks for a reload.
      if (!areSame(files, await options.files())) return undefined;
      const reading = readDialplan(files, options);
      return judgePlan({ reading, live, words: findRefusals(log), folderName: options.folderName });
    };
  };
}

async function markAsteriskLogs(ask: (line: string) => Promise<string>): Promise<() => Promise<string>> {
  const folder = logFolder(await ask('core show settings'));
  if (folder === undefined) return () => Promise.resolve('');
  const channels = await ask('logger show channels');
  return await markLogs(folder, (path) => isWarningLog(path, channels));
}

function areSame(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([path, content]) => b.get(path)?.equals(content) === true);
}
