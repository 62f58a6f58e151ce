import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { DirectoryPolicy, PlannedAction } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { Owners } from '#host/fs/owners.ts';
import { createLogger } from '#host/log/logger.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { Database } from '#sync/state/database.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { AgentDirectory } from '../../../agent/directory/agentDirectory.ts';
import { MainPlayed } from './agentPlace.ts';
import { memoryFolder } from './memoryFolder.ts';

export type MdsOptions = {
  readonly policy?: Partial<DirectoryPolicy>;
  /** Their content by path; undefined where there is not even the directory. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly ledger?: Readonly<Record<string, Entry>>;
  readonly clock?: Clock;
};

/** A directory of an MDS, and the Main that it is compared with. */
export class Mds {
  readonly root: string;
  readonly db: Database;
  readonly main: MainPlayed;
  directory: AgentDirectory;
  readonly log: string[] = [];
  /** What change sets did here, for the history. */
  readonly done: PlannedAction[] = [];
  news = 0;
  readonly #open: () => AgentDirectory;
  #connection = new AbortController();

  constructor(
    t: TestContext,
    { policy = {}, files = {}, ledger = {}, clock = systemClock }: MdsOptions = {},
  ) {
    const folder = memoryFolder();
    this.root = path.join(folder, 'files');
    if (files !== undefined) mkdirSync(this.root);
    for (const [name, content] of Object.entries(files)) this.write(name, content);
    this.db = new Database(path.join(folder, 'state.sqlite'));
    const known = new Ledger(this.db, 'files');
    this.db.transaction(() => Object.entries(ledger).forEach(([name, entry]) => known.set(name, entry)));
    this.main = new MainPlayed(t);
    const nothing = (): void => undefined;
    this.#open = () =>
      new AgentDirectory({
        policy: {
          name: 'files',
          direction: 'to-mds',
          deletions: 'main',
          settle: 0,
          reload: 'none',
          reloadAlways: false,
          lint: 'off',
          ...policy,
        },
        guard: { percent: 50, files: 2 },
        place: {
          path: this.root,
          nested: new Set(['nested']),
          db: this.db,
          owners: new Owners(),
          clock,
          reserve: 0,
          log: createLogger('warn', ({ event }) => this.log.push(event)),
        },
        activation: undefined,
        events: {
          remember: (write) => write(),
          news: () => (this.news += 1),
          applied: nothing,
          done: (_changeSet, actions) => void this.done.push(...actions),
          changedHere: nothing,
        },
      });
    this.directory = this.#open();
    t.after(async () => {
      await this.directory.close();
      this.db.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** The agent is started again. */
  async restart(): Promise<void> {
    await this.directory.close();
    this.directory = this.#open();
  }

  /** The connection to Main ends. */
  lose(): void {
    this.#connection.abort();
    this.directory.detach();
  }

  /** A connection to Main opens. */
  attach(additive?: string, paused = false): void {
    this.#connection = new AbortController();
    const session = Object.assign(this.main.session, {
      isOpen: true,
      signal: this.#connection.signal,
      wantManifest: () => undefined,
      violation: (what: string) => assert.fail(what),
    });
    this.directory.attach(session, paused, additive);
  }

  /** Main's manifest arrives, and is worked off. @param root Main's directory itself */
  async mainSays(entries: Readonly<Record<string, Entry>>, root: Entry | null = null): Promise<void> {
    const { manifest } = this.directory;
    manifest.begin({ type: 'manifest-begin', directory: 'files', revision: 1, held: null, root });
    const items = Object.entries(entries).map(([name, entry]) => ({
      path: name,
      shown: { kind: 'settled' as const, entry },
    }));
    manifest.page({ type: 'manifest-page', directory: 'files', items });
    manifest.end({ type: 'manifest-end', directory: 'files', revision: 1, sequence: 1 });
    await manifest.whenHere();
    await this.directory.whenIdle();
  }

  write(name: string, content: string): void {
    const file = path.join(this.root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  read(name: string): string | undefined {
    const file = path.join(this.root, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}

/** What is on disk there, as Main would have it. */
export async function scanned(mds: Mds): Promise<Record<string, Entry>> {
  await mds.directory.readAgain();
  const { replica } = mds.directory;
  return Object.fromEntries(
    [...replica.paths()].map((name) => {
      const state = replica.get(name);
      assert.ok(state?.kind === 'settled');
      return [name, state.entry];
    }),
  );
}
