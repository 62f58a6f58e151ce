import * as z from 'zod';
import type { MediaServersConfig } from '../config/controllerConfig.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { Tasks } from '#host/process/tasks.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { jitter } from '#host/time/jitter.ts';
import { fromHttp } from './fromHttp.ts';
import { fromPostgres } from './fromPostgres.ts';
import type { MediaServer } from './mediaServer.ts';

/** How often the list is read, milliseconds. */
const EVERY = 15_000;
const META = 'media-servers';

const kept = z.array(z.object({ name: z.string(), voipIp: z.string().nullable() }));

export type MediaServersOptions = {
  readonly config: MediaServersConfig;
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the list has changed. */
  readonly onChange: () => void;
};

/** The list of MDS from XiVO. If it can't be read, the last one is used, also after a restart of Main. */
export class MediaServers {
  readonly #options: MediaServersOptions;
  readonly #stop = new AbortController();
  readonly #tasks: Tasks;
  #servers: ReadonlyMap<string, MediaServer> | undefined;
  /** The list as it was read. */
  #text: string | undefined;
  #problem: string | undefined;

  constructor(options: MediaServersOptions) {
    this.#options = options;
    const { log } = options;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    if (options.config.source === 'enrolled') return;
    const known = options.db.meta(META);
    if (known === undefined) return;
    this.#text = known;
    const list = kept.safeParse(options.db.readJson(known));
    // Until it is read again, there is no list.
    if (list.success) this.#servers = byName(list.data);
  }

  start(): void {
    if (this.#options.config.source === 'enrolled') return;
    this.#tasks.run("XiVO's list of media servers is not read any more", () => this.#readForever());
  }

  /** Resolves when it is not being read any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#tasks.ended();
  }

  /** The MDS in the list; undefined when there is no list. */
  get servers(): ReadonlyMap<string, MediaServer> | undefined {
    return this.#servers;
  }

  /** Why the list could not be read the last time. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The reason why an enrolled MDS may not connect now, if any. */
  whySuspended(name: string): string | undefined {
    if (this.#servers === undefined || this.#servers.has(name)) return undefined;
    return `${name} is suspended: it is not in XiVO's list of media servers any more (${this.#options.config.source}). Put it back there, or run "xivo-xds-sync mds remove ${name}"`;
  }

  async #readForever(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#read();
      await pause(this.#options.clock, jitter(EVERY), signal);
    }
  }

  async #read(): Promise<void> {
    const { db, keeper, log, config } = this.#options;
    try {
      const servers = await ask(config, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      if (this.#problem !== undefined) log.info("XiVO's list of media servers can be read again");
      this.#problem = undefined;
      const text = JSON.stringify(servers);
      if (text === this.#text) return;
      keeper.write(() => db.setMeta(META, text));
      this.#text = text;
      this.#servers = byName(servers);
      log.info("XiVO's list of media servers", { names: servers.map(({ name }) => name).join(',') });
      this.#options.onChange();
    } catch (error) {
      const problem = reason(error);
      if (this.#stop.signal.aborted) return;
      if (problem !== this.#problem)
        log.error("XiVO's list of media servers can't be read; the last one counts", { problem });
      this.#problem = problem;
    }
  }
}

async function ask(config: MediaServersConfig, signal: AbortSignal): Promise<MediaServer[]> {
  switch (config.source) {
    case 'http':
      return fromHttp(config.url, config.token, signal);
    case 'postgres':
      return fromPostgres(config.url, config.query, signal);
    case 'enrolled':
      return [];
  }
}

function byName(servers: readonly MediaServer[]): ReadonlyMap<string, MediaServer> {
  return new Map(servers.map((server) => [server.name, server]));
}

/** `fetch failed` and similar messages say nothing; their cause does. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  return error.cause === undefined ? error.message : `${error.message}: ${reason(error.cause)}`;
}
