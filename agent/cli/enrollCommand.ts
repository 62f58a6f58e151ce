import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type EnrolAnswer, enrolAnswerSchema, type EnrolRequest } from '../../protocol/messages.ts';
import { PROTOCOL } from '../../protocol/version.ts';
import { loadAgentConfig } from '../../shared/config/agentConfig.ts';
import { agentConfigText } from '../../shared/config/defaultText.ts';
import { formatHostPort, type HostPort, parseHostPort } from '../../shared/config/hostPort.ts';
import { EXIT } from '../../shared/cli/exitCodes.ts';
import { UsageError } from '../../shared/cli/usageError.ts';
import { writeFileDurably } from '../../shared/disk/durableFile.ts';
import type { Identity } from '../../shared/identity/certificate.ts';
import { enrolmentFingerprint } from '../../shared/identity/enrolmentFingerprint.ts';
import { proveEnrolment, tlsBinding } from '../../shared/identity/enrolmentProof.ts';
import { loadIdentity, saveIdentity } from '../../shared/identity/identityFiles.ts';
import { decodeToken, type JoinToken } from '../../shared/identity/joinToken.ts';
import { dial, type Dialled } from '../link/dial.ts';
import { type Context, print } from './context.ts';
import { loadMembership, saveMembership } from './membership.ts';

const ANSWER_TIMEOUT = 30_000;
const MAX_TOKEN_CHARACTERS = 4_096;

export type EnrollOptions = { readonly main?: string; readonly tokenFile?: string; readonly name?: string };

/** `enroll`: makes this host an MDS of a Main. */
export async function enroll(context: Context, options: EnrollOptions): Promise<number> {
  if (options.main === undefined) throw new UsageError('--main HOST[:PORT] is missing: which Main is it?');
  const main = hostPort(options.main);
  const token = options.tokenFile === undefined ? undefined : await readToken(options.tokenFile);
  if (token && options.name !== undefined && token.name !== options.name) {
    throw new UsageError(`the token is for "${token.name}", not for "${options.name}"`);
  }
  const name = token?.name ?? options.name ?? hostname();
  const identity = await identityOf(context, name);
  const known = loadMembership(context.places.identityFolder);
  // Without a token nothing vouches for Main but what this MDS was told before.
  const mainPin = token?.mainPin ?? known?.mainPin;
  const dialled = await connect(main, identity, mainPin);
  const answer = await ask(dialled, request(name, token, dialled, identity));
  if (answer.type === 'refused') {
    process.stderr.write(`xivo-xds-sync-agent: Main refused: ${answer.reason}\n`);
    return EXIT.failed;
  }
  if (answer.type === 'pending') {
    saveMembership(context.places.identityFolder, { name, mainPin: dialled.mainPin, approved: false });
    writeConfig(context, main, name, undefined);
    print(`Main was asked to let "${name}" in. Compare this fingerprint with the one that Main shows:`);
    print(`  ${enrolmentFingerprint({ mainPin: dialled.mainPin, agentPin: identity.pin })}`);
    print(`When they are equal, run on Main: xivo-xds-sync mds approve ${name}`);
    return EXIT.done;
  }
  saveIdentity(context.places.identityFolder, { ...identity, certificatePem: answer.certificate });
  saveMembership(context.places.identityFolder, { name, mainPin: dialled.mainPin, approved: true });
  writeConfig(context, main, name, answer.directories);
  print(`enrolled as "${name}" with Main at ${formatHostPort(main)}`);
  return EXIT.done;
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
    throw new UsageError(`there is no token in ${file === '-' ? 'standard input' : file}`);
  return decodeToken(content.slice(0, MAX_TOKEN_CHARACTERS));
}

async function identityOf({ places }: Context, name: string): Promise<Identity> {
  const known = loadIdentity(places.identityFolder);
  if (known !== undefined) return known;
  const { createIdentity } = await import('../../shared/identity/certificate.ts');
  const identity = await createIdentity({ commonName: name });
  saveIdentity(places.identityFolder, identity);
  return identity;
}

async function connect(main: HostPort, identity: Identity, mainPin: string | undefined): Promise<Dialled> {
  try {
    const { keyPem, certificatePem } = identity;
    return await dial({ main, path: '/enrol', keyPem, certificatePem, mainPin });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(
      `Main can't be reached at ${formatHostPort(main)} (${code}): is the name right, is "xivo-xds-sync serve" running there, and is the port open?`,
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

async function ask({ socket }: Dialled, message: EnrolRequest): Promise<EnrolAnswer> {
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
  const closed = once(socket, 'close').then(() => {
    throw new Error('Main closed the connection without an answer: see its log');
  });
  socket.send(JSON.stringify(message));
  const [data] = (await Promise.race([answered, closed])) as [Buffer];
  closed.catch(() => undefined);
  socket.close();
  return enrolAnswerSchema.parse(JSON.parse(data.toString('utf8')));
}

/** Main says where the directories lie there; from then on this host's own file decides where they lie here. */
function writeConfig(
  { configFile }: Context,
  main: HostPort,
  name: string,
  directories: readonly { name: string; path: string }[] | undefined,
): void {
  if (existsSync(configFile)) {
    const { config } = loadAgentConfig(configFile);
    const same =
      config.main !== undefined &&
      formatHostPort(config.main) === formatHostPort(main) &&
      config.name === name;
    if (!same)
      print(
        `${configFile} is kept as it is: see that it says "main: ${formatHostPort(main)}" and "name: ${name}"`,
      );
    return;
  }
  mkdirSync(path.dirname(configFile), { recursive: true });
  writeFileDurably(configFile, agentConfigText({ main, name, ...(directories && { directories }) }), {
    mode: 0o644,
  });
}
