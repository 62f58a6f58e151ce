import { type DialplanReading, dialplanSteps } from '#core/dialplan/lint.ts';
import type { Steps } from '#core/steps.ts';
import type { DialplanContent, DialplanWorld } from '#core/dialplan/world.ts';
import type { Clock } from '../time/clock.ts';
import { inSlices } from '../time/timeSlice.ts';
import type { Put } from './overlay.ts';
import { type DialplanPlace, dialplanWorld, type HostWorld } from './place.ts';

/** Readings that are kept: the folder before a change set, and after it. */
const MOST_READINGS = 2;
/**
 * Most bytes of the files of all kept readings together: two of a folder that is several times as large as what lint judges
 * of it (4 MiB). The model of a reading takes ten times the bytes that were judged, 40 MB at most.
 */
const MOST_BYTES = 32 * 1024 * 1024;
/** For this long after its last use a reading is kept, milliseconds: a person who edits saves again within that. */
const KEEP = 60_000;

/** What a reading was made from: every answer that the world gave. */
type Seen = {
  readonly folder: string;
  readonly start: string | undefined;
  readonly places: Map<string, string>;
  /** The sorted names in a folder, with slashes between them. */
  readonly lists: Map<string, string>;
  readonly contents: Map<string, DialplanContent | undefined>;
};

type Kept = { readonly seen: Seen; readonly reading: DialplanReading; readonly bytes: number };

/**
 * Reads a dialplan folder, and takes the last readings again where nothing has changed: the folder is looked at five times
 * around one change set (before it, with it, and as Asterisk reads it). The files themselves are read each time, and
 * compared byte by byte, which costs a fraction of interpreting them.
 */
export class DialplanReadings {
  readonly #clock: Clock;
  readonly #mostBytes: number;
  /** The last one that was used comes first. */
  #kept: readonly Kept[] = [];
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, mostBytes = MOST_BYTES) {
    this.#clock = clock;
    this.#mostBytes = mostBytes;
  }

  /**
   * @param changed the content of a change set that is not visible yet, by path below the folder
   * @throws Node's fs errors
   */
  async read(place: DialplanPlace, changed?: ReadonlyMap<string, Put>): Promise<DialplanReading> {
    const world = dialplanWorld(place, changed);
    const known = await this.#find(world);
    if (known !== undefined) {
      this.#keep(known);
      return known.reading;
    }
    const seen = nothingSeen(world);
    const reading = await inSlices(dialplanSteps(noting(world, seen, this.#kept[0]?.seen.contents)));
    this.#keep({ seen, reading, bytes: bytesOf(seen) });
    return reading;
  }

  /** Frees the memory. */
  forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#kept = [];
  }

  async #find(world: HostWorld): Promise<Kept | undefined> {
    for (const kept of this.#kept) if (await inSlices(sameSteps(world, kept.seen))) return kept;
    return undefined;
  }

  #keep(latest: Kept): void {
    const all = [latest, ...this.#kept.filter((each) => each !== latest)].slice(0, MOST_READINGS);
    let bytes = 0;
    this.#kept = all.filter((each) => (bytes += each.bytes) <= this.#mostBytes);
    this.#cancel?.();
    this.#cancel = this.#clock.after(KEEP, () => this.forget());
  }
}

function nothingSeen({ folder, start }: DialplanWorld): Seen {
  return { folder, start, places: new Map(), lists: new Map(), contents: new Map() };
}

/** The same world, which notes what is asked of it. @param known contents that need not be kept twice */
function noting(
  world: HostWorld,
  { places, lists, contents }: Seen,
  known: Seen['contents'] | undefined,
): DialplanWorld {
  return {
    ...world,
    locate: (name) => noted(places, name, world.locate(name)),
    list: (folder) => {
      const names = world.list(folder);
      lists.set(folder, listed(names));
      return names;
    },
    read: (path) => noted(contents, path, world.read(path, known?.get(path))),
  };
}

function noted<T>(answers: Map<string, T>, question: string, answer: T): T {
  answers.set(question, answer);
  return answer;
}

/** Whether a reading of this world would be the same: the same answers lead to the same questions. */
function* sameSteps(world: HostWorld, seen: Seen): Steps<boolean> {
  if (world.folder !== seen.folder || world.start !== seen.start) return false;
  for (const [folder, names] of seen.lists) if (listed(world.list(folder)) !== names) return false;
  for (const [name, place] of seen.places) {
    yield;
    if (world.locate(name) !== place) return false;
  }
  for (const [path, content] of seen.contents) {
    yield;
    if (world.read(path, content) !== content) return false;
  }
  return true;
}

function listed(names: readonly string[]): string {
  return [...names].sort().join('/');
}

function bytesOf({ contents }: Seen): number {
  let bytes = 0;
  for (const content of contents.values()) {
    if (content !== undefined) bytes += Buffer.isBuffer(content) ? content.length : content.head.length;
  }
  return bytes;
}
