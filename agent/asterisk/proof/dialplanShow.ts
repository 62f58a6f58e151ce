import type { Steps } from '#core/steps.ts';

/** One priority of Asterisk's live plan. */
export type LivePriority = {
  readonly context: string;
  readonly extension: string;
  readonly caller: string | undefined;
  /** As printed, `1. NoOp(x)` or `hint: SIP/1`, cut where Asterisk cuts (at about 1,000 bytes). */
  readonly shown: string;
  /** The file's name without its folder, and the line as Asterisk counts it: over all files of an include. */
  readonly file: string;
  readonly counted: number;
};

/** A live dialplan, and whether the whole output was parsed. */
export type LivePlan = { readonly priorities: readonly LivePriority[]; readonly isWhole: boolean };

/** Lines of the output that are read in one step. */
const LINES_OF_STEP = 128;

const CONTEXT = /^\[ Context '(.*)' created by '.*' \]$/;
/** Where a priority comes from, as `[a.conf:2]`; the file's name may have brackets, too. */
const ORIGIN = String.raw` *\[((?:[^[\]]|\[[^[\]]*\])*)\]$`;
const PRIORITY = String.raw`((?:hint: |-?\d+\. ).*?)`;
const EXTENSION = new RegExp(String.raw`^ {2}'(.*?)' (?:\(CID match '(.*?)'\) )?=> +${PRIORITY}${ORIGIN}`);
const NEXT = new RegExp(String.raw`^ {2}(?: {3}\[.*?\])? +${PRIORITY}${ORIGIN}`);
const TOTAL = /^-= \d+ extensions? \((\d+) priorit(?:y|ies)\) in \d+ contexts?\. =-$/m;

/**
 * Reads the answer of `dialplan show` (Latin-1, since file contents may be anything). Priorities that name no
 * file, as those of other modules or of an Asterisk before version 13, are left out.
 */
export function* dialplanShowSteps(output: string): Steps<LivePlan> {
  const priorities: LivePriority[] = [];
  let understood = 0;
  let context = '';
  let extension: Pick<LivePriority, 'extension' | 'caller'> = { extension: '', caller: undefined };
  for (const [index, line] of output.split('\n').entries()) {
    if (index % LINES_OF_STEP === 0) yield;
    const header = CONTEXT.exec(line);
    if (header !== null) {
      context = header[1] ?? '';
      continue;
    }
    const first = EXTENSION.exec(line);
    const parts = first === null ? NEXT.exec(line)?.slice(1) : first.slice(3);
    if (first !== null) extension = { extension: first[1] ?? '', caller: first[2] };
    if (parts === undefined) continue;
    understood += 1;
    const [shown = '', origin = ''] = parts;
    // A file that is included again is called x.inc~~1, x.inc~~2 and so on.
    const [, file, counted] = /^(.*?)(?:~~\d+)?:(\d+)$/.exec(origin) ?? [];
    if (file !== undefined) priorities.push({ context, ...extension, shown, file, counted: Number(counted) });
  }
  const total = TOTAL.exec(output)?.[1];
  return { priorities, isWhole: total !== undefined && Number(total) === understood };
}
