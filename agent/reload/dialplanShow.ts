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

const CONTEXT = /^\[ Context '(.*)' created by '.*' \]$/;
const EXTENSION = /^ {2}'(.*?)' (?:\(CID match '(.*?)'\) )?=> +((?:hint: |\d+\. ).*?) *\[([^[]*):(\d+)\]$/;
const NEXT = /^ {2}(?: {3}\[.*?\])? +((?:hint: |\d+\. ).*?) *\[([^[]*):(\d+)\]$/;

/**
 * Reads the answer of `dialplan show` (Latin-1, since file contents may be anything). Lines that name no file,
 * as those of other modules or of an Asterisk before version 13, are left out.
 */
export function readDialplanShow(output: string): LivePriority[] {
  const priorities: LivePriority[] = [];
  let context: string | undefined;
  let extension: Pick<LivePriority, 'extension' | 'caller'> | undefined;
  for (const line of output.split('\n')) {
    const header = CONTEXT.exec(line);
    if (header !== null) {
      context = header[1];
      extension = undefined;
      continue;
    }
    if (context === undefined) continue;
    const first = EXTENSION.exec(line);
    if (first !== null) {
      extension = { extension: first[1] ?? '', caller: first[2] };
      priorities.push({ context, ...extension, ...whereFrom(first.slice(3)) });
      continue;
    }
    const next = extension === undefined ? null : NEXT.exec(line);
    if (next !== null && extension !== undefined) {
      priorities.push({ context, ...extension, ...whereFrom(next.slice(1)) });
    }
  }
  return priorities;
}

function whereFrom(parts: readonly string[]): Pick<LivePriority, 'shown' | 'file' | 'counted'> {
  const [shown = '', file = '', counted = ''] = parts;
  return { shown, file, counted: Number(counted) };
}
