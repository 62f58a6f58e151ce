import path from 'node:path';
import type { LivePlan } from '../../../agent/asterisk/proof/dialplanShow.ts';
import { findRefusals } from '../../../agent/asterisk/proof/asteriskLog.ts';
import { textOf } from '#core/dialplan/finding.ts';
import { judgeChange } from '#core/dialplan/judgeChange.ts';
import { type DialplanReading, extensionKey, type PlannedPriority } from '#core/dialplan/lint.ts';
import { decodeName } from '#core/path/nameBytes.ts';
import { type Loss, lossesIn } from './losses.ts';
import { judgePlan } from '../../support/dialplan/atOnce.ts';

const FOLDER_NAME = 'extensions_extra.d';

/** How much of a line is compared, since Asterisk prints it into a buffer of 1024 bytes. */
const SHOWN_LIMIT = 900;

/** What Asterisk made of a folder: its log since the reload began (Latin-1), and its live plan. */
export type Made = { readonly log: string; readonly live: LivePlan };

/** Losses that Asterisk keeps to itself. */
const SILENT = [
  /right after a hint counts as priority 0/,
  /There is no extension before the priority/,
  /block comment that begins here is not closed in this file/,
  /There is no ';--' for this '--;'/,
];

/** What lint can't be sure of, and says as a warning. */
const DOUBTS = [/read more than once/, /is not defined before/, /leads back to this file/, /without end/];

/** Where lint and a real Asterisk differ over a folder; nothing where they agree. */
export function disagreements(reading: DialplanReading, { log, live }: Made, folder: string): string[] {
  if (!live.isWhole) return ['the live plan could not be read'];
  const losses = countingLosses(reading, log, folder);
  const places = losses.map((loss) => placesOf(loss, reading, folder));
  return [
    ...unfounded(reading, losses, places),
    ...losses.flatMap((loss, i) =>
      isKnown(loss, places[i] ?? [], reading) ? [] : [`lint does not know: ${loss.message}`],
    ),
    ...planDifferences(reading, live),
    ...proofDifferences(reading, { log, live }, isSound(reading, log, folder)),
  ];
}

/** Whether Asterisk took all of it. */
export function isSound(reading: DialplanReading, log: string, folder: string): boolean {
  return (
    countingLosses(reading, log, folder).length === 0 &&
    !reading.findings.some(({ message }) => SILENT.some((words) => words.test(message)))
  );
}

/** What is wrong with the verdict on a change. @param wasSound whether Asterisk had taken all of what was there before */
export function verdictDifferences(
  before: DialplanReading,
  after: DialplanReading,
  changed: ReadonlySet<string>,
  { log, live }: Made,
  { wasSound, folder }: { readonly wasSound: boolean; readonly folder: string },
): string[] {
  const errors = judgeChange(before, after, changed).filter(({ finding }) => finding.severity === 'error');
  if (isSound(after, log, folder)) {
    const refusal = judgePlan({ reading: after, live, words: [], folderName: FOLDER_NAME });
    return [
      ...errors.map(({ finding }) => `it blocks what Asterisk takes whole: ${textOf(finding)}`),
      ...(refusal === undefined
        ? []
        : [`it takes back what Asterisk takes whole: ${JSON.stringify(refusal)}`]),
    ];
  }
  const isDoubt = after.findings.some(({ message }) => DOUBTS.some((words) => words.test(message)));
  if (wasSound && errors.length === 0 && !isDoubt && after.isFromStart && !hasUngrounded(after))
    return [`it lets through what loses something: ${log}`];
  return [];
}

function hasUngrounded({ priorities }: DialplanReading): boolean {
  return priorities.some(({ shown }) => shown === undefined);
}

/** The losses, but for those of lines that one template gives to a context twice: they are there. */
function countingLosses(reading: DialplanReading, log: string, folder: string): Loss[] {
  return lossesIn(log).filter((loss) => {
    if (!/Unable to register/.test(loss.message)) return true;
    return !placesOf(loss, reading, folder).some(({ path: at, line }) => {
      const isHere = (each: At): boolean => each.path === at && each.line === line;
      const isPlanned = reading.priorities.some(({ place }) => isHere(place));
      return isPlanned && !reading.findings.some((each) => each.severity === 'error' && isHere(each));
    });
  });
}

type At = { readonly path: string; readonly line: number };

