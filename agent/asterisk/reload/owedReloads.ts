import type { ReloadReport } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Prove } from './proof.ts';
import { Reloader } from './reloader.ts';
import { RELOAD_KINDS, type ReloadKind, type ReloadResult } from './result.ts';

const KEEP = 20;
const MAX_OUTPUT = 4_000;

export type ReloadsOptions = {
  readonly asterisk: readonly string[];
  readonly prove: Prove;
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onNews: () => void;
};

/** The reloads that this host's Asterisk is owed: written down before the files change, paid after, over restarts. */
export class Reloads {
  recent: ReloadReport[] = [];
  readonly #options: ReloadsOptions;
  readonly #reloader: Reloader;
  readonly #owed: Set<ReloadKind>;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    const { clock, asterisk, prove, db } = options;
    this.#owed = new Set(RELOAD_KINDS.filter((kind) => db.meta(keyOf(kind)) !== undefined));
    this.#reloader = new Reloader({
      asterisk,
      prove,
      clock: {
        now: () => clock.now(),
        after: (milliseconds, callback) => {
          const timer = setTimeout(callback, milliseconds);
          return () => clearTimeout(timer);
        },
      },
      onResult: (result) => this.#onResult(result),
    });
  }

  get owed(): ReloadKind[] {
    return [...this.#owed];
  }

  /** Pays what an earlier run still owed. */
  start(): void {
    for (const kind of this.owed) void this.#reloader.request(kind);
  }

  /** Called in the transaction that records a change set: a crash right after it must not forget the reload. */
  owe(kind: ReloadKind | 'none'): void {
    if (kind === 'none') return;
    this.#owed.add(kind);
    this.#write(kind);
  }

  /** Resolves with the result of a reload that started after this call; at once when Asterisk is away. */
  pay(kind: ReloadKind): Promise<ReloadResult> {
    return this.#reloader.request(kind);
  }

  async close(): Promise<void> {
    await this.#reloader.close();
  }

  #write(kind: ReloadKind): void {
    const { db, keeper } = this.#options;
    // When it is written later, what counts is whether it is owed then.
    keeper.write(() => db.setMeta(keyOf(kind), this.#owed.has(kind) ? '1' : undefined));
  }

  #onResult(result: ReloadResult): void {
    const { kind, at, ok, durationMs, output } = result;
    if (ok && !this.#reloader.owed().includes(kind) && this.#owed.delete(kind)) this.#write(kind);
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
    else this.#options.log.error('Asterisk did not reload', { kind, output: report.output });
    this.#options.onNews();
  }
}

function keyOf(kind: ReloadKind): string {
  return `owed:${kind}`;
}
