import * as z from 'zod';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';

/** Database key. */
const META = 'last-seen';

const seen = z.object({ at: z.number(), address: z.string() });
const kept = z.record(z.string(), seen);

type Seen = Readonly<z.infer<typeof seen>>;

export type LastSeenOptions = {
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly clock: Clock;
  /** Names of the enrolled MDS; what is known of others is dropped at the start. */
  readonly enrolled: ReadonlySet<string>;
};

/** When each MDS was last connected, and from where. Survives a restart: one that is away meanwhile is not taken for new. */
export class LastSeen {
  readonly #options: LastSeenOptions;
  readonly #byName: Map<string, Seen>;

  constructor(options: LastSeenOptions) {
    this.#options = options;
    const { db, enrolled } = options;
    const known = kept.safeParse(db.readJson(db.meta(META) ?? '{}'));
    const all = known.success ? Object.entries(known.data) : [];
    this.#byName = new Map(all.filter(([name]) => enrolled.has(name)));
  }

  get(name: string): Seen | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): Iterator<[string, Seen]> {
    return this.#byName[Symbol.iterator]();
  }

  /** An MDS connects or leaves. */
  note(name: string, address: string): void {
    const { db, keeper, clock } = this.#options;
    this.#byName.set(name, { at: clock.now(), address });
    keeper.write(() => db.setMeta(META, JSON.stringify(Object.fromEntries(this.#byName))));
  }
}
