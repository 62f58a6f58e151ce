import { accessSync, constants } from 'node:fs';
import { errnoOf } from '../fs/errno.ts';
import { attempt, type Check } from './check.ts';
import {
  checkDirectory,
  checkIdentity,
  checkOpenFiles,
  checkPrograms,
  checkUser,
  checkWatches,
} from './hostChecks.ts';

type HostConfig = {
  readonly directories: readonly { readonly name: string; readonly path: string }[];
  readonly reserveBytes: number;
};

export type HostToCheck<Config extends HostConfig> = {
  readonly configFile: string;
  /** @throws when the file is missing or wrong */
  readonly loadConfig: () => Config;
  /** The remedy when it throws. */
  readonly configRemedy: string;
  readonly identityFolder: string;
  /** Maps a path of the configuration to this disk (--root). */
  readonly locate: (path: string) => string;
  /** The directories to check and their paths on this disk; those of the configuration when absent. */
  readonly directoriesOf?: (config: Config) => HostConfig['directories'];
  /** Programs that are needed only with this configuration. */
  readonly programsOf: (config: Config) => readonly string[];
};

/**
 * Runs the checks that both programs share.
 * @returns the configuration, too, if it could be read; `isBlind` when this user may see nothing of it all
 */
export function checkHost<Config extends HostConfig>(
  host: HostToCheck<Config>,
): { checks: Check[]; config: Config | undefined; isBlind: boolean } {
  const checks: Check[] = [checkUser(process.geteuid?.())];
  // What this user may not see is not missing.
  if (isHidden(host.identityFolder)) return { checks, config: undefined, isBlind: true };
  let config: Config | undefined;
  checks.push(
    attempt('configuration', host.configRemedy, () => {
      config = host.loadConfig();
      return host.configFile;
    }),
    ...checkIdentity(host.identityFolder, Date.now()),
    checkOpenFiles(),
    ...checkPrograms(['sync', 'logger']),
  );
  if (config !== undefined) {
    const directories =
      host.directoriesOf?.(config) ??
      config.directories.map(({ name, path }) => ({ name, path: host.locate(path) }));
    checks.push(...checkPrograms(host.programsOf(config)));
    for (const { name, path } of directories) checks.push(...checkDirectory(name, path, config.reserveBytes));
    checks.push(checkWatches(directories.map(({ path }) => path)));
  }
  return { checks, config, isBlind: false };
}

/** Whether this user may not even look. */
function isHidden(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK);
    return false;
  } catch (error) {
    return errnoOf(error) === 'EACCES';
  }
}
