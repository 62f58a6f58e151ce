import type { VerifiedDirectory } from '#protocol/messages/answers.ts';
import type { Controller } from '../daemon/controller.ts';
import type { CommandFigures } from '#protocol/messages/session.ts';
import type { OnRead } from '#sync/scan/verify.ts';
import { type ShowProgress, whilePassing } from '../daemon/passProgress.ts';
import { mainReads, type MdsPass, passOver } from '../daemon/passes.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { HostVerification } from './contract/contract.ts';
import { whyNonsense } from './nonsense.ts';

/**
 * Reads every file again, on Main first, then on every MDS, and lists each difference.
 * @throws the reason of the signal
 */
export async function verify(
  controller: Controller,
  only: string | undefined,
  show: ShowProgress,
  signal: AbortSignal,
): Promise<{ main: HostVerification; mds: HostVerification[] }> {
  await mainReads(controller, show);
  const directories = [...controller.directories.values()];
  const own = await whileReading(controller, directories, show, (onRead) =>
    Promise.all(
      directories.map(async (directory): Promise<VerifiedDirectory> => {
        const { files, bytes, wrong } = await directory.verify(onRead, signal);
        const named = [...wrong].map(([path, reason]) => ({ path, reason }));
        return { directory: directory.name, compared: true, files, bytes, wrong: named };
      }),
    ),
  );
  const passes = await passOver(controller, { do: 'verify' }, only, show);
  return { main: summarise('main', own, []), mds: passes.map((pass) => verifiedAt(pass, directories)) };
}

/** Reports periodically how much of Main's own files has been read. */
async function whileReading<T>(
  { clock }: Controller,
  directories: readonly MainDirectory[],
  show: ShowProgress,
  work: (onRead: OnRead) => Promise<T>,
): Promise<T> {
  const read = { files: 0, bytes: 0 };
  const filesTotal = directories.reduce((sum, { replica }) => sum + replica.files, 0);
  const bytesTotal = directories.reduce((sum, { replica }) => sum + replica.bytes, 0);
  const figures = (): CommandFigures => ({ ...read, filesTotal, bytesTotal });
  return whilePassing(clock, { mds: 'main', doing: 'reading', show, read: () => undefined, figures }, () =>
    work((files, bytes) => {
      read.files += files;
      read.bytes += bytes;
    }),
  );
}

/**
 * An MDS is verified when its figures show that it compared everything that Main has; its own verdict is not enough.
 */
export function verifiedAt(
  { name, ok, body, problems }: MdsPass,
  directories: readonly Pick<MainDirectory, 'name' | 'replica'>[],
): HostVerification {
  if (body?.to !== 'verify') return summarise(name, [], ok ? [whyNonsense(body)] : atLeastOne(problems));
  const missing = directories.flatMap((directory) => whyNotCompared(directory, body.directories) ?? []);
  const found = summarise(name, body.directories, [...problems, ...missing]);
  if (ok || found.differences.length > 0 || found.problems.length > 0) return found;
  return { ...found, ok: false, problems: ['it reports a difference without details'] };
}

function whyNotCompared(
  { name, replica }: Pick<MainDirectory, 'name' | 'replica'>,
  reported: readonly VerifiedDirectory[],
): string | undefined {
  const found = reported.find(({ directory }) => directory === name);
  // An earlier problem need not be repeated.
  if (found !== undefined && (!found.compared || found.wrong.length > 0)) return undefined;
  if (found === undefined) return `${name}: it was not compared`;
  if (found.files >= replica.files) return undefined;
  return replica.files === 1
    ? `${name}: its file was not compared (is it changing?)`
    : `${name}: only ${found.files} of ${replica.files} files were compared (are they changing?)`;
}

function atLeastOne(problems: readonly string[]): readonly string[] {
  return problems.length > 0 ? problems : ['it could not be verified, and gave no reason'];
}

function summarise(
  name: string,
  reported: readonly VerifiedDirectory[],
  problems: readonly string[],
): HostVerification {
  const differences = reported.flatMap(({ directory, wrong }) =>
    wrong.map((each) => ({ directory, ...each })),
  );
  const uncompared = reported.flatMap(({ directory, compared }) =>
    compared || problems.length > 0 ? [] : [`${directory}: it was not compared`],
  );
  return {
    name,
    ok: differences.length === 0 && problems.length === 0 && uncompared.length === 0,
    files: reported.reduce((sum, { files }) => sum + files, 0),
    bytes: reported.reduce((sum, { bytes }) => sum + bytes, 0),
    differences,
    problems: [...problems, ...uncompared],
  };
}
