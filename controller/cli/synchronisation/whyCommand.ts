import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { print } from '#host/cli/output/terminal.ts';
import { whyLines } from '#host/cli/output/whyLines.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/** `why`: the planner's decision on one path, for each MDS. */
export async function why(
  context: Context,
  path: string,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const answer = await ask(context, 'why', { path, mds: options.mds });
  const isFine = answer.mds.every(({ ok, facts }) => ok && facts?.obstacle === undefined);
  const code = isFine ? EXIT.done : EXIT.failed;
  if (options.json === true) {
    printJson('why', answer);
    return code;
  }
  print(`${printable(answer.path)} in ${answer.directory}`);
  if (answer.rule !== null) print(answer.rule);
  if (answer.change !== null)
    print(
      `last change on Main: ${answer.change.save}, by ${printable(answer.change.actor)} (xivo-xds-sync history --changeset ${answer.change.save})`,
    );
  for (const { name, facts, problems } of answer.mds) {
    if (facts === null) print(`${name}: ${problems.join('; ')}`);
    else for (const line of whyLines(name, facts)) print(line);
  }
  return code;
}
