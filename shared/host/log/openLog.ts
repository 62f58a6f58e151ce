import { UsageError } from '../cli/usageError.ts';
import { stdoutGoesToJournal } from './systemdJournal.ts';
import { humanLine, jsonLine } from './line.ts';
import { createLogger, type Logger } from './logger.ts';
import { type LogLevel, type LogRecord, severityOf } from './record.ts';
import { Syslog } from './syslog.ts';

/** `--log`. Lines always go to syslog (or the journal), and to stderr when it is a terminal or this option says so. */
const LOG_MODES = ['auto', 'stderr', 'json'] as const;
export type LogMode = (typeof LOG_MODES)[number];

/** @throws UsageError when the option `--log` names none */
export function logModeOf(text: string | undefined): LogMode {
  const mode = LOG_MODES.find((each) => each === (text ?? 'auto'));
  if (mode === undefined) throw new UsageError(`--log takes ${LOG_MODES.join(', ')}, not "${text}"`);
  return mode;
}

export type OpenLog = {
  readonly logger: Logger;
  /** Resolves when every line has been delivered. */
  close(): Promise<void>;
};

/**
 * Opens the program's log. Under systemd, lines go to stdout with sd-daemon(3) priorities; the unit's
 * SyslogIdentifier gives the tag. Otherwise they go to syslog; XDS_SYSLOG_SOCKET names another socket than /dev/log.
 */
export function openLog(mode: LogMode, level: LogLevel = 'info'): OpenLog {
  const line = mode === 'json' ? jsonLine : humanLine;
  return stdoutGoesToJournal() ? toJournal(line, level) : toSyslog(line, level, mode);
}

type Format = (record: LogRecord) => string;

function toJournal(line: Format, level: LogLevel): OpenLog {
  tolerateLoss(process.stdout);
  const logger = createLogger(level, (record) => {
    process.stdout.write(`<${severityOf(record.level)}>${line(record)}\n`);
  });
  return { logger, close: () => flushed(process.stdout) };
}

function toSyslog(line: Format, level: LogLevel, mode: LogMode): OpenLog {
  tolerateLoss(process.stderr);
  const onStderr = mode !== 'auto' || process.stderr.isTTY;
  const print = (text: string) => process.stderr.write(`${text}\n`);
  const timed = (time: Date, text: string) => print(mode === 'json' ? text : `${clock(time)} ${text}`);
  const syslog = new Syslog({
    socket: process.env['XDS_SYSLOG_SOCKET'],
    fallback: (_, text) => {
      if (!onStderr) timed(new Date(), text);
    },
    onUnreachable: (message) => print(`xivo-xds-sync: ${message}; log lines go to stderr until it can`),
  });
  const logger = createLogger(level, (record) => {
    const text = line(record);
    syslog.write(severityOf(record.level), text);
    if (onStderr) timed(new Date(record.time), text);
  });
  return {
    logger,
    close: async () => {
      await syslog.close();
      await flushed(process.stderr);
    },
  };
}

/** Local time of day with milliseconds. */
function clock(time: Date): string {
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** A closed stderr must not end the program, and the error can't be reported anywhere. */
function tolerateLoss(stream: NodeJS.WriteStream): void {
  if (stream.listenerCount('error') === 0) stream.on('error', () => {});
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
