import { decodeName } from '#core/path/nameBytes.ts';

/** What Asterisk wrote about one place in a dialplan folder. `counted` runs on over all files of an include. */
export type LogWords = { readonly message: string; readonly file?: string; readonly counted?: number };

/**
 * Messages about losses of the rest of a file and every later file. A message about a single line is no refusal: lint
 * decides whether to block it.
 */
const REST_LOST = [
  /parse error: .*/,
  /Category addition requested, but .*/,
  /Inheritance requested, but .*/,
  /Invalid escape in line .*/,
  /The file '.*' was listed as a #include but it does not exist\./,
];

/** Finds Asterisk's message about a refusal in a piece of its log (Latin-1, whole lines). */
export function findRefusals(log: string): LogWords[] {
  const found: LogWords[] = [];
  for (const line of log.split('\n')) {
    const message = REST_LOST.map((words) => words.exec(line)?.[0]).find((words) => words !== undefined);
    if (message === undefined) continue;
    const [, counted, path] = /line (\d+) of (\S.*)$/.exec(message) ?? [];
    if (path === undefined) found.push({ message });
    else {
      const file = decodeName(Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1'));
      found.push({ message, file, counted: Number(counted) });
    }
  }
  return found;
}

/** `logger show channels` cuts a path after so many characters. */
const CHANNEL_WIDTH = 35;

/**
 * Whether Asterisk writes warnings and errors into the file of this path, going by what `logger show channels`
 * printed. A long path is only compared as far as that shows it.
 */
export function isWarningLog(path: string, channels: string): boolean {
  return channels
    .split('\n')
    .filter(
      (line) => / File /.test(line) && / Enabled /.test(line) && /WARNING/.test(line) && /ERROR/.test(line),
    )
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .some((shown) => shown === path || (shown.length >= CHANNEL_WIDTH && path.startsWith(shown)));
}

/** The folder of Asterisk's configuration, from `core show settings`. */
export function configFolder(settings: string): string | undefined {
  return /^ *Configuration directory: *(\/.*?) *$/m.exec(settings)?.[1];
}

/** The folder of Asterisk's logs, from `core show settings`. */
export function logFolder(settings: string): string | undefined {
  return /^ *Log directory: *(\/.*?) *$/m.exec(settings)?.[1];
}
