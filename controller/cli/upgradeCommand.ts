import { printable } from '#core/text/printable.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { RollOut } from '../control/upgrade/rollOut.ts';
import { ask, type Context, print, printJson } from './context.ts';

/** `mds upgrade`: brings agents to Main's version, and says how it went with each. */
export async function upgrade(
  context: Context,
  name: string | undefined,
  options: { all?: boolean; json?: boolean },
): Promise<number> {
  if ((name === undefined) === (options.all !== true))
    throw new UsageError('which MDS? Give its name, or --all');
  const { version, mds, stopped } = (await ask(context, 'mds-upgrade', { mds: name })) as RollOut;
  if (options.json === true) printJson({ version, mds, stopped });
  else {
    if (mds.length === 0) print('no MDS is enrolled yet: see "xivo-xds-sync mds add"');
    for (const each of mds) {
      const bad = each.result === 'failed' || each.result === 'away' ? 'NOT upgraded: ' : '';
      print(`${each.name}: ${bad}${printable(each.words)}`);
    }
  }
  const behind = mds
    .filter(({ result }) => result === 'failed' || result === 'away')
    .map((each) => each.name);
  if (stopped !== null) {
    process.stderr.write(
      `xivo-xds-sync: stopped at ${stopped.at}: ${printable(stopped.reason)}. Not begun: ${stopped.notBegun.join(', ')}\n`,
    );
    return EXIT.failed;
  }
  if (behind.length === 0) return EXIT.done;
  process.stderr.write(`xivo-xds-sync: not at ${version}: ${behind.join(', ')}\n`);
  return EXIT.failed;
}
