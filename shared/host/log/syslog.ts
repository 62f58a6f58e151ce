import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** Tag of every line in syslog. */
const TAG = 'xivo-xds-sync';
/** LOG_DAEMON of syslog(3), shifted for a priority value. */
const FACILITY_DAEMON = 3 << 3;
const WARNING = 4;
/** Longer lines are cut into several by logger; rsyslog takes 8 KiB, headers included, unless configured. */
const MAX_LINE_BYTES = 4096;
/** Most lines queued while syslog does not read; further ones are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** logger sends a line within milliseconds; lines handed to it later than this before it died may be lost. */
const UNSURE_MS = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** How long the program waits at its end for the last lines, milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

type Child = ChildProcess & { readonly stdin: Writable; readonly stderr: Readable };
type Line = { readonly severity: number; readonly text: string; takenAt?: number };

export type SyslogOptions = {
  /** Where syslogd listens; logger's own choice (/dev/log) when undefined. */
  readonly socket?: string | undefined;
  /** Receives the lines that syslog does not take. */
  readonly fallback: (severity: number, text: string) => void;
  /** Called once each time syslog becomes unavailable, with a message for people. */
  readonly onUnreachable: (message: string) => void;
};

/**
 * Sends lines to syslog through a `logger` process, since Node has no datagram Unix sockets. When the process ends it is
 * restarted, at once if it had worked and with back-off if not; meanwhile lines go to the fallback. A line that may have
 * been lost with the process is sent again: it may appear twice, but is never lost.
 */
export class Syslog {
  readonly #options: SyslogOptions;
  #child: Child | undefined;
  #sent: Line[] = [];
  #dropped = 0;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #reported = false;
  #closingSince: number | undefined;
  #ended: (() => void) | undefined;

  constructor(options: SyslogOptions) {
    this.#options = options;
    this.#start();
  }

  write(severity: number, text: string): void {
    if (this.#child === undefined || this.#closingSince !== undefined) {
      this.#options.fallback(severity, text);
      return;
    }
    if (this.#child.stdin.writableLength > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#send(this.#child, { severity, text });
  }

  /** Resolves when every line has reached syslog or the fallback. */
  async close(): Promise<void> {
    this.#closingSince = Date.now();
    clearTimeout(this.#retry);
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    const timeout = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
      child.stdin.end();
    });
    clearTimeout(timeout);
  }

  #start(): void {
    const { socket } = this.#options;
    const child: ChildProcess = spawn(
      'logger',
      [
        '--prio-prefix',
        // Without this option a missing socket is not an error, and every line is silently lost.
        '--socket-errors=on',
        // Not --id: it sends another process's id, and without CAP_SYS_ADMIN every line is then lost, with exit code 0.
        `--tag=${TAG}[${process.pid}]`,
        `--size=${MAX_LINE_BYTES}`,
        ...(socket === undefined ? [] : [`--socket=${socket}`]),
      ],
      // Its own session: Ctrl-C must not end it before the last lines.
      { stdio: ['pipe', 'ignore', 'pipe'], detached: true },
    );
    if (!hasPipes(child)) {
      child.once('error', ({ message }) => this.#onEnd({ reason: message, clean: false, aliveMs: 0 }));
      return;
    }
    const startedAt = Date.now();
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-500);
    });
    child.on('error', (error) => {
      complaint = error.message;
    });
    // EPIPE adds nothing to the process's exit event.
    child.stdin.on('error', () => {});
    child.stdin.on('drain', () => this.#reportDropped(child));
    child.once('close', (code, signal) => {
      const reason = complaint.trim() || `logger ended with ${signal ?? `exit code ${code}`}`;
      this.#onEnd({ reason, clean: code === 0, aliveMs: Date.now() - startedAt });
    });
    // A finished program may end; close() waits for the lines.
    child.unref();
    for (const stream of [child.stdin, child.stderr]) unrefStream(stream);
    this.#child = child;
  }

  #send(child: Child, line: Line): void {
    const sure = Date.now() - UNSURE_MS;
    const firstUnsure = this.#sent.findIndex(({ takenAt }) => takenAt === undefined || takenAt > sure);
    this.#sent.splice(0, firstUnsure === -1 ? this.#sent.length : firstUnsure);
    this.#sent.push(line);
    child.stdin.write(`<${FACILITY_DAEMON | line.severity}>${line.text}\n`, (error) => {
      if (!error) line.takenAt = Date.now();
    });
  }

  #onEnd({ reason, clean, aliveMs }: { reason: string; clean: boolean; aliveMs: number }): void {
    this.#child = undefined;
    const sure = (this.#closingSince ?? Date.now()) - UNSURE_MS;
    const unsure = this.#sent.filter(({ takenAt }) => takenAt === undefined || takenAt > sure);
    this.#sent = [];
    if (this.#closingSince !== undefined) {
      if (!clean) this.#giveUp(reason, unsure);
      if (this.#dropped > 0) this.#options.fallback(WARNING, droppedText(this.#dropped));
      this.#ended?.();
    } else if (aliveMs >= UNSURE_MS) {
      this.#retryMs = FIRST_RETRY_MS;
      this.#reported = false;
      this.#start();
      for (const { severity, text } of unsure) this.write(severity, text);
    } else {
      this.#giveUp(reason, unsure);
      this.#retry = setTimeout(() => this.#start(), this.#retryMs).unref();
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  #giveUp(reason: string, lines: readonly Line[]): void {
    if (!this.#reported) this.#options.onUnreachable(`syslog can't be reached (${reason})`);
    this.#reported = true;
    for (const { severity, text } of lines) this.#options.fallback(severity, text);
  }

  #reportDropped(child: Child): void {
    if (this.#dropped === 0) return;
    const text = droppedText(this.#dropped);
    this.#dropped = 0;
    this.#send(child, { severity: WARNING, text });
  }
}

function droppedText(count: number): string {
  return `log lines dropped because syslog stood still count=${count}`;
}

/** Node leaves the pipes out, whatever the types say, when the process is out of file descriptors. */
function hasPipes(child: ChildProcess): child is Child {
  return Boolean(child.stdin && child.stderr);
}

/** The pipes of a child are sockets, which the types of node:child_process don't say. */
function unrefStream(stream: Readable | Writable): void {
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
}
