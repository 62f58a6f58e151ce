import { countOf } from '#core/text/countOf.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { formatBytes } from '#core/text/size.ts';
import type { HostVerification } from '../../control/contract/contract.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/** `verify`: reads every file again on all hosts, and compares. */
export async function verify(context: Context, options: { mds?: string; json?: boolean }): Promise<number> {
  const found = await ask(context, 'verify', { mds: options.mds });
  const hosts = [found.main, ...found.mds];
  if (options.json === true) printJson('verify', found);
  else for (const host of hosts) for (const line of lines(host)) print(line);
  const wrong = hosts.filter(({ ok }) => !ok).map(({ name }) => name);
  if (wrong.length === 0) return EXIT.done;
  printError(`xivo-xds-sync: not verified: ${wrong.join(', ')}`);
  return EXIT.failed;
}

function lines({ name, ok, files, bytes, differences, problems }: HostVerification): string[] {
  return [
    `${name}: ${ok ? (name === 'main' ? 'verified' : 'verified, identical to Main') : differences.length > 0 ? `DIFFERS from Main in ${countOf(differences.length, 'file')}` : 'could not be verified'} (${countOf(files, 'file')}, ${formatBytes(bytes)} read)`,
    ...differences.map(
      ({ directory, path, reason }) => `  ${name}: ${directory}/${printable(path)}: ${reason}`,
    ),
    ...problems.map((problem) => `  ${name}: ${problem}`),
  ];
}
