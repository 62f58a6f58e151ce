import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Observer } from '../daemon/observer.ts';
import type { NotifyTarget } from '../config/observation.ts';
import type { ConditionEvents } from '../conditions/tracker.ts';
import type { StandingCondition } from '../conditions/condition.ts';
import { deliver } from './deliver.ts';
import type { Notification } from './notification.ts';

/** Most notifications queued for one target; the oldest ones are dropped. */
const MAX_WAITING = 500;
/** Attempts for one notification, and the pauses between them, milliseconds. */
const PAUSES = [1_000, 5_000, 30_000, 120_000] as const;

type Lane = {
  readonly target: NotifyTarget;
  readonly waiting: Notification[];
  running: boolean;
  dropped: number;
};

/**
 * Notifies other programs of conditions: in order for each target, so that an end never overtakes its beginning; with a
 * few retries; with bounded queues.
 */
export class Notifier implements ConditionEvents, Observer {
  readonly #lanes: readonly Lane[];
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(
    targets: readonly NotifyTarget[],
    options: {
      readonly clock: Clock;
      readonly log: Logger;
      readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
    },
  ) {
    this.#clock = options.clock;
    this.#lanes = targets.map((target) => ({ target, waiting: [], running: false, dropped: 0 }));
    this.#log = options.log;
    this.#sleep = options.sleep;
  }

  readonly began = (condition: StandingCondition): void => this.#add(notificationOf(condition, 'begin'));

  readonly ended = (condition: StandingCondition, lastedMs: number): void =>
    this.#add({ ...notificationOf(condition, 'end'), lastedSeconds: Math.round(lastedMs / 1_000) });

  /** Notifies of a conflict, which is an event without an end. */
  conflict(mds: string, directory: string, path: string): void {
    this.#add({
      event: 'begin',
      kind: 'conflict',
      severity: 'warning',
      mds,
      directory,
      path,
      cause: 'a recording was changed on both sides: the newer one won, the other is in the trash of Main',
      action: `xivo-xds-sync trash list`,
      since: new Date(this.#clock.now()).toISOString(),
    });
  }

  applied(): void {}
  delivered(): void {}
  reloaded(): void {}

  /** Drops queued notifications. Conditions that still hold are notified again at the next start. */
  close(): void {
    this.#closing.abort();
  }

  #add(notification: Notification): void {
    for (const lane of this.#lanes) {
      const { on } = lane.target;
      if (on.length > 0 && !on.includes(notification.kind)) continue;
      lane.waiting.push(notification);
      if (lane.waiting.length > MAX_WAITING) {
        lane.waiting.shift();
        lane.dropped += 1;
      }
      if (!lane.running)
        this.#run(lane).catch((error: unknown) => this.#log.error('notify failed', { error }));
    }
  }

  async #run(lane: Lane): Promise<void> {
    lane.running = true;
    try {
      for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
        await this.#deliver(lane.target, next);
        if (this.#closing.signal.aborted) return;
      }
    } finally {
      lane.running = false;
      if (lane.dropped > 0)
        this.#log.warn('notifications were dropped: the target is too slow', { count: lane.dropped });
      lane.dropped = 0;
    }
  }

  async #deliver(target: NotifyTarget, notification: Notification): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; ; attempt++) {
      try {
        return await deliver(target, notification, signal);
      } catch (error) {
        if (signal.aborted) return;
        const pause = PAUSES[attempt];
        const to = target.kind === 'url' ? target.url : target.command;
        if (pause === undefined)
          return this.#log.error('a notification could not be delivered', {
            to,
            kind: notification.kind,
            error,
          });
        this.#log.warn('a notification was not taken; it is tried again', {
          to,
          kind: notification.kind,
          error,
        });
        await this.#sleep(pause, signal);
      }
    }
  }
}

function notificationOf(condition: StandingCondition, event: Notification['event']): Notification {
  const { kind, severity, mds = '', directory = '', path = '', cause, action, since } = condition;
  return { event, kind, severity, mds, directory, path, cause, action, since: new Date(since).toISOString() };
}
