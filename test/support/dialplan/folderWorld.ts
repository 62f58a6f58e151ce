import type { DialplanContent, DialplanWorld } from '#core/dialplan/world.ts';

const FOLDER = '/etc/asterisk/extensions_extra.d';

export type FolderFiles = Readonly<Record<string, string | Buffer>> | ReadonlyMap<string, Buffer>;

/** A dialplan folder in memory. `outside` holds other files by their absolute path. */
export function folderWorld(
  files: FolderFiles,
  outside: Readonly<Record<string, string>> = {},
): DialplanWorld {
  const all = new Map<string, DialplanContent>();
  const given =
    files instanceof Map ? (files as ReadonlyMap<string, Buffer>) : new Map(Object.entries(files));
  for (const [name, text] of given) all.set(`${FOLDER}/${name}`, Buffer.from(text as string));
  for (const [path, text] of Object.entries(outside)) all.set(path, Buffer.from(text));
  const start = '/etc/asterisk/extensions.conf';
  return {
    folder: FOLDER,
    start: all.has(start) ? start : undefined,
    locate: (name) => (name.startsWith('/') ? name : `/etc/asterisk/${name}`),
    list: (folder) => [
      ...new Set(
        [...all.keys()].flatMap((path) =>
          path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split('/')[0] ?? ''] : [],
        ),
      ),
    ],
    read: (path) => all.get(path),
  };
}
