import { EXIT } from '#host/cli/exitCodes.ts';
import { differenceLines, isBehind, textLines, written } from '#host/cli/output/differenceLines.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { whyLines } from '#host/cli/output/whyLines.ts';
import { localTime } from '#host/time/localTime.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/** `why`: the rule that applies to a path on this MDS. */
export async function why(context: Context, path: string, options: { json?: boolean }): Promise<number> {
  const answer = await ask(context, 'why', { path });
  const { name, directory, facts, rule, asOf } = answer;
  const code = facts?.obstacle === undefined ? EXIT.done : EXIT.failed;
  if (options.json === true) {
    printJson('why', answer);
    return code;
  }
  print(`${answer.path} in ${directory}`);
  if (rule !== null) print(rule);
  if (answer.save !== null)
    print(`came by save ${answer.save} (xivo-xds-sync-agent history --changeset ${answer.save})`);
  if (facts !== null) for (const line of whyLines(name, facts)) print(line);
  printAway(asOf);
  return code;
}

/** `diff`: how this MDS differs from Main. */
export async function diff(
  context: Context,
  path: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const found = await ask(context, 'diff', { path });
  const { name, differences, more, contents, problems, asOf } = found;
  if (options.json === true) printJson('diff', found);
  else {
    if (differences.length === 0 && problems.length === 0)
      print(`nothing differs from Main${path === undefined ? '' : ` in ${path}`}`);
    if (differences.length > 0) for (const line of differenceLines(name, differences)) print(line);
    if (more > 0) print(`and ${more} more: name a directory or a folder`);
    for (const each of contents) for (const line of textLines(name, each)) print(line);
    const own = differences.find(({ kind }) => kind === 'local' || kind === 'drift' || kind === 'replaced');
    if (own !== undefined) {
      print();
      print(`to make it Main's, everywhere, on Main: xivo-xds-sync adopt ${name} ${written(own)}`);
    }
    printAway(asOf);
    for (const problem of problems) printError(`xivo-xds-sync-agent: ${problem}`);
  }
  return problems.length === 0 && !differences.some(isBehind) ? EXIT.done : EXIT.failed;
}

/** @param asOf UTC, ISO 8601; null while connected */
function printAway(asOf: string | null): void {
  if (asOf !== null)
    print(
      `not connected to Main: its side is shown as of ${localTime(asOf)}, and nothing is changed until it is back`,
    );
}
