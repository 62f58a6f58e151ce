import path from 'node:path';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import { textOf } from '#core/dialplan/finding.ts';
import { judgeChange } from '#core/dialplan/judgeChange.ts';
import { pictureOf } from '#core/dialplan/lint.ts';
import { type ContextChange, summarySteps, summaryText } from '#core/dialplan/summary.ts';
import { closureOf } from '#core/dialplan/needs.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import type { DialplanPlace } from '#host/dialplan/place.ts';
import type { DialplanReadings } from '#host/dialplan/readings.ts';
import { inSlices } from '#host/time/timeSlice.ts';
import { dialplanProof } from '../proof/proveDialplan.ts';
import type { Prove } from '../reload/proof.ts';
import type { Refusal, ReloadKind, ReloadResult } from '../reload/result.ts';
import { type DialplanChange, isRead, judgeSet, type ReadFolder, type SetVerdict } from './lintGate.ts';
import type { ReaderLease } from './readerLease.ts';

export type ActivationOptions = {
  readonly policy: DirectoryPolicy;
  readonly kind: ReloadKind;
  readonly place: () => DialplanPlace;
  readonly readings: DialplanReadings;
  readonly log: Logger;
  readonly reload: () => Promise<ReloadResult>;
  /** Asterisk's refusal at the last reload, if there was one. */
  readonly refusal: () => Refusal | undefined;
  /** For the dialplan, which a reload reads file by file. */
  readonly readers: ReaderLease | undefined;
};

/** Lint's objections to a change set, and its changes for callers. */
export type Rehearsed = SetVerdict & { readonly changes: readonly ContextChange[] };

/** Most lines of the log about one file, so that they don't hide those about others. */
const MOST_LINES_OF_A_FILE = 50;

const NO_VERDICT: SetVerdict = { objections: new Map(), waiting: new Map() };

