import type { Contestant } from './contestant.ts';
import { lsyncd } from './lsyncd.ts';
import type { PrivateSshd } from './privateSshd.ts';
import { findProgram } from './processes.ts';
import { product } from './product.ts';
import { rsync } from './rsync.ts';
import { syncthing } from './syncthing.ts';
import { unison } from './unison.ts';

/**
 * This program and those that it is compared with.
 * @param quick only rsync is
 * @returns those whose programs are installed, and why each of the others is left out
 */
export function contestantsHere(
  sshd: PrivateSshd | undefined,
  quick: boolean,
): { readonly contestants: readonly Contestant[]; readonly skipped: readonly string[] } {
  const theSshd = (): PrivateSshd => {
    if (sshd === undefined) throw new Error('no sshd runs');
    return sshd;
  };
  const all: readonly Contestant[] = [
    product,
    rsync(theSshd),
    lsyncd(theSshd, { delay: 1, comparesPasses: true, liveChanges: 30 }),
    // Each change waits for the whole delay: a few tell the same as many.
    lsyncd(theSshd, { comparesPasses: false, liveChanges: 3 }),
    syncthing,
    unison(theSshd),
  ];
  const asked = quick ? all.slice(0, 2) : all;
  const isThere = ({ needs }: Contestant): boolean => missing(needs).length === 0;
  return {
    contestants: asked.filter(isThere),
    skipped: asked
      .filter((each) => !isThere(each))
      .map(({ name, needs }) => `${name}: ${missing(needs).join(', ')} not installed`),
  };
}

function missing(needs: Readonly<Record<string, string>>): string[] {
  return Object.keys(needs).filter((program) => findProgram(program) === undefined);
}
