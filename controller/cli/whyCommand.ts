import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import type { Result } from '../control/contract/contract.ts';
import { print } from '#host/cli/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

/** `why`: the planner's own word on one path, for each MDS. */
export async function why(
  context: Context,
  path: string,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const answer = await ask(context, 'why', { path, mds: options.mds });
  if (options.json === true) {
    printJson(answer);
    return answer.mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
  }
  print(`${printable(answer.path)} in ${answer.directory}`);
  if (answer.rule !== null) print(answer.rule);
  for (const { name, facts, problems } of answer.mds) {
    if (facts === null) {
      print(`${name}: ${problems.join('; ')}`);
      continue;
    }
    const { decision, main, mds, ledger } = facts;
    print(`${name}: ${words(decision)}`);
    print(`  on Main: ${main}`);
    print(`  on ${name}: ${mds}`);
    print(`  last agreed: ${ledger}`);
  }
  return answer.mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}

type Decision = NonNullable<Result<'why'>['mds'][number]['facts']>['decision'];

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
    default:
      return `${decision.kind}: ${decision.reason ?? ''}`;
  }
}
