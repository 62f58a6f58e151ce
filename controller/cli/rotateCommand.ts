import { EXIT } from '../../shared/cli/exitCodes.ts';
import { UsageError } from '../../shared/cli/usageError.ts';
import type { RotationStatus } from '../daemon/status.ts';
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
    };
    print(`Main's key is ${done.fingerprint} now. Make a new backup.`);
    for (const name of done.leftBehind)
      print(`${name} was left behind: it needs "xivo-xds-sync mds add ${name} --replace" and "enroll"`);
    return EXIT.done;
  }
  const { nextFingerprint, stragglers } = (await ask(context, 'rotate-begin')) as RotationStatus;
  print(`Main's next key is ${nextFingerprint}. Every MDS that is connected is being told.`);
  if (stragglers.length > 0) print(`not known yet to: ${stragglers.join(', ')}`);
  print('When "xivo-xds-sync status" shows that every MDS knows it: xivo-xds-sync rotate-identity --finish');
  return EXIT.done;
}
