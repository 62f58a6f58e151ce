import { countOf } from '#core/text/countOf.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { print } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { exitCode, summary } from '../synchronisation/syncCommand.ts';
import { differenceLines, written } from '#host/cli/output/differenceLines.ts';

type Options = { readonly dryRun?: boolean; readonly json?: boolean };

/** `adopt`: makes an MDS's version Main's, and so every MDS's. */
export async function adopt(context: Context, mds: string, path: string, options: Options): Promise<number> {
  const dryRun = options.dryRun === true;
  const done = await ask(context, 'adopt', { mds, path, dryRun });
  const { files, directory, by } = done;
  if (options.json === true) printJson('adopt', done);
  else if (files.length === 0) print(`nothing to adopt: ${path} is the same on Main and on ${mds}`);
  else {
    for (const line of differenceLines(mds, files, true)) print(line);
    const count = `${countOf(files.length, 'file')} of ${directory}`;
    print(
      by === null
        ? `nothing was changed: ${count} would go from ${mds} to Main, and to every MDS`
        : `Main has ${count} as ${mds} had ${files.length === 1 ? 'it' : 'them'}; to undo that: xivo-xds-sync rollback ${by}`,
    );
    for (const pass of done.mds) for (const line of summary(pass)) print(line);
  }
  return exitCode(done.mds);
}

/** `revert`: restores Main's version on an MDS. */
export async function revert(context: Context, mds: string, path: string, options: Options): Promise<number> {
  const dryRun = options.dryRun === true;
  const done = await ask(context, 'revert', { mds, path, dryRun });
  const { files, left } = done;
  if (options.json === true) printJson('revert', done);
  else if (files.length === 0) print(`nothing to revert: ${path} is the same on Main and on ${mds}`);
  else {
    const came = files.filter((each) => !left.some((other) => other.path === each.path));
    if (dryRun) {
      for (const line of differenceLines(mds, files, true)) print(line);
      print(
        `nothing was changed: Main's version would be restored on ${mds}, its own version would go to its trash`,
      );
    } else
      for (const each of came)
        print(`${mds}: ${written(each)} is Main's version again; its own version is in its trash`);
    for (const each of left)
      print(`${mds}: ${written(each)} is NOT Main's: ${each.reason ?? 'it changed again'}`);
    for (const pass of done.mds) for (const line of summary(pass)) print(line);
  }
  const code = exitCode(done.mds);
  return left.length === 0 ? code : EXIT.failed;
}
