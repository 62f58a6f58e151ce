import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import type { StepResult } from '#protocol/messages/common.ts';
import type { FromAgent } from '#protocol/messages/session.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { Owners } from '#host/fs/owners.ts';
import { createLogger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { Database } from '#sync/state/database.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { unpackFiles } from '#sync/transfer/unpack.ts';
import type { AgentSession } from '../../../agent/connection/agentSession.ts';
import { AgreedState } from '../../../agent/directory/agreedState.ts';
import { MainManifest } from '../../../agent/directory/manifest/mainManifest.ts';
import { fileEntry } from './applyPlace.ts';
import { memoryFolder } from './memoryFolder.ts';
import { streamPair } from './streamPair.ts';

/** A file of so many bytes is large here: its transfer is gone on with. */
export const LARGE_FROM = 100_000;

/** One directory of an MDS on a disk of its own, as its jobs use it; it is not watched. */
export class AgentPlace {
  readonly place: DirectoryPlace;
  readonly db: Database;
  readonly sync: SyncDirectory;
  readonly mainManifest: MainManifest;
  readonly agreed: AgreedState;
  readonly owners = new Owners();
  /** Warnings and errors. */
  readonly log: string[] = [];
  /** Called before a change set becomes visible. */
  beforeShown: () => Promise<void> = () => Promise.resolve();

  private constructor(t: TestContext) {
    const folder = memoryFolder();
    const root = path.join(folder, 'files');
    mkdirSync(root);
    this.db = new Database(path.join(folder, 'state.sqlite'));
    this.place = {
      path: root,
      nested: new Set(['nested']),
      db: this.db,
      owners: this.owners,
      clock: systemClock,
      reserve: 0,
      largeFrom: LARGE_FROM,
      log: createLogger('warn', ({ event }) => this.log.push(event)),
    };
    const nothing = (): void => undefined;
    this.sync = new SyncDirectory(
      this.place,
      { name: 'files', settle: 0, emptyIsHeld: false, whole: false },
      {
        isExcluded: () => false,
        takeChanges: nothing,
        holdChanged: nothing,
        withLease: async (show) => {
          await this.beforeShown();
          return show();
        },
        recordRecovered: nothing,
        recovered: nothing,
        scanned: nothing,
        endWork: () => Promise.resolve(),
      },
    );
    this.mainManifest = new MainManifest(this.owners, new Set());
    this.agreed = new AgreedState(
      new Ledger(this.db, 'files'),
      this.db,
      this.mainManifest,
      this.sync.replica,
    );
    t.after(async () => {
      await this.sync.close();
      this.db.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** @param files their content by path */
  static async make(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<AgentPlace> {
    const place = new AgentPlace(t);
    for (const [name, content] of Object.entries(files)) place.write(name, content);
    await place.sync.readAgain();
    return place;
  }

  at(name: string): string {
    return path.join(this.place.path, name);
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
  }

  read(name: string): string | undefined {
    const stat = lstatSync(this.at(name), { throwIfNoEntry: false });
    return stat?.isFile() === true ? readFileSync(this.at(name), 'utf8') : undefined;
  }

  /** What was scanned at a path. */
  entry(name: string): Entry {
    const entry = entryOf(this.sync.replica.get(name));
    assert.ok(entry, `${name} is not there`);
    return entry;
  }

  file(name: string): FileEntry {
    const entry = this.entry(name);
    assert.ok(entry.type === 'file');
    return entry;
  }

  /** Main's manifest, as it has arrived. */
  mainHas(entries: Readonly<Record<string, Entry>>): void {
    this.mainManifest.begin(null, null);
    this.mainManifest.page(
      Object.entries(entries).map(([name, entry]) => ({ path: name, shown: { kind: 'settled', entry } })),
    );
    this.mainManifest.end(1);
  }
}

type Offered = Extract<FromAgent, { type: 'offer' }>['offers'][number];

/** Main, as an agent's jobs meet it: it has these files, and takes what is offered unless the test says otherwise. */
export class MainPlayed {
  readonly files = new Map<string, string>();
  readonly sent: FromAgent[] = [];
  /** What was offered, set by set. */
  readonly offered: Offered[][] = [];
  /** The contents that came with the offers. */
  readonly received: Buffer[] = [];
  readonly asked: string[] = [];
  /** Called when content is asked for, with its paths; it is sent afterwards. */
  beforeSent: (paths: readonly string[]) => Promise<void> = () => Promise.resolve();
  /** Called when the contents of a set of offers have been sent; their archive ends afterwards. */
  beforeEnd: () => Promise<void> = () => Promise.resolve();
  /** Called when a set of offers has arrived; it is answered afterwards. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  capabilities: ReadonlySet<string> = new Set(MAIN_CAPABILITIES);
  /** What Main has of a content, bytes. */
  resumeOffset = 0;
  result: (offer: Offered) => Omit<StepResult, 'path'> = () => ({ result: 'done' });
  /** Why the last archive broke off, if one did. */
  cut: string | undefined;
  /** The connection ends instead of an answer. */
  lost: Error | undefined;
  readonly #folder: string;

  constructor(t: TestContext) {
    this.#folder = memoryFolder();
    t.after(() => rmSync(this.#folder, { recursive: true }));
  }

  /** @returns its entry */
  has(name: string, content: string): FileEntry {
    this.files.set(name, content);
    return fileEntry(content);
  }

  get session(): AgentSession {
    const session = {
      clockOffset: { known: true, nanoseconds: 0n, milliseconds: 0 },
      mainCapabilities: this.capabilities,
      signal: new AbortController().signal,
      send: (message: FromAgent) => this.sent.push(message),
      whileAtWork: (_stream: number, work: Promise<unknown>) => work.then(() => this.beforeEnd()),
      resumeOffset: (_directory: string, hash: string) => {
        this.asked.push(hash);
        return Promise.resolve(this.resumeOffset);
      },
      get: (_directory: string, items: readonly { path: string; size: number }[]) => {
        const { stream, out } = streamPair();
        if (this.lost !== undefined) {
          stream.fail(this.lost.message);
          return stream;
        }
        const folder = mkdtempSync(path.join(this.#folder, 'get-'));
        const files = items.map(({ path: name, size }, number) => {
          const file = path.join(folder, String(number));
          writeFileSync(file, this.files.get(name) ?? '');
          const stamp = stampOf(lstatSync(file, { bigint: true }));
          return {
            path: String(number),
            size,
            stamp,
            ...(!this.files.has(name) && { refusal: 'changed on Main' }),
          };
        });
        this.beforeSent(items.map(({ path: name }) => name))
          .then(() => packFiles(folder, files, out))
          .catch((error: unknown) => stream.fail(String(error)));
        return stream;
      },
      offer: (_directory: string, offers: Offered[]) => {
        this.offered.push(offers);
        const { stream, out } = streamPair();
        return { out, results: this.#take(offers, stream) };
      },
    };
    return session as unknown as AgentSession;
  }

  async #take(offers: Offered[], stream: AsyncIterable<Uint8Array>): Promise<StepResult[]> {
    if (this.lost !== undefined) throw this.lost;
    const sizes = offers.flatMap((offer) =>
      (offer.op === 'put' || offer.op === 'keep') && offer.entry.type === 'file'
        ? [offer.entry.size - (offer.from ?? 0)]
        : [],
    );
    if (sizes.length > 0)
      await unpackFiles(stream as Parameters<typeof unpackFiles>[0], sizes, () => {
        const pieces: Uint8Array[] = [];
        return {
          write: (piece) => void pieces.push(Buffer.from(piece)),
          end: () => void this.received.push(Buffer.concat(pieces)),
          refuse: (why) => void this.received.push(Buffer.from(`refused: ${why}`)),
        };
      }).catch((error: Error) => {
        this.cut = error.message;
        throw error;
      });
    await this.beforeAnswer();
    return offers.map((offer) => ({ path: offer.path, ...this.result(offer) }));
  }
}
