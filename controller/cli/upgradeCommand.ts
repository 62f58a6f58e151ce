import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { print, printError } from '#host/cli/terminal.ts';
import { upgradeFigures } from './upgradeFigures.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

/** `mds upgrade`: upgrades agents to Main's version, and prints the result of each. */
export async function upgrade(
  context: Context,
  name: string | undefined,
  options: { all?: boolean; json?: boolean },
): Promise<number> {
  if ((name === undefined) === (options.all !== true))
    throw new UsageError('which MDS? Give its name, or --all');
  const rolledOut = await ask(context, 'mds-upgrade', { mds: name });
  const { version, mds, stopped, durationMs } = rolledOut;
  if (options.json === true) printJson('mds upgrade', { mds, stopped, durationMs });
  else {
    if (mds.length === 0) print('no MDS is enrolled yet: see "xivo-xds-sync mds add"');
    for (const each of mds) {
      const bad = each.result === 'failed' || each.result === 'away' ? 'NOT upgraded: ' : '';
      print(`${each.name}: ${bad}${each.words}`);
    }
    for (const line of upgradeFigures(rolledOut)) print(line);
  }
  const behind = mds
    .filter(({ result }) => result === 'failed' || result === 'away')
    .map((each) => each.name);
  if (stopped !== null) {
    printError(
      `xivo-xds-sync: stopped at ${stopped.at}: ${stopped.reason}. Not upgraded: ${stopped.notBegun.join(', ')}`,
    );
    return EXIT.failed;
  }
  if (behind.length === 0) return EXIT.done;
  printError(`xivo-xds-sync: not at ${version}: ${behind.join(', ')}`);
  return EXIT.failed;
}
