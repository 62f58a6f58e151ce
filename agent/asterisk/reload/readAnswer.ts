import type { Refusal } from './result.ts';
import type { CommandEnd } from './runProcess.ts';

/** Meaning of an answer of `asterisk -rx` to a reload. */
export type ReloadAnswer =
  | { readonly meaning: 'done' }
  | { readonly meaning: 'busy' }
  /** The command's module isn't loaded: Asterisk is still starting, or failed to load the module at its start. */
  | { readonly meaning: 'unloaded' }
  | { readonly meaning: 'refused'; readonly refusal: Refusal }
  | { readonly meaning: 'away'; readonly message: string; readonly remedy?: string };

const NOT_RUNNING = /unable to connect to remote asterisk/i;
const BUSY = /already in progress|previous reload command didn'?t finish|not (?:yet )?fully booted/i;
/** asterisk.conf sets `rungroup`: `asterisk -rx` run by root tries to join that group, which the unit forbids. */
const NOT_ITS_GROUP = /unable to (?:setgid|drop unneeded groups)/i;
const LET_IT =
  'asterisk.conf sets rungroup: remove it, as -U in its unit does the same; or run "systemctl edit xivo-xds-sync-agent", ' +
  'add [Service] and CapabilityBoundingSet=CAP_SETGID, and restart that service';
const NO_SUCH_COMMAND = /no such command/i;
const LOAD_FAILED = /unable to load module|declined to load|command '.*' failed/i;

/**
 * Interprets the answer of a reload command. Neither exit code 0 nor `Dialplan reloaded.` proves success, so only signs of
 * a failure are recognised; any other answer counts as done.
 */
export function readAnswer(end: CommandEnd): ReloadAnswer {
  if (end.how === 'exit') return readExit(end.code, end.output);
  if (end.how === 'timeout') {
    return { meaning: 'away', message: `no answer within ${String(end.afterMs)} ms` };
  }
  if (end.how === 'stopped') return { meaning: 'away', message: 'stopped before it answered' };
  return { meaning: 'away', message: end.message };
}

function readExit(code: number | null, output: string): ReloadAnswer {
  const message = firstLine(output);
  if (NOT_RUNNING.test(output)) return { meaning: 'away', message };
  if (code !== 0 && NOT_ITS_GROUP.test(output)) return { meaning: 'away', message, remedy: LET_IT };
  if (BUSY.test(output)) return { meaning: 'busy' };
  if (NO_SUCH_COMMAND.test(output)) return { meaning: 'unloaded' };
  if (LOAD_FAILED.test(output)) return { meaning: 'refused', refusal: { message } };
  if (code !== 0) {
    return { meaning: 'away', message: message || `exit code ${code === null ? 'unknown' : String(code)}` };
  }
  return { meaning: 'done' };
}

function firstLine(output: string): string {
  return output.trim().split('\n', 1)[0] ?? '';
}
