import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DialplanReading, pictureOf } from '#core/dialplan/lint.ts';
import { configFolder, findRefusals, isWarningLog, logFolder } from './asteriskLog.ts';
import { inSlices } from '#host/time/timeSlice.ts';
import { dialplanShowSteps, type LivePlan } from './dialplanShow.ts';
import { judgeSteps } from './judgePlan.ts';
import { ANSWER_TIMEOUT_MS, LOG_QUESTION_TIMEOUT_MS, SHOW_LIMIT } from '../reload/limits.ts';
import { markLogs } from './logTail.ts';
import type { Prove } from '../reload/proof.ts';
import { runProcess } from '../reload/runProcess.ts';

export type DialplanProofOptions = {
  /** The command's words; `-rx` and the line for Asterisk are appended. */
  readonly asterisk: readonly string[];
  /** The dialplan folder's own name, by which Asterisk's includes find it: extensions_extra.d. */
  readonly folderName: string;
  /** The dialplan on disk. @throws Node's fs errors */
  readonly read: () => Promise<DialplanReading>;
  /** Called with Asterisk's configuration folder once it is known. */
  readonly onConfigFolder: (path: string) => void;
};

/**
 * Proves what a dialplan reload made active, since Asterisk's answer does not: by the live dialplan of `dialplan show`,
 * and by the log, whose path Asterisk reports. Without evidence (an older Asterisk, a script in its place, an unreadable
 * log) the reload counts as done.
 */
export function dialplanProof(options: DialplanProofOptions): Prove {
  let logs: readonly string[] = USUAL_LOGS;
  /** Lines that were missing after a good reload, too: Asterisk may not include their file at all. */
  let known: ReadonlySet<string> = new Set();
  let isAsked = false;
  return async (kind, signal) => {
    if (kind !== 'dialplan') return () => Promise.resolve({});
    const ask: Ask = async (line, timeoutMs) => {
      const limits = { timeoutMs, signal, keepBytes: SHOW_LIMIT, encoding: 'latin1' as const };
      return (await runProcess([...options.asterisk, '-rx', line], limits)).output;
    };
    let marks = await markLogs(logs);
    // Before the files are looked at: it decides where their reading begins.
    if (marks.isWithoutLog && !isAsked) {
      const found = await askForPlaces(ask, options);
      isAsked = found.length > 0;
      if (isAsked) {
        logs = found;
        marks = await markLogs(logs);
      }
    }
    const before = pictureOf(await options.read());
    return async (output) => {
      // A program that doesn't answer this is not an Asterisk that can be queried.
      if (!/Dialplan reloaded|pbx_config/.test(output)) return {};
      const [log, live] = await Promise.all([
        marks.readNew(),
        askForPlan(ask),
        marks.isWithoutLog ? askForPlaces(ask, options).then((found) => (logs = found)) : undefined,
      ]);
      // Files that changed while Asterisk read them prove nothing; their change causes another reload.
      const reading = await options.read();
      if (pictureOf(reading) !== before) return {};
      const words = findRefusals(log);
      const { folderName } = options;
      const { refusal, missing } = await inSlices(judgeSteps({ reading, live, words, folderName }), signal);
      // Two reloads at the same time, the agent's and one by hand, make Asterisk drop lines of good files.
      const again = [...missing].some((line) => !known.has(line));
      known = missing;
      return { refusal, again };
    };
  };
}

/** Asterisk's log folder on a XiVO. Another one is queried after Asterisk's first good answer. */
const USUAL_LOGS = ['/var/log/asterisk/messages', '/var/log/asterisk/full'];

type Ask = (line: string, timeoutMs: number) => Promise<string>;

/** A busy Asterisk was seen to end its answer too early; it is asked once more then. */
async function askForPlan(ask: Ask): Promise<LivePlan> {
  const live = await inSlices(dialplanShowSteps(await ask('dialplan show', ANSWER_TIMEOUT_MS)));
  if (live.isWhole || live.priorities.length === 0) return live;
  return await inSlices(dialplanShowSteps(await ask('dialplan show', ANSWER_TIMEOUT_MS)));
}

/** @returns the logs that Asterisk writes */
async function askForPlaces(ask: Ask, { onConfigFolder }: DialplanProofOptions): Promise<string[]> {
  const [settings, channels] = await Promise.all([
    ask('core show settings', LOG_QUESTION_TIMEOUT_MS),
    ask('logger show channels', LOG_QUESTION_TIMEOUT_MS),
  ]);
  const configuration = configFolder(settings);
  if (configuration !== undefined) onConfigFolder(configuration);
  const folder = logFolder(settings);
  if (folder === undefined) return [];
  // A folder that may not be read holds no log for this user.
  const names = await readdir(folder).catch((): string[] => []);
  return names.map((name) => join(folder, name)).filter((path) => isWarningLog(path, channels));
}
