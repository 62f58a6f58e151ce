import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { print } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

export type RotateOptions = {
  readonly finish?: boolean;
  readonly leaveBehind?: boolean;
  readonly abandon?: boolean;
  readonly json?: boolean;
};

/** `rotate-identity`: changes the key of Main, in two steps. */
export async function rotateIdentity(context: Context, options: RotateOptions): Promise<number> {
  const { finish = false, leaveBehind = false, abandon = false, json = false } = options;
  if (finish && abandon) throw new UsageError('--finish and --abandon cannot be used together');
  if (leaveBehind && !finish) throw new UsageError('--leave-behind needs --finish');
  if (abandon) {
    await ask(context, 'rotate-abandon', {});
    if (json) printJson('rotate-identity', { abandoned: true });
    else print('the next key was dropped; Main keeps its key');
    return EXIT.done;
  }
  if (finish) {
    const done = await ask(context, 'rotate-finish', { leaveBehind });
    if (json) {
      printJson('rotate-identity', done);
      return EXIT.done;
    }
    print(`Main's key is now ${done.fingerprint}. Make a new backup.`);
    for (const name of done.leftBehind)
      print(`${name} must enrol again: "xivo-xds-sync mds add ${name} --replace" and "enroll"`);
    for (const name of done.unapproved)
      print(
        `${name} waits for approval and may not know this key: if its agent says that another Main answers, run "xivo-xds-sync-agent leave" there, "xivo-xds-sync mds remove ${name}" here, and then "enroll" there again`,
      );
    return EXIT.done;
  }
  const rotation = await ask(context, 'rotate-begin', {});
  if (json) {
    printJson('rotate-identity', rotation);
    return EXIT.done;
  }
  const { nextFingerprint, stragglers, unapproved } = rotation;
  print(`Main's next key is ${nextFingerprint}. It is sent to every connected MDS.`);
  if (stragglers.length > 0) print(`not received yet by: ${stragglers.join(', ')}`);
  if (unapproved.length > 0) print(`waiting for approval, and not received yet by: ${unapproved.join(', ')}`);
  print('Once "xivo-xds-sync status" shows that every MDS has it: xivo-xds-sync rotate-identity --finish');
  return EXIT.done;
}
