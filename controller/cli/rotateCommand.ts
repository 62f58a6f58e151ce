import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { RotationStatus } from '../control/statusReport.ts';
import { ask, type Context, print } from './context.ts';

export type RotateOptions = {
  readonly finish?: boolean;
  readonly leaveBehind?: boolean;
  readonly abandon?: boolean;
};

/** `rotate-identity`: gives Main another key, in two steps. */
export async function rotateIdentity(context: Context, options: RotateOptions): Promise<number> {
  const { finish = false, leaveBehind = false, abandon = false } = options;
  if (finish && abandon) throw new UsageError('--finish and --abandon exclude each other');
  if (leaveBehind && !finish) throw new UsageError('--leave-behind is only of use with --finish');
  if (abandon) {
    await ask(context, 'rotate-abandon');
    print('Main keeps its key: the next one was dropped');
    return EXIT.done;
  }
  if (finish) {
    const done = (await ask(context, 'rotate-finish', { leaveBehind })) as {
      fingerprint: string;
      leftBehind: string[];
      unapproved: string[];
    };
    print(`Main's key is ${done.fingerprint} now. Make a new backup.`);
    for (const name of done.leftBehind)
      print(`${name} was left behind: it needs "xivo-xds-sync mds add ${name} --replace" and "enroll"`);
    for (const name of done.unapproved)
      print(
        `${name} waits for approval and may not know this key: if its agent says that another Main answers, run "xivo-xds-sync-agent leave" there, "xivo-xds-sync mds remove ${name}" here, and then "enroll" there again`,
      );
    return EXIT.done;
  }
  const { nextFingerprint, stragglers, unapproved } = (await ask(context, 'rotate-begin')) as RotationStatus;
  print(`Main's next key is ${nextFingerprint}. Every MDS that is connected is being told.`);
  if (stragglers.length > 0) print(`not known yet to: ${stragglers.join(', ')}`);
  if (unapproved.length > 0) print(`waiting for approval, and not known yet to: ${unapproved.join(', ')}`);
  print('When "xivo-xds-sync status" shows that every MDS knows it: xivo-xds-sync rotate-identity --finish');
  return EXIT.done;
}
