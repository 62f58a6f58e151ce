import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { EnrolRequest } from '#protocol/messages/enrolment.ts';
import { PROTOCOL } from '#protocol/version.ts';
import { loadAgentConfig, parseAgentConfig } from '../../config/agentConfig.ts';
import { agentConfigText } from '#host/config/defaultText.ts';
import { formatHostPort, type HostPort, parseHostPort } from '#host/config/hostPort.ts';
import { setKeys } from '#host/config/setKeys.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { codeOf } from '#host/fs/errno.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';
import { proveEnrolment, tlsBinding } from '#host/identity/enrolmentProof.ts';
import { firstIdentity } from '#host/identity/firstIdentity.ts';
import { saveIdentity } from '#host/identity/identityFiles.ts';
import { decodeToken, type JoinToken } from '#host/identity/joinToken.ts';
import type { Pin } from '#host/identity/pin.ts';
import { askMain } from '../../connection/askMain.ts';
import { dial, type Dialled } from '../../connection/dial.ts';
import { loadMembership, type Membership, saveMembership } from '../../connection/membership.ts';
import { trustMain } from '../../upgrade/trustedMain.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { printJson } from '../ask.ts';
import type { Context } from '../context.ts';

const MAX_TOKEN_CHARACTERS = 4_096;

export type EnrollOptions = {
  readonly main?: string;
  readonly tokenFile?: string;
  readonly name?: string;
  readonly json?: boolean;
};

/** `enroll`: enrols this host as an MDS of Main. */
export async function enroll(context: Context, options: EnrollOptions): Promise<number> {
  if (options.main === undefined) throw new UsageError('--main HOST[:PORT] is required');
  const main = hostPort(options.main);
  const token = options.tokenFile === undefined ? undefined : await readToken(options.tokenFile);
  if (token && options.name !== undefined && token.name !== options.name) {
    throw new UsageError(`the token is for "${token.name}", not for "${options.name}"`);
  }
  const name = token?.name ?? options.name ?? hostname();
  const { identity } = await firstIdentity(context.places.identityFolder, name);
  const known = loadMembership(context.places.identityFolder);
  // Without a token, only the pin of an earlier enrolment authenticates Main.
  const mainPins = token === undefined ? knownPins(known) : [token.mainPin];
  const localAddress = token?.voipIp ?? configuredAddress(context);
  const dialled = await connect(main, identity, mainPins, localAddress);
  const answer = await askMain(dialled, request(name, token, dialled, identity));
  if (answer.type === 'refused') {
    printError(`xivo-xds-sync-agent: Main refused: ${answer.reason}`);
    return EXIT.failed;
  }
  if (answer.type === 'left') throw new Error('Main sent an unexpected answer');
  if (answer.type === 'pending') {
    const { nextIdentity } = answer;
    saveMembership(context.places.identityFolder, {
      name,
      mainPin: dialled.mainPin,
      ...(nextIdentity !== undefined && { nextMainPin: nextIdentity }),
      approved: false,
    });
    writeConfig(context, { main, name });
    const fingerprint = enrolmentFingerprint({ mainPin: dialled.mainPin, agentPin: identity.pin });
    if (options.json === true) {
      printJson('enroll', { name, state: 'pending', main: formatHostPort(main), fingerprint });
      return EXIT.done;
    }
    print(`"${name}" asked Main for approval. Compare this fingerprint with the one that Main shows:`);
    print(`  ${fingerprint}`);
    print(`If they are equal, run on Main: xivo-xds-sync mds approve ${name}`);
    print('The agent ("xivo-xds-sync-agent run") waits for the approval and then connects by itself.');
    return EXIT.done;
  }
  saveIdentity(context.places.identityFolder, { ...identity, certificatePem: answer.certificate });
  saveMembership(context.places.identityFolder, { name, mainPin: dialled.mainPin, approved: true });
  // Without a token, nothing has proved that this is the right Main; a person does so with "trust-main".
  if (token !== undefined) trustMain(context.places.installerFolder, dialled.mainPin);
  writeConfig(context, { main, name, ...(token?.voipIp && { localAddress: token.voipIp }) });
  if (options.json === true) printJson('enroll', { name, state: 'enrolled', main: formatHostPort(main) });
  else print(`enrolled as "${name}" with Main at ${formatHostPort(main)}`);
  return EXIT.done;
}

