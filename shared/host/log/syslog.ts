import { Buffer } from 'node:buffer';
import { UnixDatagrams } from './unixDatagram.ts';

/** Tag of every line in syslog. */
const TAG = 'xivo-xds-sync';
/** LOG_DAEMON of syslog(3), shifted for a priority value. */
const FACILITY_DAEMON = 3 << 3;
const WARNING = 4;
/** Where syslogd listens, as syslog(3) has it. */
const DEFAULT_SOCKET = '/dev/log';
/** Longer lines are cut into several; rsyslog takes 8 KiB, headers included, unless configured. */
const MAX_LINE_BYTES = 4096;
/** Most that is queued while syslog does not read; further lines are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** How soon a syslog whose queue was full is tried again, milliseconds. The queue holds ten lines on many systems. */
const FIRST_RETRY_MS = 1;
const LONGEST_RETRY_MS = 100;
/** How long the program waits at its end for the last lines, milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

type Line = { readonly severity: number; readonly text: string };

export type SyslogOptions = {
  /** Where syslogd listens; /dev/log when undefined. */
  readonly socket?: string | undefined;
  /** Receives the lines that syslog does not take. */
  readonly fallback: (severity: number, text: string) => void;
  /** Called once each time syslog becomes unavailable, with a message for people. */
  readonly onUnreachable: (message: string) => void;
};

/**
 * Sends lines to syslog, in the form that syslog(3) uses. Without a syslogd they go to the fallback, and the first line
 * after its start reaches it again. While it stands still, lines wait in a bounded queue.
 */
export class Syslog {
  readonly #options: SyslogOptions;
  readonly #socket: string;
  readonly #datagrams = new UnixDatagrams();
  readonly #waiting: Line[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #reported = false;
  #drained: (() => void) | undefined;
  #isClosed = false;

  constructor(options: SyslogOptions) {
    this.#options = options;
    this.#socket = options.socket ?? DEFAULT_SOCKET;
  }

  write(severity: number, text: string): void {
    if (this.#isClosed) {
      this.#options.fallback(severity, text);
      return;
    }
    for (const piece of pieces(text)) this.#add({ severity, text: piece });
  }

  /** Resolves when every line has reached syslog or the fallback, within 2 s. */
  async close(): Promise<void> {
    if (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        const timeout = setTimeout(resolve, CLOSE_TIMEOUT_MS);
        this.#drained = () => {
          clearTimeout(timeout);
          resolve();
        };
        this.#retry?.ref();
      });
    }
    clearTimeout(this.#retry);
    this.#isClosed = true;
    if (this.#waiting.length > 0) this.#giveUp('it does not read');
    if (this.#dropped > 0) this.#options.fallback(WARNING, droppedText(this.#dropped));
    this.#datagrams[Symbol.dispose]();
  }

  #add(line: Line): void {
    if (this.#waiting.length === 0 && this.#send(line)) return;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.text.length;
    this.#retryLater();
  }

  /** @returns whether the line is done with: false when syslog's queue is full */
  #send({ severity, text }: Line): boolean {
    const header = `<${FACILITY_DAEMON | severity}>${timestamp(new Date())} ${TAG}[${process.pid}]: `;
    const error = this.#datagrams.send(this.#socket, Buffer.from(header + text));
    if (error === 'EAGAIN' || error === 'ENOBUFS') return false;
    if (error === undefined) this.#reported = false;
    else {
      this.#report(`${error}: ${this.#socket}`);
      this.#options.fallback(severity, text);
    }
    return true;
  }

  #retryLater(): void {
    // A program whose work is done may end; close() waits for the lines.
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#sendWaiting();
    }, this.#retryMs).unref();
    if (this.#drained !== undefined) this.#retry.ref();
  }

  #sendWaiting(): void {
    let sent = 0;
    for (const line of this.#waiting) {
      if (!this.#send(line)) break;
      this.#waitingBytes -= line.text.length;
      sent += 1;
    }
    this.#waiting.splice(0, sent);
    this.#retryMs = sent > 0 ? FIRST_RETRY_MS : Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    if (this.#waiting.length > 0) {
      this.#retryLater();
      return;
    }
    if (this.#dropped > 0) {
      const text = droppedText(this.#dropped);
      this.#dropped = 0;
      this.#add({ severity: WARNING, text });
    }
    if (this.#waiting.length === 0) this.#drained?.();
  }

  #giveUp(reason: string): void {
    this.#report(reason);
    for (const { severity, text } of this.#waiting.splice(0)) this.#options.fallback(severity, text);
  }

  #report(reason: string): void {
    if (!this.#reported) this.#options.onUnreachable(`syslog can't be reached (${reason})`);
    this.#reported = true;
  }
}

function droppedText(count: number): string {
  return `log lines dropped because syslog stood still count=${count}`;
}

/** Cuts between characters, never inside one. */
function pieces(text: string): string[] {
  if (text.length <= MAX_LINE_BYTES / 3) return [text];
  const bytes = Buffer.from(text);
  const cut: string[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(at + MAX_LINE_BYTES, bytes.length);
    while (end < bytes.length && isContinuation(bytes[end])) end -= 1;
    cut.push(bytes.toString('utf8', at, end));
    at = end;
  }
  return cut;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time as RFC 3164, section 4.1.2, has it: `Nov  6 07:08:09`. */
function timestamp(time: Date): string {
  const day = String(time.getDate()).padStart(2);
  return `${MONTHS[time.getMonth()]} ${day} ${time.toTimeString().slice(0, 8)}`;
}
