import type { ErrorReport } from '#protocol/messages/common.ts';
import type { AgentReport } from '#protocol/messages/session.ts';
import type { Clock } from '#host/time/clock.ts';
import type { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { Credentials } from '../connection/credentials.ts';
import type { AgentState } from './agentHost.ts';
import type { OpenDirectories } from './openDirectories.ts';
import { makeReport, type Reconciled, type ReportHearer } from './report.ts';

/** Reports that are due within this time are sent as one, milliseconds. */
const REPORT_GATHER = 25;

export type ReporterOptions = {
  readonly directories: OpenDirectories;
  readonly reloads: PendingReloads;
  readonly credentials: Credentials;
  readonly state: AgentState;
  readonly clock: Clock;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
  /** Called before a report is sent. */
  readonly onSend: () => void;
};

/** Reports the state of this MDS to Main whenever it has changed. */
export class Reporter {
  readonly #options: ReporterOptions;
  #lastReconcile: Reconciled | undefined;
  #cancelReport: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** The report for Main and for `xivo-xds-sync-agent status`. */
  report(hearer: ReportHearer = { skipped: true, figures: true }): AgentReport {
    const { directories, reloads, credentials, state, clock, session } = this.#options;
    const { db, keeper } = state;
    const open = [...directories.all.values()];
    return makeReport({
      hearer,
      directories: open,
      troubles: [
        ...credentials.troubles,
        ...(keeper.trouble ? [keeper.trouble] : []),
        ...open.flatMap(({ name, policy }): ErrorReport | [] => reloads.troubleOf(policy.reload, name) ?? []),
      ],
      unknown: directories.unplaced,
      clockOffsetMs: session()?.clockOffset.milliseconds ?? 0,
      lastReconcile: this.#lastReconcile,
      reloads: reloads.recent,
      pendingReloads: reloads.pending,
      sequence: db.sequence,
      now: clock.now(),
    });
  }

  /** Sends a report soon. */
  news(): void {
    if (this.#isClosed) return;
    this.#cancelReport ??= this.#options.clock.after(REPORT_GATHER, () => this.#send());
  }

  /** Sends a report at once, with the result of a full pass. */
  reconciled(last: Reconciled): void {
    this.#lastReconcile = last;
    this.#send();
  }

  /** No further report becomes due. */
  close(): void {
    this.#isClosed = true;
    this.#cancelReport?.();
  }

  #send(): void {
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    this.#options.onSend();
    const session = this.#options.session();
    const knows = session?.mainCapabilities;
    session?.send(
      this.report({ skipped: knows?.has('skipped') === true, figures: knows?.has('figures') === true }),
    );
  }
}