/** Undefined when this MDS has no Main yet. */
function knownPins(known: Membership | undefined): readonly Pin[] {
  if (known === undefined) return [];
  const { mainPin, nextMainPin } = known;
  return nextMainPin === undefined ? [mainPin] : [mainPin, nextMainPin];
}

function hostPort(text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    throw new UsageError(`--main: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** From a file or stdin, never from the command line, where every user of the host could read it. */
async function readToken(file: string): Promise<JoinToken> {
  let content: string;
  try {
    content = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `the token file ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (content.trim() === '')
    throw new UsageError(`no token found in ${file === '-' ? 'standard input' : file}`);
  return decodeToken(content.slice(0, MAX_TOKEN_CHARACTERS));
}

async function connect(
  main: HostPort,
  identity: Identity,
  mainPins: readonly Pin[],
  localAddress: string | undefined,
): Promise<Dialled> {
  try {
    const { keyPem, certificatePem } = identity;
    return await dial({ main, path: '/enrol', keyPem, certificatePem, mainPins, localAddress });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (code === 'EADDRNOTAVAIL') {
      throw new Error(
        `this host does not have the VoIP IP ${localAddress} that the token was made for: make a token for the right one with "xivo-xds-sync mds add NAME --voip-ip IP" on Main`,
        { cause: error },
      );
    }
    throw new Error(
      `Main can't be reached at ${formatHostPort(main)} (${code}): is the name right, is the controller running there, and is the port open?`,
      { cause: error },
    );
  }
}

function request(
  name: string,
  token: JoinToken | undefined,
  { tls }: Dialled,
  identity: Identity,
): EnrolRequest {
  const base = { type: 'enrol' as const, protocol: PROTOCOL, name };
  if (token === undefined) return base;
  const proof = proveEnrolment({
    secret: token.secret,
    binding: tlsBinding(tls),
    agentPin: identity.pin,
    name,
  });
  return { ...base, token: { id: token.id, proof } };
}

function configuredAddress({ configFile }: Context): string | undefined {
  return existsSync(configFile) ? loadAgentConfig(configFile).config.localAddress : undefined;
}

function writeConfig(
  { configFile }: Context,
  given: {
    readonly main: HostPort;
    readonly name: string;
    readonly localAddress?: string;
  },
): void {
  const { main, name } = given;
  if (existsSync(configFile)) {
    const { config } = loadAgentConfig(configFile);
    // As installed by the package: every key is commented out.
    if (config.main === undefined) return completeConfig(configFile, given);
    const same =
      config.main !== undefined &&
      formatHostPort(config.main) === formatHostPort(main) &&
      config.name === name;
    if (!same)
      printError(
        `${configFile} was not changed: check that it contains "main: ${formatHostPort(main)}" and "name: ${name}"`,
      );
    return;
  }
  mkdirSync(path.dirname(configFile), { recursive: true });
  writeFileDurably(configFile, agentConfigText(given), { mode: 0o644 });
}

function completeConfig(file: string, { main, name, localAddress }: Parameters<typeof writeConfig>[1]): void {
  const text = readFileSync(file, 'utf8');
  const isSet = (key: string): boolean => new RegExp(`^${key}:`, 'm').test(text);
  const keys = {
    main: JSON.stringify(formatHostPort(main)),
    ...(!isSet('name') && { name: JSON.stringify(name) }),
    ...(localAddress !== undefined &&
      !isSet('localAddress') && { localAddress: JSON.stringify(localAddress) }),
  };
  const complete = setKeys(text, keys);
  parseAgentConfig(file, complete);
  writeFileDurably(file, complete, { mode: statSync(file).mode & 0o7777 });
}
