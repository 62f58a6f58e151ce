import { ControlError } from '#host/control/controlError.ts';
import { printable } from '#core/text/printable.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Controller } from '../daemon/controller.ts';

/**
 * The selected enrolled MDS: all, or the given one.
 * @throws ControlError with exit code 2 that lists the existing names
 */
export function enrolledMds({ registry }: Controller, only: string | undefined): string[] {
  const names = registry.list().agents.map(({ name }) => name);
  if (only === undefined) return names;
  if (!names.includes(only)) throw unknown('MDS', only, names, 'xivo-xds-sync mds list');
  return [only];
}

/** @throws ControlError with exit code 2, unless Main knows an MDS of that name in any state */
export function requireMds({ registry, mediaServers }: Controller, name: string | undefined): void {
  if (name === undefined) return;
  const { agents, pending, revoked, tokens } = registry.list();
  // An unused join token can be withdrawn, too.
  const names = new Set(
    [...agents, ...pending, ...revoked, ...tokens.filter(({ usedAt }) => usedAt === undefined)].map(
      (each) => each.name,
    ),
  );
  for (const listed of mediaServers.servers?.keys() ?? []) names.add(listed);
  if (!names.has(name)) throw unknown('MDS', name, [...names], 'xivo-xds-sync mds list');
}

/** @throws ControlError with exit code 2 that lists the directories */
export function requireDirectory({ directories }: Controller, name: string): MainDirectory {
  const found = directories.get(name);
  if (found === undefined) throw unknown('directory', name, [...directories.keys()], 'xivo-xds-sync status');
  return found;
}

/** The error for an unknown name, with the known ones. */
export function unknown(what: string, name: string, known: readonly string[], see: string): ControlError {
  const list = known.length === 0 ? 'none exists yet' : `known: ${known.toSorted().join(', ')}`;
  return new ControlError(`there is no ${what} "${printable(name)}" (${list}; see ${see})`, 2);
}
