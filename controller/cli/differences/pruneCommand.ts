import { countOf } from '#core/text/countOf.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { formatBytes } from '#core/text/size.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import { canAsk, says } from '../askPerson.ts';
import type { Context } from '../context.ts';
import { differenceLines } from '#host/cli/output/differenceLines.ts';

export type PruneOptions = { readonly dryRun?: boolean; readonly yes?: boolean; readonly json?: boolean };

/** `prune`: shows the local files of an MDS, asks on a terminal, and moves them to its trash. */
export async function prune(
  context: Context,
  mds: string,
  path: string | undefined,
  options: PruneOptions,
): Promise<number> {
  const { json = false, yes = false, dryRun = false } = options;
  const shown = await ask(context, 'prune', { mds, path, dryRun: true });
  const { files, more, digest } = shown;
  if (!json) {
    if (files.length === 0) print(`${mds} has no local files${path === undefined ? '' : ` in ${path}`}`);
    else for (const line of differenceLines(mds, files, true)) print(line);
    if (more > 0) print(`and ${more} more that are not listed, and stay`);
    for (const problem of shown.problems) printError(`xivo-xds-sync: ${problem}`);
  }
  const { refusals, rehearsed } = shown;
  if (!json) {
    for (const { directory, reason } of refusals)
      printError(`xivo-xds-sync: ${mds} would refuse this in ${directory}: ${reason}`);
    if (files.length > 0 && !rehearsed)
      print(
        `the agent on ${mds} has an older version, which can't tell beforehand whether it would refuse; to change that: xivo-xds-sync mds upgrade ${mds}`,
      );
  }
  const code = shown.problems.length === 0 && refusals.length === 0 ? EXIT.done : EXIT.failed;
  const refused = new Set(refusals.map(({ directory }) => directory));
  const meant = files.filter(({ directory }) => !refused.has(directory));
  // With --json, the real run gives the reasons.
  if (dryRun || files.length === 0 || (!json && meant.length === 0)) {
    if (json) printJson('prune', shown);
    else if (files.length > 0) print('nothing was removed');
    return code;
  }
  const bytes = meant.reduce((sum, each) => sum + each.bytes, 0);
  const these = `${meant.length === 1 ? 'this local file' : `these ${meant.length} local files`} (${formatBytes(bytes)})`;
  if (!yes) {
    if (json || !canAsk())
      throw new UsageError(
        `nothing was removed: add --yes to remove ${these} of ${mds}, or -n only to list them`,
      );
    if (!(await says(`Remove ${these} of ${mds} into its trash?`))) {
      print('nothing was removed');
      return EXIT.failed;
    }
  }
  const done = await ask(context, 'prune', { mds, path, dryRun: false, shown: digest });
  if (json) printJson('prune', done);
  else {
    print(
      `${mds}: moved ${countOf(done.removed.length, 'file or folder', 'files and folders')} into its trash; to bring one back: xivo-xds-sync trash restore PATH --from ${mds}`,
    );
    for (const problem of done.problems) printError(`xivo-xds-sync: ${problem}`);
  }
  return done.problems.length === 0 ? EXIT.done : EXIT.failed;
}
