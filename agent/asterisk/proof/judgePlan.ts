import { extensionKey } from '#core/dialplan/lint.ts';
import type { DialplanReading, PlannedPriority } from '#core/dialplan/lint.ts';
import { decodeName } from '#core/path/nameBytes.ts';
import { baseOf } from '#core/path/relative.ts';
import type { Steps } from '#core/steps.ts';
import type { LogWords } from './asteriskLog.ts';
import type { LivePlan, LivePriority } from './dialplanShow.ts';
import type { Refusal } from '../reload/result.ts';

/** Asterisk prints lines into a buffer of 1024 bytes, so a longer one is only compared as far as this. */
const SHOWN_LIMIT = 1000;

/** Priorities that are compared in one step. */
const COMPARED_IN_STEP = 128;

/** The evidence after a reload: the planned priorities of the files, the live dialplan, and the log. */
export type Witnesses = {
  readonly reading: DialplanReading;
  readonly live: LivePlan;
  readonly words: readonly LogWords[];
  /** The dialplan folder's own name, extensions_extra.d. */
  readonly folderName: string;
};

/** The judgement of a reload, and the lines of the folder that should be live and are not, each as a unique text. */
export type Judgement = { readonly refusal: Refusal | undefined; readonly missing: ReadonlySet<string> };

/**
 * Judges a reload. Only positive evidence is a refusal: Asterisk's own message about a file of the folder, a file with a
 * known break whose end is not live, a file that is live in part, or one that is live in an older version. A file of
 * which nothing is live may simply not be included, which proves nothing.
 */
export function* judgeSteps(witnesses: Witnesses): Steps<Judgement> {
  const { reading, live } = witnesses;
  const isComparable = live.isWhole && live.priorities.length > 0;
  // A program's output, or a file that is too large to be read, may have taken the place of any line.
  if (!isComparable || reading.hasUnknown)
    return { refusal: refusalOf(witnesses, isComparable), missing: new Set() };
  const index = yield* LiveIndex.of(live.priorities);
  const missing: PlannedPriority[] = [];
  for (const [number, planned] of reading.priorities.entries()) {
    if (number % COMPARED_IN_STEP === 0) yield;
    if (!index.has(planned)) missing.push(planned);
  }
  return {
    refusal: refusalOf(witnesses, isComparable) ?? missingFromPlan(reading, index, missing),
    missing: new Set(missing.map((priority) => `${whereabouts(priority)}\0${priority.shown ?? ''}`)),
  };
}

/** What Asterisk's log and the known breaks say. */
function refusalOf(
  { reading, live, words, folderName }: Witnesses,
  isComparable: boolean,
): Refusal | undefined {
  const spoken = words
    .map((said) => fromWords(said, reading, folderName))
    .find((refusal) => refusal !== undefined);
  if (spoken !== undefined || !isComparable) return spoken;
  const broken = reading.findings.find(({ losesRest, severity }) => losesRest && severity === 'error');
  return broken !== undefined && !isUnreadFileLive(reading, live) ? fromFinding(broken) : undefined;
}

function fromWords(said: LogWords, reading: DialplanReading, folderName: string): Refusal | undefined {
  if (said.file === undefined || said.counted === undefined) {
    const name = /^The file '(.*)' was listed/.exec(said.message)?.[1];
    const at = reading.findings.find(
      ({ losesRest, message }) => losesRest && name !== undefined && message.includes(name),
    );
    if (at !== undefined) return { file: at.path, line: at.line, message: said.message };
    // The include of the folder found nothing: the whole reload was refused, and the old dialplan stays live.
    return reading.files.size === 0 && name?.includes(`${folderName}/`)
      ? { message: said.message }
      : undefined;
  }
  const { file, counted } = said;
  const named = reading.loads.filter(({ path }) => reading.files.has(path) && baseOf(path) === file);
  const load = named.find((each) => counted > each.countedBefore && counted <= each.countedAfter) ?? named[0];
  if (load === undefined) return undefined;
  const line = counted - load.countedBefore;
  // Asterisk's message contains its own line count, which differs from an editor's.
  const message = said.message.replace(/,? (?:in )?line \d+ of .*$/, '');
  return line > 0 ? { file: load.path, line, message } : { file: load.path, message };
}

