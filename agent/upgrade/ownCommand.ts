/** The package's launcher, which sets the environment that its Node needs. */
const PACKAGED = {
  script: '/usr/lib/xivo-xds-sync-agent/main.mjs',
  launcher: '/usr/bin/xivo-xds-sync-agent',
};

/** The command that starts this program again, in the version installed by then. */
export function ownCommand(): readonly [string, ...string[]] {
  const [, script = ''] = process.argv;
  if (script === PACKAGED.script) return [PACKAGED.launcher];
  return [process.execPath, ...process.execArgv, script];
}
