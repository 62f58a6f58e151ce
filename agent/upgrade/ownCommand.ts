/** How the package starts this program; its Node does not run without what this script sets. */
const PACKAGED = {
  script: '/usr/lib/xivo-xds-sync-agent/main.mjs',
  launcher: '/usr/bin/xivo-xds-sync-agent',
};

/** The command that starts this very program again, whatever version of it is there by then. */
export function ownCommand(): readonly [string, ...string[]] {
  const [, script = ''] = process.argv;
  if (script === PACKAGED.script) return [PACKAGED.launcher];
  return [process.execPath, ...process.execArgv, script];
}
