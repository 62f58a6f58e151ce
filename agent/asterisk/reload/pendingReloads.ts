import type { ErrorReport, ReloadReport } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import { Tasks } from '#host/process/tasks.ts';
import { RefusedReloads } from './refusedReloads.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Prove } from './proof.ts';
import { Reloader } from './reloader.ts';
import { RELOAD_KINDS, type Refusal, type ReloadKind, type ReloadResult } from './result.ts';

const KEEP = 20;
const MAX_OUTPUT = 4_000;

export type PendingReloadsOptions = {
  readonly asterisk: readonly string[];
  readonly prove: Prove;
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onNews: () => void;
};

/** The pending reloads of this host's Asterisk: recorded before the files change, made afterwards, kept over restarts. */
export class PendingReloads {
  recent: ReloadReport[] = [];
  readonly #options: PendingReloadsOptions;
  readonly #reloader: Reloader;
  readonly #pending: Set<ReloadKind>;
  readonly #refused: RefusedReloads;
  readonly #tasks: Tasks;

  constructor(options: PendingReloadsOptions) {
    this.#options = options;
    const { clock, asterisk, prove, db, log } = options;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.#pending = new Set(RELOAD_KINDS.filter((kind) => db.meta(keyOf(kind)) !== undefined));
    this.#refused = new RefusedReloads(
      (kind) => this.#requestLater(kind),
      (ms, callback) => clock.after(ms, callback),
    );
    this.#reloader = new Reloader({
      asterisk,
      prove,
      clock,
      onResult: (result) => this.#onResult(result),
    });
  }

  get pending(): ReloadKind[] {
    return [...this.#pending];
  }

  /** Requests the reloads that are pending from an earlier run. */
  start(): void {
    for (const kind of this.pending) this.#requestLater(kind);
  }

  #requestLater(kind: ReloadKind): void {
    this.#tasks.run('a reload failed', () => this.request(kind));
  }

  /** Adds a pending reload. Called in the transaction that records a change set, so that a crash can't lose it. */
  add(kind: ReloadKind | 'none'): void {
    if (kind === 'none') return;
    this.#pending.add(kind);
    this.#write(kind);
  }

  /** Resolves with the result of a reload that started after this call; at once when Asterisk is away. */
  request(kind: ReloadKind): Promise<ReloadResult> {
    return this.#reloader.request(kind);
  }

  /** Called when a directory that Asterisk reads has changed, so that a refused reload is retried. */
  changedHere(kind: ReloadKind | 'none'): void {
    if (kind !== 'none') this.#refused.changed(kind);
  }

  /** Asterisk's refusal at the last reload of a kind, if there was one. */
  refusal(kind: ReloadKind): Refusal | undefined {
    return this.#refused.get(kind)?.refusal;
  }

  /** Why Asterisk does not take a directory, for people. */
  troubleOf(kind: ReloadKind | 'none', directory: string): ErrorReport | undefined {
    if (kind === 'none') return undefined;
    const refused = this.#refused.get(kind);
    if (refused === undefined) return undefined;
    const { file, line, message } = refused.refusal;
    const where = line === undefined ? '' : `line ${String(line)}: `;
    return {
      at: new Date(refused.since).toISOString(),
      path: file === undefined || file.startsWith('/') ? (file ?? directory) : `${directory}/${file}`,
      message:
        kind === 'moh'
          ? `${message}. The reload is pending and retried automatically`
          : `${where}${message}: Asterisk refuses it, and its live dialplan lacks what comes after. Correct or remove the file on this MDS; the reload is pending and retried automatically`,
    };
  }

  /** Requests all pending reloads. @returns true when none is pending any more */
  async requestAll(): Promise<boolean> {
    await Promise.all(this.pending.map((kind) => this.request(kind)));
    return this.#pending.size === 0;
  }

  async close(): Promise<void> {
    this.#refused.close();
    await this.#reloader.close();
    await this.#tasks.ended();
  }

  #write(kind: ReloadKind): void {
    const { db, keeper } = this.#options;
    // The write may be deferred, so the value is taken when it happens.
    keeper.write(() => db.setMeta(keyOf(kind), this.#pending.has(kind) ? '1' : undefined));
  }

  #onResult(result: ReloadResult): void {
    const { kind, at, ok, durationMs, refusal } = result;
    const output = refusal === undefined ? result.output : `${result.output}${wordsOf(kind, refusal)}\n`;
    const isNews = this.#noteRefusal(result);
    if (ok && !this.#reloader.pending().includes(kind) && this.#pending.delete(kind)) this.#write(kind);
    const report = {
      kind,
      at: new Date(at).toISOString(),
      ok,
      durationMs: Math.round(durationMs),
      output: output.slice(0, MAX_OUTPUT),
    };
    this.recent = [...this.recent, report].slice(-KEEP);
    const said = report.output.trim();
    if (ok)
      this.#options.log.info('Asterisk reloaded', {
        kind,
        milliseconds: report.durationMs,
        ...(said !== '' && { output: said }),
      });
    else if (isNews) this.#options.log.error('Asterisk did not reload', { kind, output: report.output });
    this.#options.onNews();
  }

  /** Notes a refused reload, which stays pending like an unanswered one. @returns whether it has to be reported */
  #noteRefusal({ kind, ok, refusal }: ReloadResult): boolean {
    if (ok) this.#refused.taken(kind);
    if (refusal === undefined) return !ok;
    this.add(kind);
    return this.#refused.refused(kind, refusal, this.#options.clock.now());
  }
}

function wordsOf(kind: ReloadKind, { file, line, message }: Refusal): string {
  if (kind === 'moh') return message;
  const where = file === undefined ? '' : `${file}${line === undefined ? '' : `, line ${String(line)}`}: `;
  return `Asterisk refused it (${where}${message})`;
}

function keyOf(kind: ReloadKind): string {
  return `owed:${kind}`;
}
