import { EXIT } from '#host/cli/exitCodes.ts';
import type { MdsPass } from '../daemon/passes.ts';
import { ask, type Context, print } from './context.ts';

export async function confirm(
  context: Context,
  directory: string,
  options: { mds?: string },
): Promise<number> {
  const { mds } = (await ask(context, 'confirm', { directory, mds: options.mds })) as { mds: MdsPass[] };
  for (const { name, ok, problems } of mds) {
    print(ok ? `${name}: confirmed` : `${name}: not confirmed (${problems.join('; ')})`);
  }
  return mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
