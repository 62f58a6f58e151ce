import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import type { HostVerification } from './contract/contract.ts';

type Told = { directory: string; files: number; bytes: number; wrong: [string, string][] };

/** Reads every byte again, Main's first, then on every MDS, and names each difference. */
export async function verify(
  controller: Controller,
  only: string | undefined,
): Promise<{ main: HostVerification; mds: HostVerification[] }> {
  await controller.rescan();
  const own = await Promise.all(
    [...controller.directories.values()].map(async (directory): Promise<Told> => {
      const { files, bytes, wrong } = await directory.verify();
      return { directory: directory.name, files, bytes, wrong: [...wrong] };
    }),
  );
  const main = summarise('main', true, own, []);
  const passes = await passOver(controller, { do: 'verify' }, only);
  const mds = passes.map(({ name, ok, lines, problems }) => {
    // The lines are JSON when the agent did verify; otherwise they say why it did not.
    const told = lines.flatMap((line): Told[] => (line.startsWith('{') ? [JSON.parse(line) as Told] : []));
    return summarise(name, ok, told, told.length > 0 ? [] : problems);
  });
  return { main, mds };
}

function summarise(
  name: string,
  ok: boolean,
  told: readonly Told[],
  problems: readonly string[],
): HostVerification {
  const differences = told.flatMap(({ directory, wrong }) =>
    wrong.map(([path, reason]) => ({ directory, path, reason })),
  );
  return {
    name,
    ok: ok && differences.length === 0,
    files: told.reduce((sum, { files }) => sum + files, 0),
    bytes: told.reduce((sum, { bytes }) => sum + bytes, 0),
    differences,
    problems,
  };
}
