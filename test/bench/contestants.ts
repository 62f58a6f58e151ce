import type { Contestant } from './contestant.ts';
import { cp, tarOverSsh } from './peers/limits.ts';
import { lsyncd } from './peers/lsyncd.ts';
import type { PrivateSshd } from './peers/privateSshd.ts';
import { rsync } from './peers/rsync.ts';
import { rsyncDaemon } from './peers/rsyncDaemon.ts';
import { syncthing } from './peers/syncthing.ts';
import { unison } from './peers/unison.ts';
import { findProgram } from './processes.ts';
import { product } from './product.ts';

/**
 * This program, those that it is compared with, and then the limits.
 * @param quick of the competitors, only rsync over ssh; the limits take seconds
 */
export function contestantsOf(sshd: PrivateSshd | undefined, quick: boolean): readonly Contestant[] {
  const theSshd = (): PrivateSshd => {
    if (sshd === undefined) throw new Error('no sshd runs');
    return sshd;
  };
  const others: readonly Contestant[] = [
    rsyncDaemon,
    lsyncd(theSshd, { delay: 1, comparesPasses: true, liveChanges: 30 }),
    // Each change waits for the whole delay: a few tell the same as many.
    lsyncd(theSshd, { comparesPasses: false, liveChanges: 3 }),
    syncthing,
    unison(theSshd),
  ];
  return [product, rsync(theSshd), ...(quick ? [] : others), cp, tarOverSsh(theSshd)];
}

/** Something that needs programs, each with Debian's package of it. */
type Needy = { readonly name: string; readonly needs?: Readonly<Record<string, string>> };

/** Those whose programs are installed, and why each of the others is left out. */
export function installed<T extends Needy>(
  all: readonly T[],
): { readonly here: readonly T[]; readonly skipped: readonly string[] } {
  const here = all.filter((each) => missing(each).length === 0);
  const skipped = all
    .map((each) => ({ name: each.name, absent: missing(each) }))
    .filter(({ absent }) => absent.length > 0)
    .map(({ name, absent }) => {
      const [programs, packages] = [0, 1].map((at) => absent.map((each) => each[at]));
      return `${name}: ${programs?.join(', ')} not installed (apt-get install ${packages?.join(' ')})`;
    });
  return { here, skipped };
}

function missing({ needs = {} }: Needy): [program: string, debian: string][] {
  return Object.entries(needs).filter(([program]) => findProgram(program) === undefined);
}
