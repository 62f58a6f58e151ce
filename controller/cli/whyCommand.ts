import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import type { Decision } from '#core/plan/decision.ts';
import { ask, type Context, print } from './context.ts';

type Answer = {
  directory: string;
  path: string;
  rule?: string;
  mds: { name: string; ok: boolean; lines: string[]; problems: string[] }[];
};
type Facts = { decision: Decision; main: string; mds: string; ledger: string };

/** `why`: the planner's own word on one path, for each MDS. */
export async function why(context: Context, path: string, options: { mds?: string }): Promise<number> {
  const answer = (await ask(context, 'why', { path, mds: options.mds })) as Answer;
  print(`${printable(answer.path)} in ${answer.directory}`);
  if (answer.rule !== undefined) print(answer.rule);
  for (const { name, ok, lines, problems } of answer.mds) {
    if (!ok || lines[0] === undefined) {
      print(`${name}: ${problems.join('; ')}`);
      continue;
    }
    const { decision, main, mds, ledger } = JSON.parse(lines[0]) as Facts;
    print(`${name}: ${words(decision)}`);
    print(`  on Main: ${main}`);
    print(`  on ${name}: ${mds}`);
    print(`  last agreed: ${ledger}`);
  }
  return answer.mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}

function words(decision: Decision): string {
  switch (decision.kind) {
    case 'nothing':
      return 'nothing to do: both sides are as they should be';
    case 'local':
      return 'local: on this MDS alone and never delivered, so it stays as it is';
    case 'agree':
      return 'nothing to do: both sides hold the same';
    case 'forget':
      return 'nothing to do: it is gone on both sides';
    case 'deliver':
      return `${decision.drift ? "Main's comes back" : "Main's is delivered"}: ${decision.reason}`;
    case 'remove':
      return `it is removed here, into the trash: ${decision.reason}`;
    case 'upload':
      return `it goes to Main: ${decision.reason}`;
    case 'remove-on-main':
      return `it is removed on Main, into the trash: ${decision.reason}`;
    case 'lose':
      return `conflict: ${decision.reason}; the other version is kept in Main's trash`;
    case 'skip':
      return `skipped: ${decision.reason}`;
  }
}
