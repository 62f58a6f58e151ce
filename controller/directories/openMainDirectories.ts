import { nestedInside } from '#core/path/nesting.ts';
import type { Root } from '#host/config/rootPath.ts';
import type { HostServices } from '#host/hostServices.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { Database } from '#sync/state/database.ts';
import { ArchiveParts } from '#sync/transfer/packing/archiveParts.ts';
import type { ControllerConfig } from '../config/controllerConfig.ts';
import type { Versions } from '../versions/versions.ts';
import { MainDirectory, type MainDirectoryOptions } from './mainDirectory.ts';

export type MainDirectoriesOptions = {
  readonly config: ControllerConfig;
  readonly root: Root;
  readonly host: HostServices;
  readonly db: Database;
  readonly versions: Versions;
  /** See {@link DirectoryPlace}. */
  readonly receiving: Pick<DirectoryPlace, 'largeFrom' | 'thread'>;
  readonly announce: Pick<MainDirectoryOptions, 'onRevision' | 'onFolderRenamed'>;
  /** Called when a lint finding in Main's own files appears or is gone. */
  readonly onFinding: (directory: string, detail: string) => void;
};

/** The directories of Main's configuration, by name; nothing is read yet. */
export function openMainDirectories(options: MainDirectoriesOptions): Map<string, MainDirectory> {
  const { config, root, host, db, versions, announce, onFinding } = options;
  const { clock, log, owners } = host;
  const archiveParts = new ArchiveParts(clock);
  const nested = nestedInside(new Map(config.directories.map(({ name, path }) => [name, path])));
  return new Map(
    config.directories.map((directory) => [
      directory.name,
      new MainDirectory({
        config: directory,
        place: {
          path: root.path(directory.path),
          nested: nested.get(directory.name) ?? new Set(),
          db,
          owners,
          clock,
          reserve: config.reserveBytes,
          ...options.receiving,
          log: log.child({ directory: directory.name }),
        },
        versions,
        archiveParts,
        ...announce,
        root: root.path('/'),
        onFinding: (detail) => onFinding(directory.name, detail),
      }),
    ]),
  );
}
