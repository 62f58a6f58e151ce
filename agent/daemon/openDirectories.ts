import path from 'node:path';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { nestedInside } from '#core/path/nesting.ts';
import type { DialplanPlace } from '#host/dialplan/place.ts';
import type { DialplanReadings } from '#host/dialplan/readings.ts';
import { Owners } from '#host/fs/owners.ts';
import { Turns } from '#host/process/turns.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import type { Database } from '#sync/state/database.ts';
import { Activation } from '../asterisk/activation/activation.ts';
import { ReaderLease } from '../asterisk/activation/readerLease.ts';
import type { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import { type AgentConfig, usualPlaces } from '../config/agentConfig.ts';
import type { Welcome } from '../connection/reconnector.ts';
import { AgentDirectory } from '../directory/agentDirectory.ts';
import { placeOf } from '../directory/placeOf.ts';
import type { AgentHost, AgentState } from './agentHost.ts';
import type { OwnHistory } from './ownHistory.ts';

/** Database key: the paths of the directories. */
const PLACES = 'places';
const placesSchema = z.array(z.tuple([z.string(), z.string()]));

export type OpenDirectoriesOptions = {
  readonly config: () => AgentConfig;
  readonly host: AgentHost;
  readonly state: AgentState;
  readonly reloads: PendingReloads;
  readonly history: OwnHistory;
  readonly readings: DialplanReadings;
  readonly onNews: () => void;
};

/**
 * The directories that are synchronised on this MDS. Main defines them and their policies; this host's own
 * configuration may set their paths.
 */
export class OpenDirectories {
  readonly all = new Map<string, AgentDirectory>();
  /** Directories of Main that can't be opened here, and why. */
  unplaced: readonly { readonly name: string; readonly message: string }[] = [];
  /** Asterisk's configuration folder, once it has been determined. */
  configFolder: string | undefined;
  readonly #options: OpenDirectoriesOptions;
  readonly #owners = new Owners();
  readonly #thread: StagingThread;
  readonly #turns: Turns;
  /** The path of the dialplan, once Main has named the directory. */
  #dialplan: DialplanPlace | undefined;
  #opening: Promise<void> = Promise.resolve();
  #places: ReadonlyMap<string, string>;

  constructor(options: OpenDirectoriesOptions) {
    this.#options = options;
    const { host, state, config } = options;
    this.#thread = new StagingThread(host.clock);
    this.#turns = new Turns(host.clock);
    this.#places = remembered(state.db) ?? usualPlaces(config());
  }

  get dialplan(): DialplanPlace | undefined {
    return this.#dialplan && { ...this.#dialplan, configFolder: this.configFolder };
  }

  /** The path of each directory here, without the --root prefix, as last sent by Main, also before this start. */
  get places(): ReadonlyMap<string, string> {
    return this.#places;
  }

  /** Opens the directories of Main, and closes others; one connection after the other. */
  async open(welcome: Welcome, signal: AbortSignal): Promise<void> {
    this.#opening = this.#opening.catch(() => undefined).then(() => this.#openAll(welcome, signal));
    await this.#opening;
  }

  async close(): Promise<void> {
    await Promise.all([...this.all.values()].map((directory) => directory.close()));
    await this.#thread.close();
    this.#options.readings.forget();
  }

  async #openAll(welcome: Welcome, signal: AbortSignal): Promise<void> {
    const places = this.#placesOf(welcome.directories);
    const nested = nestedInside(places);
    for (const policy of welcome.directories) {
      if (signal.aborted) return;
      const place = places.get(policy.name);
      if (place === undefined) await this.#close(policy.name);
      else await this.#openOne(policy, welcome.guard, place, nested.get(policy.name) ?? new Set());
    }
    for (const name of this.all.keys()) {
      if (!welcome.directories.some((policy) => policy.name === name)) await this.#close(name);
    }
  }

  async #openOne(
    policy: DirectoryPolicy,
    guard: Welcome['guard'],
    place: string,
    nested: ReadonlySet<string>,
  ): Promise<void> {
    const { host, state, config, onNews } = this.#options;
    const { root, clock, log, largeFrom } = host;
    const { db, keeper } = state;
    const open = this.all.get(policy.name);
    if (open !== undefined && isSame(open, { policy, guard }, root.path(place), nested)) return;
    await open?.close();
    const activation = this.#activationOf(policy, place);
    const { reloads, history } = this.#options;
    const directory = new AgentDirectory({
      policy,
      guard,
      place: {
        path: root.path(place),
        nested,
        db,
        owners: this.#owners,
        clock,
        reserve: config().reserveBytes,
        largeFrom,
        thread: this.#thread,
        lane: policy.reload === 'dialplan' ? this.#turns.urgent : this.#turns.patient,
        log: log.child({ directory: policy.name }),
      },
      activation,
      events: {
        remember: (write) => keeper.write(write),
        news: onNews,
        applied: () => {
          if (activation?.isReadAgain !== false) reloads.add(policy.reload);
        },
        done: (changeSet, actions, how) => history.done(policy.name, changeSet, actions, how),
        changedHere: () => reloads.changedHere(policy.reload),
      },
    });
    this.all.set(policy.name, directory);
  }

  async #close(name: string): Promise<void> {
    await this.all.get(name)?.close();
    this.all.delete(name);
  }

  #placesOf(policies: readonly DirectoryPolicy[]): Map<string, string> {
    const { host, config } = this.#options;
    const { root, own } = host;
    const places = new Map<string, string>();
    const unplaced: { name: string; message: string }[] = [];
    for (const policy of policies) {
      const place = placeOf(policy, { ...config(), own, locate: (file) => root.path(file) });
      if ('path' in place) places.set(policy.name, place.path);
      else unplaced.push({ name: policy.name, message: place.refusal });
    }
    this.unplaced = unplaced;
    this.#places = places;
    const { db, keeper } = this.#options.state;
    const known = JSON.stringify([...places]);
    if (db.meta(PLACES) !== known) keeper.write(() => db.setMeta(PLACES, known));
    return places;
  }

  #activationOf(policy: DirectoryPolicy, asteriskPath: string): Activation | undefined {
    const kind = policy.reload;
    if (kind === 'none') return undefined;
    const { root, clock, log } = this.#options.host;
    const { reloads, readings } = this.#options;
    const place = { path: root.path(asteriskPath), asteriskPath, root: root.path('/') };
    if (kind === 'dialplan') this.#dialplan = place;
    const beside = path.dirname(place.path);
    const configFolders = (): string[] => [beside, ...(this.configFolder ? [this.configFolder] : [])];
    return new Activation({
      readers: kind === 'dialplan' ? new ReaderLease(configFolders, clock, log) : undefined,
      policy,
      kind,
      place: () => ({ ...place, configFolder: this.configFolder }),
      readings,
      log: log.child({ directory: policy.name }),
      reload: () => reloads.request(kind),
      refusal: () => reloads.refusal(kind),
    });
  }
}

/** The last known paths of the directories; undefined if unknown or invalid. */
function remembered(db: Database): Map<string, string> | undefined {
  const known = db.meta(PLACES);
  if (known === undefined) return undefined;
  const { data } = placesSchema.safeParse(db.readJson(known), interpreted());
  return data && new Map(data);
}

/** True when an open directory still has the right path and the same policy. */
function isSame(
  open: AgentDirectory,
  rules: Pick<AgentDirectory, 'policy' | 'guard'>,
  place: string,
  nested: ReadonlySet<string>,
): boolean {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const sameNested = nested.size === open.nested.size && [...nested].every((name) => open.nested.has(name));
  return (
    open.replica.path === place &&
    sameNested &&
    same(open.policy, rules.policy) &&
    same(open.guard, rules.guard)
  );
}
