import { createHash } from 'node:crypto';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import type { AgentReport, FromMain } from '#protocol/messages/session.ts';
import { PROTOCOL } from '#protocol/version.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { systemClock } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import { unpackFiles } from '#sync/transfer/unpack.ts';
import { AgentSession } from '../../../agent/connection/agentSession.ts';
import type { Dialled } from '../../../agent/connection/dial.ts';
import type { SharedManifests } from './sharedManifests.ts';

type Changes = Extract<FromMain, { type: 'changes' }>;

/**
 * An agent without files: it has all that Main has as far as Main can tell, fetches and verifies what changes, and
 * reports it. So one process holds many, and what they cost Main is measured.
 */
export class SimulatedAgent {
  /** Resolves when it has Main's manifests, by comparison or as a whole. */
  readonly ready: Promise<void>;
  readonly #name: string;
  readonly #session: AgentSession;
  readonly #manifests: SharedManifests;
  readonly #awaited = new Set<string>();
  readonly #isReady = Promise.withResolvers<void>();
  readonly #onContent: (path: string) => void;

  /** @param onContent is called with each path whose new content has come whole */
  constructor(
    name: string,
    { socket }: Pick<Dialled, 'socket'>,
    manifests: SharedManifests,
    onContent: (path: string) => void,
  ) {
    this.#name = name;
    this.#manifests = manifests;
    this.#onContent = onContent;
    this.ready = this.#isReady.promise;
    const ignore = (): void => undefined;
    this.#session = new AgentSession(socket, systemClock, {
      bandwidth: () => ({ rate: 0 }),
      handlers: () => ({
        welcome: ({ directories }) => this.#begin(directories.map((each) => each.name)),
        refused: ({ reason }) => this.#fail(reason),
        'next-identity': ignore,
        'manifest-begin': (message) => manifests.begin(this, message),
        'manifest-page': (message) => manifests.page(this, message),
        'manifest-end': (message) => this.#end(message),
        changes: (message) => void this.#change(message).catch((error: unknown) => this.#fail(String(error))),
        'folder-renamed': ignore,
        check: ignore,
        paused: ignore,
        command: ({ id }) => this.#session.send({ type: 'answer', id, ok: true, lines: [] }),
      }),
      onClose: (reason) => this.#fail(reason),
    });
    this.#session.send({
      type: 'hello',
      protocol: PROTOCOL,
      version: VERSION,
      state: { stateId: name, sequence: 1, runs: [] },
      directories: ['dialplan', 'moh', 'sounds', 'recordings'],
      capabilities: [...AGENT_CAPABILITIES],
    });
  }

  #begin(directories: readonly string[]): void {
    for (const name of directories) {
      this.#awaited.add(name);
      this.#session.wantManifest(name, this.#manifests.request(this, name));
    }
  }

  #end(message: Extract<FromMain, { type: 'manifest-end' }>): void {
    this.#manifests.end(this, message);
    this.#awaited.delete(message.directory);
    if (this.#awaited.size > 0) return;
    this.#report();
    this.#isReady.resolve();
  }

  async #change(message: Changes): Promise<void> {
    this.#manifests.change(message);
    for (const { path, shown } of message.items) {
      if (shown.kind !== 'settled' || shown.entry.type !== 'file') continue;
      await this.#fetch(message.directory, path, shown.entry);
      this.#onContent(path);
    }
    this.#report();
  }

  async #fetch(directory: string, path: string, { hash, size }: FileEntry): Promise<void> {
    const received = createHash('sha256');
    let isThere = false;
    await unpackFiles(this.#session.get(directory, [{ path, hash, size }], false), [size], () => ({
      write: (chunk) => void received.update(chunk),
      end: () => void (isThere = true),
      refuse: (why) => this.#fail(why),
    }));
    if (!isThere || received.digest('hex') !== hash) this.#fail(`the content of ${path} did not come whole`);
  }

  #report(): void {
    const report: AgentReport = {
      type: 'report',
      sequence: 1,
      directories: this.#manifests.reports(),
      clockOffsetMs: 0,
      lastReconcile: null,
      reloads: [],
      owedReloads: [],
      errors: [],
    };
    this.#session.send(report);
  }

  #fail(why: string): void {
    throw new Error(`${this.#name}: ${why}`);
  }
}
