import path from 'node:path';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import { BLOCKED_BY_LINT, textOf } from '#core/dialplan/finding.ts';
import { breakageText, judgeChange } from '#core/dialplan/judgeChange.ts';
import { pictureOf, readDialplan } from '#core/dialplan/lint.ts';
import { type ContextChange, summarise, summaryText } from '#core/dialplan/summary.ts';
import { closureOf } from '#core/dialplan/needs.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import { type DialplanPlace, dialplanWorld } from '#host/dialplan/place.ts';
import { dialplanProof } from '../proof/proveDialplan.ts';
import type { Prove } from '../reload/proof.ts';
import type { Refusal, ReloadKind, ReloadResult } from '../reload/result.ts';
import { type DialplanChange, isRead, readChange } from './lintGate.ts';
import type { ReaderLease } from './readerLease.ts';

export type ActivationOptions = {
  readonly policy: DirectoryPolicy;
  readonly kind: ReloadKind;
  readonly place: () => DialplanPlace;
  readonly log: Logger;
  readonly reload: () => Promise<ReloadResult>;
  /** What Asterisk refused at the last reload, if it did. */
  readonly refusal: () => Refusal | undefined;
  /** For the dialplan, which a reload reads file by file. */
  readonly readers: ReaderLease | undefined;
};

/** What lint has against a change set, file by file, and what the set changes for callers. */
export type Rehearsed = {
  readonly objections: ReadonlyMap<string, string>;
  readonly changes: readonly ContextChange[];
};

/** What stands between files on disk and what callers hear: lint before, reload and its proof after. */
export class Activation {
  readonly #options: ActivationOptions;
  /** What the set in hand does to the dialplan. */
  #change: DialplanChange | undefined;
  #isReadAgain = true;
  /** What Asterisk read at the last reload: files of this host may have changed since, and nobody reloaded. */
  #lastRead: string | undefined;

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  /**
   * Looks at a change set before it becomes visible.
   * @param permissionsChange whether it changes who may read a file
   * @returns why it must not, file by file; empty when it may
   */
  objections(changed: ReadonlyMap<string, Put>, permissionsChange: boolean): ReadonlyMap<string, string> {
    if (this.#options.kind === 'moh') {
      this.#isReadAgain = permissionsChange || [...changed].some(([path, put]) => isMusic(path, put));
      return new Map();
    }
    this.#change = readChange(this.#options.place(), changed);
    this.#isReadAgain = permissionsChange || isRead(this.#change, this.#lastRead);
    return this.#lint(this.#change, new Set(changed.keys()));
  }

  /** What the set in hand changes for callers, context by context; empty where that is nothing. */
  get summary(): string {
    return this.#change === undefined ? '' : summaryOf(this.#change);
  }

  /** The same look for a dry run: it leaves nothing behind for the set that is in hand. */
  rehearse(changed: ReadonlyMap<string, Put>): Rehearsed {
    const { kind, place, policy } = this.#options;
    if (kind === 'moh') return { objections: new Map(), changes: [] };
    const change = readChange(place(), changed);
    return {
      objections: policy.lint === 'block' ? objectionsTo(change, new Set(changed.keys())) : new Map(),
      changes: summarise(change.before.priorities, change.after.priorities),
    };
  }

  /** Whether Asterisk reads something of the set in hand, so that it needs a reload. */
  get isReadAgain(): boolean {
    return this.#isReadAgain;
  }

  /** Calls `show`, which makes a change set visible, while Asterisk is not in the middle of reading. */
  async undisturbed<T>(show: () => T): Promise<T> {
    const { readers } = this.#options;
    return readers === undefined ? show() : await readers.withLease(show);
  }

  /** Whether either all or nothing of a change set may become visible. */
  get isWhole(): boolean {
    return this.#options.kind === 'dialplan';
  }

  /**
   * Reloads, unless Asterisk reads nothing of what changed.
   * @param changed the paths of the set that `objections` looked at; none for a reload that is due anyway
   * @returns what Asterisk has against these files, or against others that lean on them
   */
  async activate(changed: ReadonlySet<string>): Promise<Refusal | undefined> {
    const [change, isReadAgain] = [this.#change, this.#isReadAgain];
    this.#change = undefined;
    this.#isReadAgain = true;
    if (changed.size > 0 && !isReadAgain) return undefined;
    const standing = this.#options.refusal();
    const { refusal, away } = await this.#options.reload();
    if (away !== true) this.#lastRead = this.#pictureNow();
    if (refusal === undefined) return undefined;
    return isCausedBy(refusal, changed, change, standing) ? refusal : undefined;
  }

  #pictureNow(): string | undefined {
    const { kind, place } = this.#options;
    return kind === 'dialplan' ? pictureOf(readDialplan(dialplanWorld(place()))) : undefined;
  }

  #lint(change: DialplanChange, changed: ReadonlySet<string>): ReadonlyMap<string, string> {
    const { policy, log } = this.#options;
    if (policy.lint === 'off') return new Map();
    for (const { finding, cause } of judgeChange(change.before, change.after, changed)) {
      if (finding.severity === 'warning' || policy.lint === 'warn')
        log.warn('lint', { finding: textOf(finding), ...(cause !== undefined && { cause }) });
    }
    return policy.lint === 'block' ? objectionsTo(change, changed) : new Map();
  }
}

/** The errors that keep a change set out, by the file that is to blame; the first of each. */
function objectionsTo(change: DialplanChange, changed: ReadonlySet<string>): Map<string, string> {
  const objections = new Map<string, string>();
  for (const breakage of judgeChange(change.before, change.after, changed)) {
    const { finding, cause } = breakage;
    const blamed = cause ?? finding.path;
    if (finding.severity === 'warning' || objections.has(blamed)) continue;
    objections.set(blamed, `${breakageText(breakage)}; the change set is not activated ${BLOCKED_BY_LINT}`);
  }
  return objections;
}

function summaryOf({ before, after }: DialplanChange): string {
  return summaryText(summarise(before.priorities, after.priorities));
}

/** Music on hold plays whatever is not hidden. */
function isMusic(path: string, put: Put): boolean {
  return put !== 'folder' && !path.split('/').some((name) => name.startsWith('.'));
}

/**
 * Whether taking a change set back would help: Asterisk refused one of its files, or one that leans on them and was
 * not refused before.
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
        read: () => readDialplan(dialplanWorld(place() ?? where)),
      });
      proof = { path: where.path, prove };
    }
    return proof.prove(kind, signal);
  };
}

export function refusalText({ file, line, message }: Refusal): string {
  const where = file === undefined ? '' : `${file}${line === undefined ? '' : `, line ${line}`}: `;
  return `Asterisk refused the reload (${where}${message}); the previous files are back`;
}
