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
  /** What to do when it does. */
  readonly configRemedy: string;
  readonly identityFolder: string;
  /** Where a path of the configuration lies, --root considered. */
  readonly locate: (path: string) => string;
  /** The directories to look at and where they lie on this disk, when they are not those of the configuration. */
  readonly directoriesOf?: (config: Config) => HostConfig['directories'];
  /** Programs that only this configuration asks for. */
  readonly programsOf: (config: Config) => readonly string[];
};

/** Looks at what both sides need of their host. The configuration comes back when it could be read. */
export function checkHost<Config extends HostConfig>(
  host: HostToCheck<Config>,
): { checks: Check[]; config: Config | undefined } {
  const checks: Check[] = [checkUser(process.geteuid?.())];
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
  return { checks, config };
}
