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
  const isFine = answer.mds.every(({ ok, facts }) => ok && facts?.obstacle === undefined);
  const code = isFine ? EXIT.done : EXIT.failed;
  if (options.json === true) {
    printJson(answer);
    return code;
  }
  print(`${printable(answer.path)} in ${answer.directory}`);
  if (answer.rule !== null) print(answer.rule);
  for (const { name, facts, problems } of answer.mds) {
    if (facts === null) {
      print(`${name}: ${problems.join('; ')}`);
      continue;
    }
    const { main, mds, ledger } = facts;
    if (facts.isNowhere === true && facts.excludedBy === undefined) {
      print(`${name}: no such file on Main or on ${name}`);
      continue;
    }
    print(`${name}: ${outcome(facts)}`);
    print(`  on Main: ${main}`);
    print(`  on ${name}: ${mds}`);
    print(`  last agreed: ${ledger}`);
  }
  return code;
}

type Facts = NonNullable<Result<'why'>['mds'][number]['facts']>;
type Decision = Facts['decision'];

/** What really becomes of it: the planner's word, unless something is in its way. */
function outcome({ decision, excludedBy, obstacle }: Facts): string {
  if (obstacle !== undefined) return `it waits: ${obstacle} (what is to be done: ${words(decision)})`;
  const isLeftAlone = decision.kind === 'nothing' || decision.kind === 'local';
  return excludedBy !== undefined && isLeftAlone
    ? `left alone: its name is excluded (${excludedBy})`
    : words(decision);
}

function words(decision: Decision): string {
  switch (decision.kind) {
    case 'nothing':
      return 'in sync: nothing to do on either side';
    case 'local':
      return 'local file: exists only on this MDS, left alone';
    case 'agree':
      return 'in sync: identical on Main and on this MDS';
    case 'forget':
      return 'no such file on Main or on this MDS';
    case 'deliver':
      return `${decision.drift ? "Main's version is restored" : 'to be sent'}: ${decision.reason}`;
    case 'remove':
      return `to be removed (kept in the trash of this MDS): ${decision.reason}`;
    case 'upload':
      return `to be sent to Main: ${decision.reason}`;
    case 'remove-on-main':
      return `to be removed on Main (kept in its trash): ${decision.reason}`;
    case 'lose':
      return `conflict: ${decision.reason}; the other version is kept in Main's trash`;
    case 'skip':
      return `skipped: ${decision.reason}`;
    default:
      return `${decision.kind}: ${decision.reason ?? ''}`;
  }
}
