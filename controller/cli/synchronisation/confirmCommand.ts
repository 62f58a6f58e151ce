import { EXIT } from '#host/cli/exitCodes.ts';
import { print } from '#host/cli/output/terminal.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { ask, printJson } from '../ask.ts';
import { canAsk, isUnseen, says } from '../askPerson.ts';
import type { Context } from '../context.ts';

/** Most paths shown of a hold on one host; `-n` shows all. */
const MAX_SHOWN = 10;

export type ConfirmOptions = {
  readonly mds?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
};

/** `confirm`: shows what is on hold, asks on a terminal, and allows it, once. */
export async function confirm(context: Context, directory: string, options: ConfirmOptions): Promise<number> {
  const { mds, json = false, yes = false, dryRun = false } = options;
  const asks = !yes && !json && canAsk();
  const { held } = await ask(context, 'confirm', { directory, mds, dryRun: true });
  if (held.length === 0) {
    if (json) printJson('confirm', { held, mds: [] });
    else print(`nothing is on hold in ${directory}${mds === undefined ? '' : ` on ${mds}`}`);
    return EXIT.failed;
  }
  if (!json) for (const each of together(held)) show(each, dryRun ? Infinity : MAX_SHOWN);
  if (dryRun) {
    if (json) printJson('confirm', { held, mds: [] });
    else print('nothing was changed');
    return EXIT.done;
  }
  if (!yes && !json && isUnseen())
    throw new UsageError(
      'nothing was confirmed: the output is no terminal on which to ask; add --yes to go ahead, or -n only to show it',
    );
  if (asks && !(await says(`Allow this in ${directory}?`))) {
    print('nothing was changed');
    return EXIT.failed;
  }
  const done = await ask(context, 'confirm', { directory, mds, dryRun: false });
  if (json) printJson('confirm', done);
  else for (const line of outcomes(done)) print(line);
  return done.mds.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}

/** A line for each host where something was on hold, and for each that could not be reached. A hold on Main is one of every MDS. */
export function outcomes({ held, mds }: Done): string[] {
  const hosts = new Set(held.map(({ host }) => host));
  const isOnMain = hosts.has('main');
  return [
    ...(isOnMain ? ['main: confirmed'] : []),
    ...mds.flatMap(({ name, ok, problems }) => {
      if (!ok) return [`${name}: not confirmed (${problems.join('; ')})`];
      return isOnMain || hosts.has(name) ? [`${name}: confirmed`] : [];
    }),
  ];
}

type Done = {
  readonly held: readonly Held[];
  readonly mds: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly problems: readonly string[];
  }[];
};

type Held = { readonly host: string; readonly reason: string; readonly paths: readonly string[] };

/** The same hold of several hosts once, with all their names. */
export function together(held: readonly Held[]): Held[] {
  const found = new Map<string, Held>();
  for (const { host, reason, paths } of held) {
    const key = JSON.stringify([reason, paths]);
    const same = found.get(key);
    found.set(key, { host: same === undefined ? host : `${same.host}, ${host}`, reason, paths });
  }
  return [...found.values()];
}

function show({ host, reason, paths }: Held, most: number): void {
  print(`${host}: ${reason}`);
  for (const path of paths.slice(0, most)) print(`  would go: ${path}`);
  if (paths.length > most) print(`  and ${paths.length - most} more (-n shows all)`);
}
