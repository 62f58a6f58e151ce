import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { formatHostPort, type HostPort } from '#host/config/hostPort.ts';
import type { Logger } from '#host/log/logger.ts';

/** The handler of a path. @throws nothing that a visitor may cause; other errors are answered with 500 and logged */
export type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Exact paths, and prefixes that end with a slash. */
export type Routes = ReadonlyMap<string, Route>;

/** Most parallel connections: a page uses one or two. */
const MAX_CONNECTIONS = 256;
/** Time limit for receiving a request, milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** Prevents pages of other origins from using, framing or scripting this one; this one loads nothing from elsewhere. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/** Read-only HTTP: GET and HEAD of the paths in {@link Routes}. */
export class WebServer {
  readonly #server: Server;
  readonly #routes: Routes;
  readonly #log: Logger;
  readonly #anyHost: boolean;

  /**
   * @param options `anyHost`: answer requests for any host name; otherwise only loopback names, which prevents DNS
   * rebinding
   */
  constructor(routes: Routes, options: { readonly log: Logger; readonly anyHost: boolean }) {
    this.#routes = routes;
    this.#log = options.log;
    this.#anyHost = options.anyHost;
    this.#server = http.createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#log.error('a request of the page failed', { path: request.url, error });
        if (!response.headersSent) say(response, 500, 'this failed: see the log of xivo-xds-sync');
        else response.destroy();
      });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Listens, or logs why it can't: nothing else depends on it. @returns true when it listens */
  async listen(address: HostPort): Promise<boolean> {
    try {
      this.#server.listen({ host: address.host, port: address.port });
      await once(this.#server, 'listening');
    } catch (error) {
      this.#log.error('the page and the metrics are not served', { listen: formatHostPort(address), error });
      return false;
    }
    this.#server.on('error', (error) => this.#log.error('the page failed', { error }));
    return true;
  }

  /** Stops listening and closes every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => response.destroy());
    response.on('error', () => request.destroy());
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#anyHost && !isLoopbackName(request.headers.host ?? ''))
      return say(response, 421, 'ask for this page as localhost; a proxy has to send "Host: localhost"');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return say(response, 405, 'this page is read-only');
    const path = pathOf(request.url ?? '/');
    const folder = [...this.#routes.keys()].find(
      (key) => key.length > 1 && key.endsWith('/') && path.startsWith(key),
    );
    const route = this.#routes.get(path) ?? (folder === undefined ? undefined : this.#routes.get(folder));
    if (route === undefined) return say(response, 404, 'there is nothing here');
    await route(request, response);
  }
}

/** Answers with one line of plain text. */
export function say(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${line}\n`);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(value));
}

/** The path of the URL of a request, without its query, as written. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '/';
}

function isLoopbackName(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host);
}
