import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Observer } from '../daemon/observer.ts';
import type { Status } from '../control/contract/contract.ts';

/** From a fraction of a second, which is usual, to the 15 minutes of the job that this program replaces; seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
/** How often the event loop is sampled, milliseconds: often enough to see what a person would notice, and nearly free. */
const LOOP_SAMPLE = 100;

/** Figures of Main that are not in the status. */
export type MainFigures = {
  /** Duration of the last scan of all directories, milliseconds; undefined before the first. */
  readonly scanMs: number | undefined;
  /** How often bursts of events made Main read a whole directory again. */
  readonly watchOverflows: number;
  /** True while Main's state can't be written. */
  readonly stateFails: boolean;
  /** Bytes that are free where each directory lies, by its name. */
  readonly freeBytes: ReadonlyMap<string, number>;
};

/** The metrics of Main and of all its MDS, for Prometheus. Labels come from the registry and the configuration only. */
export class Metrics implements Observer {
  readonly #registry = new Registry();
  readonly #up = this.#gauge('mds_up', 'Whether the MDS is connected', ['mds']);
  readonly #behind = this.#gauge('mds_behind_seconds', 'How long the MDS has been behind Main; 0 in sync', [
    'mds',
  ]);
  readonly #inSync = this.#gauge('directory_in_sync', 'Whether the MDS has everything that Main has', [
    'mds',
    'directory',
  ]);
  readonly #pending = this.#gauge('directory_pending_files', 'Files still to be delivered', [
    'mds',
    'directory',
  ]);
  readonly #pendingBytes = this.#gauge('directory_pending_bytes', 'Bytes still to be transferred', [
    'mds',
    'directory',
  ]);
  readonly #rate = this.#gauge(
    'mds_transfer_bytes_per_second',
    'Content transferred, average of the last seconds',
    ['mds'],
  );
  readonly #files = this.#gauge('directory_files', 'Files on Main', ['directory']);
  readonly #bytes = this.#gauge('directory_bytes', 'Bytes on Main', ['directory']);
  readonly #free = this.#gauge('directory_free_bytes', 'Free bytes where Main has the directory', [
    'directory',
  ]);
  readonly #conditions = this.#gauge('conditions', 'Number of current conditions of a kind', ['mds', 'kind']);
  readonly #pendingReloads = this.#gauge('pending_reloads', 'Whether a reload of Asterisk is pending', [
    'mds',
    'kind',
  ]);
  readonly #errors = this.#gauge('mds_errors', 'Paths that could not be synchronised', ['mds']);
  readonly #days = this.#gauge('mds_certificate_days', 'Days until the certificate of the MDS expires', [
    'mds',
  ]);
  readonly #clock = this.#gauge('mds_clock_offset_seconds', "The clock of the MDS minus Main's", ['mds']);
  readonly #paused = this.#gauge('paused', 'Whether synchronisation is paused', []);
  readonly #scan = this.#gauge('scan_seconds', 'Duration of the last scan of all directories', []);
  readonly #stateFails = this.#gauge('state_write_failing', "Whether Main's state can not be written", []);
  readonly #overflows = this.#counter(
    'watch_overflows',
    'Bursts of events that made Main read a directory again',
    [],
  );
  readonly #deliveredFiles = this.#counter('delivered_files', 'Files delivered to an MDS', [
    'mds',
    'directory',
  ]);
  readonly #deliveredBytes = this.#counter('delivered_bytes', 'Bytes delivered to an MDS', [
    'mds',
    'directory',
  ]);
  readonly #drift = this.#counter('drift_repaired', 'Drifted files restored on an MDS', ['mds', 'directory']);
  readonly #conflicts = this.#counter('conflicts', 'Recordings that both sides changed', [
    'mds',
    'directory',
  ]);
  readonly #reloads = this.#counter('reloads', 'Reloads of Asterisk', ['mds', 'kind', 'result']);
  readonly #visible = this.#histogram('save_to_visible_seconds', 'From a save on Main to visible on an MDS', [
    'directory',
  ]);
  readonly #active = this.#histogram('save_to_active_seconds', 'From a save on Main to active in Asterisk', [
    'kind',
  ]);

  constructor() {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_SAMPLE });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A change set became visible on an MDS. */
  applied(mds: string, directory: string, actions: readonly PlannedAction[]): void {
    for (const { action, bytes } of actions) {
      if (action === 'restore') this.#drift.inc({ mds, directory });
      if (action !== 'send' && action !== 'restore') continue;
      this.#deliveredFiles.inc({ mds, directory });
      this.#deliveredBytes.inc({ mds, directory }, bytes);
    }
  }

  /** @param ms from the change on Main until the MDS reported that it holds it */
  delivered(directory: string, ms: number): void {
    this.#visible.observe({ directory }, ms / 1_000);
  }

  /** @param activeAfterMs from the change on Main until Asterisk had it, where a change was awaited */
  reloaded(mds: string, kind: string, ok: boolean, activeAfterMs: number | undefined): void {
    this.#reloads.inc({ mds, kind, result: ok ? 'ok' : 'failed' });
    if (ok && activeAfterMs !== undefined) this.#active.observe({ kind }, activeAfterMs / 1_000);
  }

  conflict(mds: string, directory: string): void {
    this.#conflicts.inc({ mds, directory });
  }

  /**
   * All metrics in the format of Prometheus.
   * @param now milliseconds since 1970
   */
  async text(status: Status, main: MainFigures, now: number): Promise<string> {
    this.#ofMain(status, main);
    for (const gauge of [this.#up, this.#behind, this.#rate, this.#pendingReloads, this.#errors])
      gauge.reset();
    for (const gauge of [this.#inSync, this.#pending, this.#pendingBytes]) gauge.reset();
    for (const gauge of [this.#days, this.#clock, this.#conditions]) gauge.reset();
    for (const mds of status.mds) if (mds.state !== 'revoked') this.#ofMds(mds, now);
    this.#count(status);
    return this.#registry.metrics();
  }

  #ofMain({ main }: Status, figures: MainFigures): void {
    this.#files.reset();
    this.#bytes.reset();
    this.#free.reset();
    for (const { name, files, bytes } of main.directories) {
      this.#files.set({ directory: name }, files);
      this.#bytes.set({ directory: name }, bytes);
    }
    for (const [directory, free] of figures.freeBytes) this.#free.set({ directory }, free);
    this.#paused.set(main.pausedUntil === null ? 0 : 1);
    this.#stateFails.set(figures.stateFails ? 1 : 0);
    this.#overflows.reset();
    this.#overflows.inc(figures.watchOverflows);
    if (figures.scanMs !== undefined) this.#scan.set(figures.scanMs / 1_000);
  }

  #ofMds(mds: Status['mds'][number], now: number): void {
    const { name, state, directories, certificateNotAfter, clockOffsetMs } = mds;
    this.#up.set({ mds: name }, state === 'connected' ? 1 : 0);
    // Unknown values are omitted: a disconnected MDS may have missed nothing.
    if (mds.lagMs !== null) this.#behind.set({ mds: name }, mds.lagMs / 1_000);
    this.#rate.set({ mds: name }, mds.bytesPerSecond);
    this.#errors.set({ mds: name }, mds.errors.length);
    for (const kind of ['dialplan', 'moh'] as const)
      this.#pendingReloads.set({ mds: name, kind }, mds.owedReloads.includes(kind) ? 1 : 0);
    for (const { name: directory, inSync, pending, pendingBytes } of directories) {
      this.#inSync.set({ mds: name, directory }, inSync ? 1 : 0);
      this.#pending.set({ mds: name, directory }, pending);
      if (pendingBytes !== null) this.#pendingBytes.set({ mds: name, directory }, pendingBytes);
    }
    if (certificateNotAfter !== null)
      this.#days.set({ mds: name }, (Date.parse(certificateNotAfter) - now) / 86_400_000);
    if (clockOffsetMs !== null) this.#clock.set({ mds: name }, clockOffsetMs / 1_000);
  }

  /** Conditions by kind; those of Main have an empty `mds`. */
  #count({ causes }: Status): void {
    for (const { kind, mds } of causes)
      for (const name of mds.length === 0 ? [''] : mds) this.#conditions.inc({ mds: name, kind });
  }

  #gauge<const L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `xds_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counter<const L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `xds_${name}_total`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<const L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
    return new Histogram({
      name: `xds_${name}`,
      help,
      labelNames,
      buckets: BUCKETS,
      registers: [this.#registry],
    });
  }
}
