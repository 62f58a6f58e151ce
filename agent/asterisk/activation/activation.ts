import path from 'node:path';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import { readDialplanFolder } from '#core/dialplan/readFolder.ts';
import { BLOCKED_BY_LINT } from '#core/dialplan/finding.ts';
import { includeExists } from '#core/dialplan/include.ts';
import { dialplanProof } from '../proof/proveDialplan.ts';
import type { Prove } from '../reload/proof.ts';
import type { Refusal, ReloadKind, ReloadResult } from '../reload/result.ts';
import type { Put } from './dialplanAfter.ts';
import { type DialplanPlace, lintChange, textOf } from './lintGate.ts';
import type { ReaderLease } from './readerLease.ts';

export type ActivationOptions = {
  readonly policy: DirectoryPolicy;
  readonly kind: ReloadKind;
  readonly place: DialplanPlace;
  readonly log: Logger;
  readonly reload: () => Promise<ReloadResult>;
  /** For the dialplan, which a reload reads file by file. */
  readonly readers: ReaderLease | undefined;
};

/** What stands between files on disk and what callers hear: lint before, reload and its proof after. */
export class Activation {
  readonly #options: ActivationOptions;

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  /**
   * Looks at a change set before it becomes visible.
   * @returns why it must not, file by file; empty when it may
   */
  async objections(changed: ReadonlyMap<string, Put>): Promise<ReadonlyMap<string, string>> {
    const { policy, kind, place, log } = this.#options;
    const objections = new Map<string, string>();
    if (kind !== 'dialplan' || policy.lint === 'off') return objections;
    for (const finding of await lintChange(place, changed)) {
      if (finding.severity === 'warning' || policy.lint === 'warn') {
        log.warn('lint', { finding: textOf(finding) });
      } else if (!objections.has(finding.path)) {
        const { line, message } = finding;
        objections.set(
          finding.path,
          `line ${line}: ${message}; the change set is not activated ${BLOCKED_BY_LINT}`,
        );
      }
    }
    return objections;
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

  /** Reloads. @returns what Asterisk has against the files, if it has something against one of these */
  async activate(changed: ReadonlySet<string>): Promise<Refusal | undefined> {
    const { refusal } = await this.#options.reload();
    if (refusal === undefined) return undefined;
    // A file that was broken before this change set, such as a local one, is not mended by taking this one back.
    return refusal.file === undefined || changed.has(refusal.file) ? refusal : undefined;
  }
}

/** The proof of a dialplan reload for the folder that `place` names, once it is known. */
export function proofFor(
  asterisk: readonly string[],
  place: () => DialplanPlace | undefined,
  onConfigFolder: (path: string) => void,
): Prove {
  let files: ReadonlyMap<string, Buffer> = new Map();
  let proof: { readonly path: string; readonly prove: Prove } | undefined;
  return (kind, signal) => {
    const where = place();
    if (where === undefined) return Promise.resolve(() => Promise.resolve({}));
    if (proof?.path !== where.path) {
      const prove = dialplanProof({
        asterisk,
        onConfigFolder,
        folderName: path.basename(where.asteriskPath),
        files: async () => (files = await readDialplanFolder(where.path)),
        exists: (name) =>
          includeExists({
            root: where.root,
            configFolder: '/etc/asterisk',
            folder: where.asteriskPath,
            files,
          })(name),
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
