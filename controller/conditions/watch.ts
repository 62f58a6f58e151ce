import { setInterval } from 'node:timers';
import { formatDuration } from '#core/text/duration.ts';
import type { Logger } from '#host/log/logger.ts';
import type { ConditionEvents } from './tracker.ts';

/** Interval of checks, milliseconds; they are cheap, since everything is in memory. */
const EVERY = 1_000;

/** Checks periodically, so that beginnings and ends are noticed without a status request. @returns call it to stop */
export function watchConditions(look: () => unknown, log: Logger): Disposable {
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      log.error('the conditions could not be determined', { error });
    }
  }, EVERY);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A line in the log for each beginning and each end. */
export function logConditions(log: Logger): ConditionEvents {
  return {
    began: ({ kind, severity, mds, directory, path, cause, action }) => {
      const level = severity === 'critical' ? 'error' : 'warn';
      log[level](`${kind} began`, {
        ...(mds !== undefined && { mds }),
        ...(directory !== undefined && { directory }),
        ...(path !== undefined && path !== '' && { path }),
        cause,
        action,
      });
    },
    ended: ({ kind, mds, directory, path }, lastedMs) => {
      log.info(`${kind} ended`, {
        ...(mds !== undefined && { mds }),
        ...(directory !== undefined && { directory }),
        ...(path !== undefined && path !== '' && { path }),
        lasted: formatDuration(lastedMs),
      });
    },
  };
}

/** Passes each event to all, in order. */
export function toAll(sinks: readonly ConditionEvents[]): ConditionEvents {
  return {
    began: (condition) => sinks.forEach((sink) => sink.began(condition)),
    ended: (condition, lastedMs) => sinks.forEach((sink) => sink.ended(condition, lastedMs)),
  };
}