/** The lines that Asterisk may mean; it counts on over all files of one include. */
function placesOf({ message, file, counted }: Loss, reading: DialplanReading, folder: string): At[] {
  if (file === undefined || counted === undefined) {
    const name = /^The file '(.*)' was listed/.exec(message)?.[1];
    if (name === undefined) return [];
    return reading.findings.filter((finding) => finding.message.includes(name));
  }
  const name = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
  return reading.loads
    .filter((load) => load.path === name && counted > load.countedBefore && counted <= load.countedAfter)
    .map(({ countedBefore }) => ({ path: name, line: counted - countedBefore }));
}

/** Errors of lint that Asterisk says nothing of. */
function unfounded(reading: DialplanReading, losses: readonly Loss[], places: readonly At[][]): string[] {
  const lost = new Set(places.flat().map(({ path: at, line }) => `${at}:${line}`));
  const isUnterminated = losses.some(({ message }) => /Unterminated comment/.test(message));
  // Lint goes on after a break, because later errors have to be corrected, too.
  const isBroken = reading.unread.size > 0;
  return reading.findings
    .filter(({ path: at, line, severity, message, losesRest }) => {
      if (
        severity !== 'error' ||
        (isBroken && losesRest !== true) ||
        reading.unread.has(at) ||
        lost.has(`${at}:${line}`)
      )
        return false;
      return !SILENT.some((words) => words.test(message)) && !isUnterminated;
    })
    .map((finding) => `Asterisk says nothing of: ${textOf(finding)}`);
}

function isKnown({ message }: Loss, places: readonly At[], reading: DialplanReading): boolean {
  if (/Unterminated comment/.test(message))
    return reading.findings.some((finding) => /not closed in this file|no ';--' for/.test(finding.message));
  return places.some(({ path: at, line }) => {
    const here = reading.findings.filter((finding) => finding.path === at && finding.line === line);
    if (
      here.some(
        ({ severity, message: words }) => severity === 'error' || DOUBTS.some((doubt) => doubt.test(words)),
      )
    )
      return true;
    return (
      /Unable to register|No previous pattern|Can't use/.test(message) &&
      reading.priorities.some(
        ({ place, shown }) => shown === undefined && place.path === at && place.line === line,
      )
    );
  });
}

function planDifferences(reading: DialplanReading, { priorities }: LivePlan): string[] {
  if (reading.hasUnknown) return [];
  // Asterisk prints a line into a buffer, and file names are bytes there.
  const text = (context: string, key: string, shown: string, file: string, counted: number): string =>
    JSON.stringify([context, key, shown.slice(0, SHOWN_LIMIT).trimEnd(), file, counted]);
  const ungrounded = new Set<string>();
  for (const { path: at, line, message } of reading.findings) {
    if (!DOUBTS.some((words) => words.test(message))) continue;
    for (const load of reading.loads)
      if (load.path === at) ungrounded.add(`${path.basename(at)}:${load.countedBefore + line}`);
  }
  const planned = new Map<string, number>();
  const count = (key: string, by: number): void => void planned.set(key, (planned.get(key) ?? 0) + by);
  const fileOf = ({ place }: PlannedPriority): string => path.basename(place.path);
  const whereOf = (priority: PlannedPriority): string => `${fileOf(priority)}:${priority.place.counted}`;
  for (const each of reading.priorities) if (each.shown === undefined) ungrounded.add(whereOf(each));
  for (const each of reading.priorities) {
    const { context, extension, caller, shown = '', place } = each;
    if (ungrounded.has(whereOf(each))) continue;
    count(text(context, extensionKey(extension, caller), shown, fileOf(each), place.counted), 1);
  }
  for (const { context, extension, caller, shown, file: bytes, counted } of priorities) {
    const file = decodeName(Buffer.from(bytes, 'latin1'));
    if (file === 'extensions.conf' || ungrounded.has(`${file}:${counted}`)) continue;
    count(text(context, extensionKey(extension, caller), shown, file, counted), -1);
  }
  return [...planned].flatMap(([key, more]) => {
    if (more === 0) return [];
    return [more > 0 ? `not live, though it should be: ${key}` : `live, though lint does not know: ${key}`];
  });
}

function proofDifferences(reading: DialplanReading, { log, live }: Made, sound: boolean): string[] {
  const words = findRefusals(log);
  const refusal = judgePlan({ reading, live, words, folderName: FOLDER_NAME });
  if (sound && refusal !== undefined) return [`the proof refuses what is sound: ${JSON.stringify(refusal)}`];
  const isBroken = reading.findings.some(({ losesRest, severity }) => losesRest && severity === 'error');
  if (isBroken && words.length > 0 && refusal === undefined)
    return ['the proof misses that the rest is lost'];
  return [];
}
