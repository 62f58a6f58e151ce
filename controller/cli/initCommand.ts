import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { controllerConfigText } from '#host/config/defaultText.ts';
import { loadControllerConfig, parseControllerConfig } from '../config/controllerConfig.ts';
import { formatHostPort, parseHostPort } from '#host/config/hostPort.ts';
import { setKeys } from '#host/config/setKeys.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { firstIdentity } from '#host/identity/firstIdentity.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { publishCertificate } from '../enrolment/publishCertificate.ts';
import { type Context, print } from './context.ts';

const SERVICE = 'xivo-xds-sync.service';

export type InitOptions = { readonly host?: string; readonly listen?: string; readonly service?: boolean };

/** `-i`: makes what is missing and leaves what is there. */
export async function init(context: Context, options: InitOptions): Promise<number> {
  const { places, configFile } = context;
  makeConfig(configFile, options.listen);
  loadControllerConfig(configFile);
  const host = options.host ?? hostname();
  const { identity, isNew } = await firstIdentity(places.identityFolder, host);
  if (isNew) print(`made Main's identity in ${places.identityFolder}`);
  else print(`Main's identity is there already, in ${places.identityFolder}`);
  const published = publishCertificate(places.publishedFolder, identity.certificatePem);
  if (published !== undefined) print(`published Main's certificate: ${published}`);
  retireOldCron(places.oldCronFile);
  print(`fingerprint ${formatFingerprint(identity.pin)}`);
  if (options.service !== false) enableService();
  return EXIT.done;
}

function makeConfig(file: string, listen: string | undefined): void {
  const given = listen === undefined ? undefined : parseHostPort(listen);
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileDurably(file, controllerConfigText(given === undefined ? {} : { listen: given }), {
      mode: 0o640,
    });
    print(`made the configuration: ${file}`);
    return;
  }
  print(`the configuration is there already: ${file}`);
  if (given === undefined) return;
  const { listen: before } = loadControllerConfig(file).config;
  if (formatHostPort(before) === formatHostPort(given)) return;
  const text = setKeys(readFileSync(file, 'utf8'), { listen: JSON.stringify(formatHostPort(given)) });
  parseControllerConfig(file, text);
  writeFileDurably(file, text, { mode: statSync(file).mode & 0o7777 });
  print(`it now says "listen: ${formatHostPort(given)}", not ${formatHostPort(before)}`);
}

/** The rsync job would undo what agents do. cron ignores names with a dot, so the file stays, and sleeps. */
function retireOldCron(file: string): void {
  if (!existsSync(file)) return;
  const retired = `${file}.retired`;
  renameSync(file, retired);
  print(`the old rsync job is off: ${file} is now ${retired}`);
}

function enableService(): void {
  if (!existsSync('/run/systemd/system')) {
    print('systemd does not run here: start the controller with "xivo-xds-sync serve"');
    return;
  }
  try {
    execFileSync('systemctl', ['enable', '--now', SERVICE], { stdio: 'pipe' });
    print(`the service ${SERVICE} is enabled and running`);
  } catch (error) {
    const why = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? String(error);
    print(
      `the service ${SERVICE} could not be enabled (${why}): start the controller with "xivo-xds-sync serve"`,
    );
  }
}