/** Activates change sets in Asterisk: lint before they become visible, reload and its proof afterwards. */
export class Activation {
  readonly #options: ActivationOptions;
  /** The current set's change of the dialplan. */
  #change: DialplanChange | undefined;
  #isReadAgain = true;
  /** The files as Asterisk read them at the last reload; local files may have changed since without a reload. */
  #lastRead: string | undefined;

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  /**
   * Checks a change set before it becomes visible.
   * @param held removals of the set that are on hold
   * @param permissionsChange whether it changes who may read a file
   */
  async judge(
    changed: ReadonlyMap<string, Put>,
    held: ReadonlySet<string>,
    permissionsChange: boolean,
  ): Promise<SetVerdict> {
    const { kind, policy } = this.#options;
    if (kind === 'moh') {
      this.#isReadAgain = permissionsChange || [...changed].some(([path, put]) => isMusic(path, put));
      return NO_VERDICT;
    }
    const verdict = await judgeSet(this.#read, changed, held, policy.lint);
    this.#change = verdict.change;
    this.#isReadAgain = permissionsChange || isRead(verdict.change, this.#lastRead);
    this.#warn(verdict.change, new Set(changed.keys()));
    return verdict;
  }

  /** Changes of the current set for callers, context by context; empty when there are none. */
  async summary(): Promise<string> {
    return this.#change === undefined ? '' : summaryText(await changesOf(this.#change));
  }

  /** The same check for a dry run, without effect on the current set. */
  async rehearse(changed: ReadonlyMap<string, Put>, held: ReadonlySet<string>): Promise<Rehearsed> {
    const { kind, policy } = this.#options;
    if (kind === 'moh') return { ...NO_VERDICT, changes: [] };
    const { change, ...verdict } = await judgeSet(this.#read, changed, held, policy.lint);
    return { ...verdict, changes: await changesOf(change) };
  }

  /** Whether Asterisk reads a file of the current set, so that a reload is needed. */
  get isReadAgain(): boolean {
    return this.#isReadAgain;
  }

  /**
   * Calls `show`, which makes a change set visible, while Asterisk is not reading.
   * RACE: a local file changes between lint's look at the folder and this call. Worst case: a set becomes visible that lint
   * would have blocked; the proof after the reload finds it, and the set is reverted.
   */
  async withLease<T>(show: () => T, signal: AbortSignal): Promise<T> {
    const { readers } = this.#options;
    return readers === undefined ? show() : await readers.withLease(show, signal);
  }

  /** Whether either all or nothing of a change set may become visible. */
  get isWhole(): boolean {
    return this.#options.kind === 'dialplan';
  }

  /**
   * Reloads, unless Asterisk reads nothing of what changed.
   * @param changed the paths of the set that `objections` checked; none for a reload that is due anyway
   * @returns Asterisk's refusal of these files, or of others that depend on them
   */
  async activate(changed: ReadonlySet<string>): Promise<Refusal | undefined> {
    const [change, isReadAgain] = [this.#change, this.#isReadAgain];
    this.#change = undefined;
    this.#isReadAgain = true;
    if (changed.size > 0 && !isReadAgain) return undefined;
    const standing = this.#options.refusal();
    // Until the files are read after it, it is not known what Asterisk read.
    this.#lastRead = undefined;
    const { refusal, away } = await this.#options.reload();
    if (away !== true) this.#lastRead = await this.#pictureNow();
    // Music is not reverted: the files are independent, and the reload stays pending for those that Asterisk lacks.
    if (refusal === undefined || this.#options.kind === 'moh') return undefined;
    return isCausedBy(refusal, changed, change, standing) ? refusal : undefined;
  }

  async #pictureNow(): Promise<string | undefined> {
    return this.#options.kind === 'dialplan' ? pictureOf(await this.#read()) : undefined;
  }

  readonly #read: ReadFolder = (changed) => {
    const { readings, place } = this.#options;
    return readings.read(place(), changed);
  };

  #warn(change: DialplanChange, changed: ReadonlySet<string>): void {
    const { policy, log } = this.#options;
    if (policy.lint === 'off') return;
    const written = new Map<string, number>();
    for (const { finding, cause } of judgeChange(change.before, change.after, changed)) {
      if (finding.severity === 'error' && policy.lint !== 'warn') continue;
      const lines = (written.get(finding.path) ?? 0) + 1;
      written.set(finding.path, lines);
      if (lines > MOST_LINES_OF_A_FILE) continue;
      log.warn('lint', { finding: textOf(finding), ...(cause !== undefined && { cause }) });
    }
  }
}

function changesOf({ before, after }: DialplanChange): Promise<ContextChange[]> {
  return inSlices(summarySteps(before.priorities, after.priorities));
}

/** Music on hold plays whatever is not hidden. */
function isMusic(path: string, put: Put): boolean {
  return put !== 'folder' && !path.split('/').some((name) => name.startsWith('.'));
}

/**
 * Whether reverting a change set would help: Asterisk refused one of its files, or one that depends on them and was not
 * refused before.
 */
function isCausedBy(
  refusal: Refusal,
  changed: ReadonlySet<string>,
  change: DialplanChange | undefined,
  standing: Refusal | undefined,
): boolean {
  const { file, message } = refusal;
  if (file !== undefined && changed.has(file)) return true;
  if (standing?.file === file && standing?.message === message) return false;
  if (file === undefined) return true;
  if (change === undefined) return false;
  return [change.before, change.after].some(({ needs }) => closureOf(changed, needs).has(file));
}

/** The proof of a dialplan reload for the folder that `place` names, once it is known. */
export function proofFor(
  asterisk: readonly string[],
  place: () => DialplanPlace | undefined,
  readings: DialplanReadings,
  onConfigFolder: (path: string) => void,
): Prove {
  let proof: { readonly path: string; readonly prove: Prove } | undefined;
  return (kind, signal) => {
    const where = place();
    if (where === undefined) return Promise.resolve(() => Promise.resolve({}));
    if (proof?.path !== where.path) {
      const prove = dialplanProof({
        asterisk,
        onConfigFolder,
        folderName: path.basename(where.asteriskPath),
        read: () => readings.read(place() ?? where),
      });
      proof = { path: where.path, prove };
    }
    return proof.prove(kind, signal);
  };
}

/** The text for people of a refusal by Asterisk, with file and line if known. */
export function refusalText({ file, line, message }: Refusal): string {
  const where = file === undefined ? '' : `${file}${line === undefined ? '' : `, line ${line}`}: `;
  return `Asterisk refused the reload (${where}${message}); the previous files are back`;
}