/** True when the break did not happen, because Asterisk doesn't include the file that has it. */
function isUnreadFileLive({ unread, files }: DialplanReading, live: LivePlan): boolean {
  const lost = new Set([...unread].filter((path) => !files.has(path)).map(baseOf));
  return live.priorities.some(({ file }) => lost.has(decodeName(Buffer.from(file, 'latin1'))));
}

function fromFinding({ path, line, message }: DialplanReading['findings'][number]): Refusal {
  return { file: path, line, message };
}

function missingFromPlan(
  { files, priorities, findings }: DialplanReading,
  live: LiveIndex,
  allMissing: readonly PlannedPriority[],
): Refusal | undefined {
  if (allMissing.length === 0) return undefined;
  const [missingIn, plannedIn] = [allMissing, priorities].map((each) =>
    Map.groupBy(each, ({ place }) => place.path),
  );
  for (const path of files) {
    const [planned = [], missing = []] = [plannedIn?.get(path), missingIn?.get(path)];
    const [first] = missing;
    if (first === undefined) continue;
    const finding = findings.find((each) => each.losesRest && each.path === path);
    if (finding !== undefined && finding.line <= first.place.line) return fromFinding(finding);
    const stale = missing.find((priority) => live.hasOther(priority));
    if (stale !== undefined) {
      return {
        file: path,
        line: stale.place.line,
        message: 'Asterisk still has an older version of this line',
      };
    }
    const isPartlyLive = planned.some(({ shown }) => shown !== undefined) && missing.length < planned.length;
    if (isPartlyLive && planned.some((priority) => live.hasFrom(priority))) {
      return { file: path, line: first.place.line, message: "This line is not in Asterisk's live plan" };
    }
  }
  return undefined;
}

/** The live dialplan indexed for lookups by planned priorities. */
class LiveIndex {
  readonly #at = new Map<string, LivePriority[]>();
  /** Extensions with the files that their lines come from. */
  readonly #from = new Set<string>();

  static *of(priorities: readonly LivePriority[]): Steps<LiveIndex> {
    const index = new LiveIndex();
    for (const [number, priority] of priorities.entries()) {
      if (number % COMPARED_IN_STEP === 0) yield;
      const key = keyOf(priority, priority.shown);
      const there = index.#at.get(key);
      if (there === undefined) index.#at.set(key, [priority]);
      else there.push(priority);
      index.#from.add(`${whereabouts(priority)}\0${decodeName(Buffer.from(priority.file, 'latin1'))}`);
    }
    return index;
  }

  /**
   * True when the priority is live, or covered by a line from outside the folder that Asterisk read earlier. Text that only
   * Asterisk can expand, such as a variable in an extension's name, counts as live.
   */
  has(planned: PlannedPriority): boolean {
    const { shown } = planned;
    if (shown === undefined) return true;
    return this.#there(planned, shown).some(
      (live) => isSameText(live.shown, shown) || !isFrom(live, planned),
    );
  }

  /** The same priority of the same file, with another text. */
  hasOther(planned: PlannedPriority): boolean {
    const { shown } = planned;
    if (shown === undefined) return false;
    return this.#there(planned, shown).some(
      (live) => !isSameText(live.shown, shown) && isFrom(live, planned),
    );
  }

  /** Whether a line of this extension is live from this very file. */
  hasFrom(planned: PlannedPriority): boolean {
    return this.#from.has(`${whereabouts(planned)}\0${baseOf(planned.place.path)}`);
  }

  #there(planned: PlannedPriority, shown: string): readonly LivePriority[] {
    return this.#at.get(keyOf(planned, shown)) ?? [];
  }
}

/** An extension and a priority: an extension may have thousands. */
function keyOf(at: Whereabouts, shown: string): string {
  return `${whereabouts(at)}\0${/^(?:hint:|-?\d+\.)/.exec(shown)?.[0] ?? ''}`;
}

type Whereabouts = Pick<LivePriority, 'context' | 'extension' | 'caller'>;

/** Asterisk shows all priorities of an extension under the name that its first one was written with. */
function whereabouts({ context, extension, caller }: Whereabouts): string {
  return `${context}\0${extensionKey(extension, caller)}`;
}

function isFrom(live: LivePriority, planned: PlannedPriority): boolean {
  return decodeName(Buffer.from(live.file, 'latin1')) === baseOf(planned.place.path);
}

function isSameText(live: string, planned: string): boolean {
  const end = planned.trimEnd();
  return live.trimEnd() === end || (live.length >= SHOWN_LIMIT && end.startsWith(live.slice(0, SHOWN_LIMIT)));
}
