import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { controllerConfigText } from '#host/config/defaultText.ts';
import { loadControllerConfig, parseControllerConfig } from '../../config/controllerConfig.ts';
import { formatHostPort, type HostPort, parseHostPort } from '#host/config/hostPort.ts';
import { setKeys } from '#host/config/setKeys.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { firstIdentity } from '#host/identity/firstIdentity.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { publishCertificate } from '../../enrolment/publishCertificate.ts';
import { print } from '#host/cli/output/terminal.ts';
import { stderrOf } from '#host/process/stderr.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { oldJob, retireOldJob } from '../migration/oldJob.ts';

const SERVICE = 'xivo-xds-sync.service';

export type InitOptions = {
  readonly host?: string;
  readonly listen?: string;
  readonly service?: boolean;
  /** Keeps the old rsync job running until `resume`. */
  readonly keepCron?: boolean;
  readonly json?: boolean;
};

type Say = (line: string) => void;

/** `-i`: creates what is missing and keeps what exists. */
export async function init(context: Context, options: InitOptions): Promise<number> {
  const { places, configFile } = context;
  const say: Say = options.json === true ? () => undefined : print;
  makeConfig(configFile, options.listen, say);
  loadControllerConfig(configFile);
  const host = options.host ?? hostname();
  const { identity, isNew } = await firstIdentity(places.identityFolder, host);
  say(`${isNew ? "created Main's identity" : "Main's identity already exists"}: ${places.identityFolder}`);
  const published = publishCertificate(places.publishedFolder, identity.certificatePem);
  if (published !== undefined) say(`published Main's certificate: ${published}`);
  if (options.keepCron === true) await leaveOldJobOn(context, say);
  else await takeOverFromOldJob(context, say);
  const fingerprint = formatFingerprint(identity.pin);
  say(`fingerprint ${fingerprint}`);
  const service = options.service !== false && enableService(context, say);
  if (options.json === true)
    printJson('init', { configFile, identityFolder: places.identityFolder, isNew, fingerprint, service });
  return EXIT.done;
}

function makeConfig(file: string, listen: string | undefined, say: Say): void {
  const given = listen === undefined ? undefined : listenOption(listen);
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileDurably(file, controllerConfigText(given === undefined ? {} : { listen: given }), {
      mode: 0o640,
    });
    say(`created the configuration: ${file}`);
    return;
  }
  say(`the configuration already exists: ${file}`);
  if (given === undefined) return;
  const { listen: before } = loadControllerConfig(file).config;
  if (formatHostPort(before) === formatHostPort(given)) return;
  const text = setKeys(readFileSync(file, 'utf8'), { listen: JSON.stringify(formatHostPort(given)) });
  parseControllerConfig(file, text);
  writeFileDurably(file, text, { mode: statSync(file).mode & 0o7777 });
  say(`changed listen: from ${formatHostPort(before)} to ${formatHostPort(given)}`);
}

function listenOption(text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    throw new UsageError(`--listen: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Turns the old job off, unless a person has chosen it: after --keep-cron and "migrate --back" nothing else synchronises. */
async function takeOverFromOldJob(context: Context, say: Say): Promise<void> {
  const { places } = context;
  if (oldJob(places) !== 'on') return;
  const { isPausedForGood } = await import('../migration/startPaused.ts');
  if (await isPausedForGood(context)) return sayOldJobStays(places.oldCronFile, say);
  const retired = retireOldJob(places);
  if (retired === undefined) return;
  say(retired);
  say(
    'no MDS gets files any more until it is enrolled; to return to the old job: xivo-xds-sync migrate --back',
  );
}

function sayOldJobStays(cronFile: string, say: Say): void {
  say(`the old rsync job keeps running (${cronFile}), and synchronisation is paused`);
  say('enrol every MDS, look at "xivo-xds-sync migrate --compare", and switch with "xivo-xds-sync resume"');
}

/** With --keep-cron the old job keeps running, and this program is paused until "resume". */
async function leaveOldJobOn(context: Context, say: Say): Promise<void> {
  const { places } = context;
  if (oldJob(places) !== 'on') return say('there is no old rsync job to keep (--keep-cron)');
  const { pauseForGood } = await import('../migration/startPaused.ts');
  await pauseForGood(context);
  sayOldJobStays(places.oldCronFile, say);
}

/** @returns true when the service runs. With --root, the services of this machine are not touched. */
function enableService({ root }: Context, say: Say): boolean {
  if (root.isElsewhere) {
    say('the service is not enabled (--root): start the controller with "xivo-xds-sync --root DIR serve"');
    return false;
  }
  if (!existsSync('/run/systemd/system')) {
    say('systemd is not running here: start the controller with "xivo-xds-sync serve"');
    return false;
  }
  try {
    execFileSync('systemctl', ['enable', '--now', SERVICE], { stdio: 'pipe' });
    say(`the service ${SERVICE} is enabled and running`);
    return true;
  } catch (error) {
    const reason = stderrOf(error) ?? String(error);
    say(
      `the service ${SERVICE} could not be enabled (${reason}): start the controller with "xivo-xds-sync serve"`,
    );
    return false;
  }
}
