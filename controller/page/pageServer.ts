import { statfs } from 'node:fs/promises';
import { formatHostPort, type HostPort } from '#host/config/hostPort.ts';
import type { Served } from '../config/observation.ts';
import { statusOf } from '../control/status/status.ts';
import type { Status } from '../control/contract/contract.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Controller } from '../daemon/controller.ts';
import { BehindHistory } from './behindHistory.ts';
import { ClientFiles } from './clientFiles.ts';
import type { TrashListing } from './overview.ts';
import { LiveEvents } from './liveEvents.ts';
import { changeSetDetails, overviewOf, trashListing } from './pageData.ts';
import { pathOf, type Route, say, sendJson, WebServer } from './webServer.ts';

/** Serves the page and the metrics over HTTP, on one address or on two. */
export class PageServer {
  readonly #controller: Controller;
  readonly #metrics: Metrics | undefined;
  readonly #behind = new BehindHistory();
  readonly #events: LiveEvents;
  readonly #servers: WebServer[] = [];
  #listing: Promise<TrashListing> | undefined;

  /** @param metrics undefined when metrics are disabled */
  constructor(controller: Controller, metrics: Metrics | undefined) {
    this.#metrics = metrics;
    this.#controller = controller;
    this.#events = new LiveEvents(
      () => overviewOf(controller, this.#behind),
      (error) => controller.log.error('the page could not be brought up to date', { error }),
    );
  }

  /** Records the lag of every MDS, for the sparklines. Called about once a second. */
  sample(status: Status): void {
    this.#behind.sample(status, this.#controller.clock.now());
  }

  /**
   * Serves what is enabled. @param alone true when nothing else shares this machine: unconfigured services are then
   * served, too
   */
  async start(alone: boolean): Promise<void> {
    const { page, metrics } = this.#controller.config;
    const isOn = ({ enabled }: Served): boolean => enabled ?? alone;
    const shared =
      isOn(page) && isOn(metrics) && formatHostPort(page.listen) === formatHostPort(metrics.listen);
    if (isOn(page))
      await this.#serve(
        'page',
        page.listen,
        new Map([...this.#pageRoutes(), ...(shared ? this.#metricsRoutes() : [])]),
      );
    if (isOn(metrics) && !shared)
      await this.#serve('metrics', metrics.listen, new Map(this.#metricsRoutes()));
  }

  async close(): Promise<void> {
    this.#events.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  async #serve(what: string, address: HostPort, routes: ReadonlyMap<string, Route>): Promise<void> {
    const { log } = this.#controller;
    // Prometheus may use any host name; the page must only answer to names that no other web site can have.
    const server = new WebServer(routes, { log, anyHost: what === 'metrics' });
    if (!(await server.listen(address))) return;
    this.#servers.push(server);
    log.info('serving', { what, url: `http://${formatHostPort(address)}/${what === 'page' ? '' : what}` });
  }

  #pageRoutes(): [string, Route][] {
    const controller = this.#controller;
    const client = new ClientFiles();
    const file: Route = (request, response) => client.answer(request, response);
    return [
      ['/', file],
      ['/page.js', file],
      ['/page.css', file],
      ['/api/events', (request, response) => this.#events.answer(request, response)],
      [
        '/api/overview',
        async (_request, response) => sendJson(response, await overviewOf(controller, this.#behind)),
      ],
      ['/api/trash', async (_request, response) => sendJson(response, await this.#trash())],
      [
        '/api/change/',
        (request, response) => {
          const id = decoded(pathOf(request.url ?? '').slice('/api/change/'.length));
          const details = id === undefined ? undefined : changeSetDetails(controller, id);
          return details === undefined
            ? say(response, 404, 'unknown change set')
            : sendJson(response, details);
        },
      ],
    ];
  }

  /** Each request queries every MDS, so concurrent visitors share one result. */
  #trash(): Promise<TrashListing> {
    this.#listing ??= trashListing(this.#controller).finally(() => (this.#listing = undefined));
    return this.#listing;
  }

  #metricsRoutes(): [string, Route][] {
    const controller = this.#controller;
    const metrics = this.#metrics;
    if (metrics === undefined) return [];
    return [
      [
        '/metrics',
        async (_request, response) => {
          const text = await metrics.text(
            statusOf(controller),
            {
              scanMs: controller.passes.scanMs,
              watchOverflows: [...controller.directories.values()].reduce(
                (sum, each) => sum + each.watchOverflows,
                0,
              ),
              stateFails: controller.keeper.trouble !== undefined,
              freeBytes: await freeBytes(controller),
            },
            controller.clock.now(),
          );
          response.writeHead(200, { 'Content-Type': metrics.contentType });
          response.end(text);
        },
      ],
    ];
  }
}

/** Free space of each directory; a directory that can't be read is omitted. */
async function freeBytes({ directories }: Controller): Promise<Map<string, number>> {
  const free = new Map<string, number>();
  for (const { name, replica } of directories.values()) {
    try {
      const { bavail, bsize } = await statfs(replica.path);
      free.set(name, bavail * bsize);
    } catch {
      // It is missing, which is a separate condition.
    }
  }
  return free;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
