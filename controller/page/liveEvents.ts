import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Overview } from './overview.ts';
import { say } from './webServer.ts';

/** Most open pages. */
const MAX_PAGES = 64;
/** Interval of checks for changes while a page is open, milliseconds. */
const LOOK_EVERY = 400;
/** Interval of signs of life, milliseconds: the page treats twelve seconds of silence as a lost connection. */
const ALIVE_EVERY = 5_000;
/** Most bytes buffered for one page; a slower page is disconnected and reconnects. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Server-sent events: sends the overview to every open page when it has changed. */
export class LiveEvents {
  readonly #overview: () => Promise<Overview>;
  readonly #pages = new Set<ServerResponse>();
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #last = '';
  #lastSent = 0;
  #looking = false;

  constructor(overview: () => Promise<Overview>, onError: (error: unknown) => void) {
    this.#overview = overview;
    this.#onError = onError;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#pages.size >= MAX_PAGES) return say(response, 503, 'too many pages are open already');
    const first = JSON.stringify(await this.#overview());
    if (request.destroyed || response.destroyed) return;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write(`event: overview\ndata: ${first}\n\n`);
    this.#pages.add(response);
    response.once('close', () => this.#leave(response));
    this.#timer ??= setInterval(() => {
      this.#look().catch(this.#onError);
    }, LOOK_EVERY).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const page of this.#pages) page.destroy();
  }

  #leave(page: ServerResponse): void {
    this.#pages.delete(page);
    if (this.#pages.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const text = JSON.stringify(await this.#overview());
      // The time when an MDS was last seen changes constantly, and is not sent for itself.
      const news = text.replace(/"lastSeen":"[^"]*"/g, '');
      if (news !== this.#last) this.#send(`event: overview\ndata: ${text}\n\n`);
      else if (performance.now() - this.#lastSent > ALIVE_EVERY) this.#send('event: alive\ndata:\n\n');
      this.#last = news;
    } finally {
      this.#looking = false;
    }
  }

  #send(text: string): void {
    this.#lastSent = performance.now();
    for (const page of this.#pages) {
      if (page.writableLength > MAX_WAITING) page.destroy();
      else page.write(text);
    }
  }
}
