export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One event on its way to a destination. */
export type LogRecord = {
  readonly level: LogLevel;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly event: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Formats the record as one line of JSON. */
  readonly json: string;
};

const PRIORITIES: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** The severity of syslog(3) and sd-daemon(3). */
export function severityOf(level: LogLevel): number {
  return PRIORITIES[level];
}
