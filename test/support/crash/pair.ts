import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentDirectory } from '../../../agent/directory/agentDirectory.ts';
import { mainMessages } from '../../../agent/daemon/mainMessages.ts';
import { AGENT_CAPABILITIES, MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import type { AgentSession } from '../../../agent/connection/agentSession.ts';
import { MainDirectory } from '../../../controller/directories/mainDirectory.ts';
import { acceptOffers } from '../../../controller/sessions/offers/accept.ts';
import { ManifestSender } from '../../../controller/sessions/manifest/manifestSender.ts';
import type { Offer, StepResult } from '#protocol/messages/common.ts';
import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import { Database } from '#sync/state/database.ts';
import { systemClock } from '#host/time/clock.ts';
import { dispatch } from '#wire/handlers.ts';
import { IncomingStream } from '#wire/incomingStream.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { ArchiveParts } from '#sync/transfer/packing/archiveParts.ts';
import { packArchive } from '#sync/transfer/packing/packArchive.ts';

export type Terms = { readonly direction: 'to-mds' | 'both'; readonly deletions: 'main' | 'both' | 'never' };

type Offers = readonly Offer[];

const DIRECTORY = 'files';

/** Where a pair keeps its things. */
export function placesIn(folder: string) {
  return {
    directory: DIRECTORY,
    main: path.join(folder, 'main/files'),
    mds: path.join(folder, 'mds/files'),
    mainState: path.join(folder, 'main/state.db'),
    mdsState: path.join(folder, 'mds/state.db'),
  };
}

/** One directory on Main and on one MDS, in this process, joined by function calls where the network would be. */
export class Pair {
  readonly main: MainDirectory;
  readonly mds: AgentDirectory;
  readonly log: string[] = [];
  /** Entries of Main's manifest that were sent when the MDS connected. */
  manifestItems = 0;
  /** Called when Main has confirmed a file to the MDS. */
  onTaken: (path: string, hash: string) => void = () => undefined;
  readonly #mainDb: Database;
  readonly #mdsDb: Database;
  readonly #owners = new Owners();
  readonly #manifests: ManifestSender;
  #attached = true;
  #isGranted = false;

  constructor(folder: string, terms: Terms) {
    const places = placesIn(folder);
    for (const each of [places.main, places.mds]) mkdirSync(each, { recursive: true });
    this.#mainDb = new Database(places.mainState);
    this.#mdsDb = new Database(places.mdsState);
    const common = { nested: new Set<string>(), owners: this.#owners, clock: systemClock, reserve: 0 };
    this.main = new MainDirectory({
      versions: undefined,
      archiveParts: new ArchiveParts(systemClock),
      config: {
        name: DIRECTORY,
        path: places.main,
        ...terms,
        reload: 'none',
        reloadAlways: false,
        lint: 'off',
        exclude: [],
        settleMs: 0,
      },
      place: { ...common, path: places.main, db: this.#mainDb, log: this.#logger('main') },
      onRevision: (revision) => void this.#manifests.announce(revision),
      onFolderRenamed: (renamed) => this.#manifests.announceFolderRename(renamed),
      root: '',
      onFinding: () => undefined,
    });
    this.#manifests = this.#sender();
    this.mds = new AgentDirectory({
      policy: { name: DIRECTORY, ...terms, settle: 0, reload: 'none', reloadAlways: false, lint: 'off' },
      guard: { percent: 100, files: 1000 },
      place: { ...common, path: places.mds, db: this.#mdsDb, log: this.#logger('mds') },
      events: {
        remember: (write) => write(),
        news: () => undefined,
        applied: () => undefined,
        done: () => undefined,
        changedHere: () => undefined,
      },
      activation: undefined,
    });
  }

  /** Starts both sides as their daemons do, and works until both are idle. */
  async start(): Promise<void> {
    await this.main.start();
    await this.main.replica.whenQuiet(3_000);
    this.mds.attach(this.#session(), false, undefined);
    while (!this.mds.isSettledWithMain) await sleep(1);
    await this.settle();
  }

  /** What `adopt` of Main does: the MDS gives files, live or of its trash, which Main takes in a one-way directory, too. */
  async adopt(files: Parameters<AgentDirectory['own']['give']>[0]): Promise<void> {
    this.#isGranted = true;
    try {
      await this.mds.own.give(files);
    } finally {
      this.#isGranted = false;
    }
  }

  /** Reads both sides again and works until nothing is left to be done. */
  async settle(): Promise<void> {
    await this.main.replica.rescan();
    await this.main.replica.whenQuiet(3_000);
    await this.mds.passes.run(false);
    await this.main.replica.whenQuiet(3_000);
  }

  async close(): Promise<void> {
    this.#attached = false;
    await Promise.all([this.mds.close(), this.main.close()]);
    this.#mainDb.close();
    this.#mdsDb.close();
  }

  #sendManifest(have: string | undefined): void {
    this.#manifests.send(this.main, have).catch((error: unknown) => this.log.push(`main ${String(error)}`));
  }

  #sender(): ManifestSender {
    const send = (message: FromMain): void => {
      if (message.type === 'manifest-page') this.manifestItems += message.items.length;
      if (!this.#attached || !('directory' in message)) return;
      const handlers = mainMessages({
        directories: new Map([[this.mds.name, this.mds]]),
        trust: { hear: () => undefined },
        onCommand: () => undefined,
      });
      dispatch<Extract<FromMain, { directory: string }>>(handlers, message.type, message);
    };
    const sender = new ManifestSender({
      line: {
        isOpen: true,
        send,
        sendText: (text) => send(JSON.parse(text) as FromMain),
        sendAndWait: async (message) => send(message),
      },
      sequence: () => 0,
      hold: () => null,
      saveOf: () => null,
    });
    sender.speakTo(new Set(AGENT_CAPABILITIES));
    return sender;
  }

  /** The agent's end of the wire: what it says reaches Main's code by function calls. */
  #session(): AgentSession {
    const session = {
      clockOffset: { known: true, nanoseconds: 0n, milliseconds: 0 },
      isOpen: true,
      mainCapabilities: new Set<string>(MAIN_CAPABILITIES),
      send: (message: FromAgent) => {
        if (message.type === 'want-manifest') setImmediate(() => this.#sendManifest(message.have));
      },
      signal: new AbortController().signal,
      wantManifest: (_directory: string, have?: string) => void setImmediate(() => this.#sendManifest(have)),
      violation: (what: string) => {
        throw new Error(what);
      },
      get: (_directory: string, items: Extract<FromAgent, { type: 'get' }>['items']) => {
        const { stream, out } = wire();
        const files = items.map(({ path, size, hash }) => {
          const state = this.main.replica.get(path);
          const same = state?.kind === 'settled' && state.entry.type === 'file' && state.entry.hash === hash;
          const stamp = this.main.replica.stampAt(path) ?? '';
          return { path, size, stamp, ...(!same && { refusal: 'changed on Main' }) };
        });
        packArchive(this.main.replica.path, files, out).catch((error: unknown) => stream.fail(String(error)));
        return stream;
      },
      whileAtWork: (_stream: number, work: Promise<void>) => work,
      offer: (_directory: string, offers: Offers) => {
        const { stream, out } = wire();
        const taking = {
          mds: 'mds',
          owners: this.#owners,
          record: () => undefined,
          isGranted: this.#isGranted,
        };
        const results = acceptOffers(this.main, offers, stream, taking).then((done) => {
          this.main.adopt(done.outcomes, { actor: 'mds', save: '' });
          this.#tellTaken(offers, done.results);
          return done.results;
        });
        return { out, results };
      },
    };
    return session as unknown as AgentSession;
  }

  #tellTaken(offers: Offers, results: readonly StepResult[]): void {
    for (const offer of offers) {
      const done = results.some(({ path, result }) => path === offer.path && result === 'done');
      if (done && (offer.op === 'put' || offer.op === 'keep') && offer.entry.type === 'file')
        this.onTaken(offer.path, offer.entry.hash);
    }
  }

  #logger(side: string): Logger {
    const add =
      (level: string) =>
      (event: string, details?: object): void => {
        const { error, ...rest } = (details ?? {}) as { error?: Error };
        this.log.push(`${side} ${level} ${event} ${JSON.stringify(rest)} ${error?.stack ?? ''}`);
      };
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: add('warn'),
      error: add('error'),
      child: () => logger,
    };
    return logger;
  }
}

function wire(): { stream: IncomingStream; out: OutgoingStream } {
  const nothing = (): void => undefined;
  const stream = new IncomingStream({ grant: nothing, cancel: nothing, done: nothing, clock: systemClock });
  const out = {
    signal: new AbortController().signal,
    write: (bytes: Uint8Array) => {
      if (bytes.length > 0) stream.push(Buffer.from(bytes));
      return Promise.resolve();
    },
    end: () => Promise.resolve(stream.end()),
    abort: (reason: string) => stream.fail(reason),
  };
  return { stream, out: out as unknown as OutgoingStream };
}
