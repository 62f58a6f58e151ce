import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { howToStart } from '#host/cli/howToStart.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { Progress } from '#host/control/contract.ts';
import { refuseWhileRunning } from '#host/control/refuseWhileRunning.ts';
import { makeNamesDurable, writeFileDurably } from '#host/fs/durableFile.ts';
import { dropInFolder, dropIns } from '#host/config/yamlFile.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import { dropInMember, isDropIn, type Member } from '../../backup/contents.ts';
import { readBackup } from '../../backup/readBackup.ts';
import { removeRemains, workName } from '../../backup/remains.ts';
import type { BackupWork } from '../../backup/work.ts';
import { writeBackup } from '../../backup/writeBackup.ts';
import { publishCertificate } from '../../enrolment/publishCertificate.ts';
import { INTERRUPTED, showProgress } from '#host/cli/output/shownProgress.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { abortedBy, stopSignal } from '#host/cli/stopSignal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

type JsonOption = { readonly json?: boolean };

/** `backup FILE`: writes identity, configuration and state of Main into one file. */
export async function backup(context: Context, file: string, options: JsonOption): Promise<number> {
  const { places, configFile } = context;
  if (!existsSync(places.stateFile) || !existsSync(places.identityFolder))
    throw new UsageError(`nothing to back up in ${places.stateFolder}: Main has never run here`);
  const target = path.resolve(file);
  if (!existsSync(path.dirname(target)))
    throw new UsageError(`${target} can't be written: there is no folder ${path.dirname(target)}`);
  sayRemoved(removeRemains(places, target));
  const members = await interruptible((work) => writeBackup(places, configFile, target, work));
  if (members === undefined) {
    printError(`interrupted: nothing was written to ${target}`);
    return INTERRUPTED;
  }
  if (options.json === true) {
    printJson('backup', { file: target, members });
    return EXIT.done;
  }
  print(`wrote ${target}: ${members.join(', ')}`);
  print(
    "It contains Main's private key: anyone who has it can pose as Main to every MDS. Keep it where only root can read it.",
  );
  return EXIT.done;
}

/** `restore FILE`: makes this host the Main of the backup. Existing files are kept beside it. */
export async function restore(context: Context, file: string, options: JsonOption): Promise<number> {
  await refuseWhileRunning(
    () => ask(context, 'status', {}),
    'the controller is running: stop it first ("systemctl stop xivo-xds-sync"), then restore',
  );
  const { places, configFile } = context;
  const parent = path.dirname(places.stateFolder);
  mkdirSync(parent, { recursive: true });
  sayRemoved(removeRemains(places));
  // On the same file system as the target, so that a rename installs it.
  const work = mkdtempSync(path.join(parent, workName('unpacked')));
  try {
    const backedUp = await interruptible((on) => readBackup(path.resolve(file), work, on));
    if (backedUp === undefined) {
      printError('interrupted: nothing was restored, and nothing on this host was changed');
      return INTERRUPTED;
    }
    const { identity, members } = backedUp;
    const kept: string[] = [];
    const suffix = `before-restore-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`;
    kept.push(...placeDropIns(configFile, { work, members, suffix }));
    if (members.has('controller.yml')) {
      const restored = path.join(work, 'controller.yml');
      kept.push(...placeConfig(configFile, restored, suffix));
      rmSync(restored);
    }
    if (existsSync(places.stateFolder)) {
      renameSync(places.stateFolder, `${places.stateFolder}.${suffix}`);
      kept.push(`${places.stateFolder}.${suffix}`);
    }
    chmodSync(work, 0o700);
    renameSync(work, places.stateFolder);
    makeNamesDurable(parent);
    publishCertificate(places.publishedFolder, identity.certificatePem);
    if (options.json === true) {
      printJson('restore', { fingerprint: formatFingerprint(identity.pin), kept });
      return EXIT.done;
    }
    print(`restored: this is the Main with the fingerprint ${formatFingerprint(identity.pin)}`);
    for (const each of kept) print(`kept what was here before: ${each}`);
    print(howToStart(context.root, 'xivo-xds-sync', 'serve'));
    print(
      'If the backup is older than what an MDS has seen, removals on that MDS are on hold until confirmed:',
    );
    print('look at "xivo-xds-sync sync --dry-run" first, then run "xivo-xds-sync confirm DIRECTORY".');
    return EXIT.done;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Does the work of a command that needs no daemon; on a terminal, shows its progress.
 * @returns undefined when Ctrl-C, or another signal that asks to end, interrupted it
 */
async function interruptible<T>(work: (on: BackupWork) => Promise<T>): Promise<T | undefined> {
  const signal = abortedBy(stopSignal());
  using shown = showProgress({ waits: false });
  const through =
    (show: (progress: Progress) => void): BackupWork['progress'] =>
    (doing, bytes, bytesTotal) =>
      show({ host: 'main', doing, files: 0, filesTotal: null, bytes, bytesTotal });
  try {
    return await work({ signal, progress: through(shown.update), progressNow: through(shown.updateNow) });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function sayRemoved(remains: readonly string[]): void {
  for (const each of remains)
    printError(`xivo-xds-sync: removed what an earlier backup or restore left when it was killed: ${each}`);
}

function placeConfig(configFile: string, restored: string, suffix: string): string[] {
  const text = readFileSync(restored);
  mkdirSync(path.dirname(configFile), { recursive: true });
  const kept: string[] = [];
  if (existsSync(configFile)) {
    if (readFileSync(configFile).equals(text)) return [];
    copyFileSync(configFile, `${configFile}.${suffix}`);
    kept.push(`${configFile}.${suffix}`);
  }
  writeFileDurably(configFile, text, { mode: 0o640 });
  return kept;
}

/**
 * Replaces the files of controller.d by those of the backup: a file added since would change the restored Main. The
 * existing ones are kept beside it, under a name that is not read.
 */
function placeDropIns(
  configFile: string,
  { work, members, suffix }: { work: string; members: ReadonlySet<Member>; suffix: string },
): string[] {
  const folder = dropInFolder(configFile);
  // A backup without a configuration file contains no configuration.
  if (folder === undefined || !(members.has('controller.yml') || [...members].some(isDropIn))) return [];
  const kept: string[] = [];
  for (const each of dropIns(configFile)) {
    if (members.has(dropInMember(path.basename(each)))) continue;
    renameSync(each, `${each}.${suffix}`);
    kept.push(`${each}.${suffix}`);
  }
  for (const member of members) {
    if (!isDropIn(member)) continue;
    kept.push(...placeConfig(path.join(folder, path.basename(member)), path.join(work, member), suffix));
  }
  rmSync(path.join(work, 'controller.d'), { recursive: true, force: true });
  if (existsSync(folder)) makeNamesDurable(folder);
  return kept;
}
