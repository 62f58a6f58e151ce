import { formatDuration } from '#core/text/duration.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { RollOut } from '../../control/contract/contract.ts';
import type { Context } from '../context.ts';

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

/** How an upgrade of several MDS, or one that failed somewhere, went as a whole, and what to do about the rest. Pure. */
export function upgradeFigures({ version, mds, stopped, durationMs }: RollOut): string[] {
  const named = (result: RollOut['mds'][number]['result']): string[] =>
    mds.filter((each) => each.result === result).map(({ name }) => name);
  const upgraded = mds.filter(({ result }) => result === 'upgraded');
  const left = [...named('failed'), ...named('away'), ...(stopped?.notBegun ?? [])];
  if (mds.length === 0 || (mds.length === 1 && left.length === 0)) return [];
  const from = [...new Set(upgraded.flatMap(({ from: before }) => before ?? []))].join(', ');
  const parts = [
    `${upgraded.length} upgraded${from === '' ? '' : ` from ${from}`} to ${version} in ${formatDuration(durationMs)}`,
    ...counted(named('current'), 'there already'),
    ...counted(named('failed'), 'failed'),
    ...counted(named('away'), 'away'),
    ...counted(stopped?.notBegun ?? [], 'not started'),
  ];
  if (left.length === 0) return [parts.join(', ')];
  const again = left.length === 1 ? left[0] : '--all';
  return [parts.join(', '), `after a correction: xivo-xds-sync mds upgrade ${again}`];
}

function counted(names: readonly string[], what: string): string[] {
  return names.length === 0 ? [] : [`${names.length} ${what}`];
}
