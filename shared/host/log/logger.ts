import { pino, stdTimeFunctions } from 'pino';
import { plainDetails } from './details.ts';
import type { LogLevel, LogRecord } from './record.ts';

export type Details = Readonly<Record<string, unknown>>;

/**
 * The program's log. An event is a few constant words (`file delivered`); everything that varies is a detail,
 * so that lines can be found and counted. Values may be errors, and names from outside: they are escaped.
 */
export interface Logger {
  debug(event: string, details?: Details): void;
  info(event: string, details?: Details): void;
  warn(event: string, details?: Details): void;
  error(event: string, details?: Details): void;
  /** A logger that adds these details to every event. */
  child(details: Details): Logger;
}

/** A logger that passes every event of this level or above to `write`. */
export function createLogger(level: LogLevel, write: (record: LogRecord) => void): Logger {
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      // Details have their own map, so that a detail named "time" or "level" does not overwrite the real one.
      nestedKey: 'details',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        const json = line.trimEnd();
        write({ ...(JSON.parse(json) as Omit<LogRecord, 'json'>), json });
      },
    },
  );
  const bind = (bound: Details): Logger => {
    const log = (at: LogLevel) => (event: string, details?: Details) => {
      root[at](plainDetails({ ...bound, ...details }), event);
    };
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: (details) => bind({ ...bound, ...details }),
    };
  };
  return bind({});
}
