import { EXIT } from '#host/cli/exitCodes.ts';
import { print } from '#host/cli/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

export async function confirm(
  context: Context,
  directory: string,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const { mds } = await ask(context, 'confirm', { directory, mds: options.mds });
  if (options.json === true) printJson({ mds });
  else
    for (const { name, ok, problems } of mds)
      print(ok ? `${name}: confirmed` : `${name}: not confirmed (${problems.join('; ')})`);
  return mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
