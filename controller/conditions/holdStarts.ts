import * as z from 'zod';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import type { Facts } from '../control/contract/contract.ts';
import type { StandingCondition } from './condition.ts';

/** Database key. */
const META = 'hold-starts';

const start = z.object({ since: z.number(), mds: z.string().optional(), directory: z.string() });
const kept = z.record(z.string(), start);

type Start = Readonly<z.infer<typeof start>>;

export type HoldStartsOptions = {
  readonly db: Database;
  readonly keeper: DeferredWriter;
  /** Whether Main's directories were scanned since its start. */
  readonly isRead: () => boolean;
};

/**
 * When each hold began. A hold lasts over a restart of Main and of the agent, which both have to find it again: it is
 * forgotten once it was seen to end, or once its directory is in sync.
 */
export class HoldStarts {
  readonly #options: HoldStartsOptions;
  readonly #byKey: Map<string, Start>;
  #stood: ReadonlySet<string> = new Set();

  constructor(options: HoldStartsOptions) {
    this.#options = options;
    const { db } = options;
    const known = kept.safeParse(db.readJson(db.meta(META) ?? '{}'));
    this.#byKey = new Map(known.success ? Object.entries(known.data) : []);
  }

  /** The starts, by the keys of the conditions. */
  get known(): [key: string, since: number][] {
    return [...this.#byKey].map(([key, { since }]) => [key, since]);
  }

  /** @param standing the conditions that stand now */
  update(standing: readonly StandingCondition[], facts: Facts): void {
    const stands = new Set<string>();
    let hasChanged = false;
    for (const { kind, key, since, mds, directory } of standing) {
      if (kind !== 'hold' || directory === undefined) continue;
      stands.add(key);
      if (this.#byKey.has(key)) continue;
      this.#byKey.set(key, { since, directory, ...(mds !== undefined && { mds }) });
      hasChanged = true;
    }
    for (const [key, each] of this.#byKey) {
      if (stands.has(key) || !this.#isOver(each, facts, this.#stood.has(key))) continue;
      this.#byKey.delete(key);
      hasChanged = true;
    }
    this.#stood = stands;
    if (!hasChanged) return;
    const { db, keeper } = this.#options;
    keeper.write(() => db.setMeta(META, JSON.stringify(Object.fromEntries(this.#byKey))));
  }

  /** Whether a hold that does not stand is known to be over. @param hasStood it stood a moment ago */
  #isOver({ mds: name, directory }: Start, { mds, main }: Facts, hasStood: boolean): boolean {
    if (name === undefined) {
      const isConfigured = main.directories.some((each) => each.name === directory);
      return !isConfigured || hasStood || this.#options.isRead();
    }
    const there = mds.find((each) => each.name === name);
    if (there === undefined || there.state === 'revoked') return true;
    if (there.state !== 'connected') return false;
    return hasStood || there.directories.some((each) => each.name === directory && each.inSync);
  }
}
