import { type AgentConfig, usualPlaces } from '../config/agentConfig.ts';
import { formatHostPort } from '#host/config/hostPort.ts';
import { type Check, exitCodeOf, renderChecks } from '#host/doctor/check.ts';
import { checkHost } from '#host/doctor/checkHost.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import { dial } from '../connection/dial.ts';
import { loadMembership } from '../connection/membership.ts';
import { print } from '#host/cli/output/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';
import { loadConfig } from './loadConfig.ts';

type Directories = readonly { readonly name: string; readonly path: string }[];

/** `doctor`: checks everything that the agent needs, whether it runs or not. */
export async function doctor(context: Context, options: { json?: boolean }): Promise<number> {
  const opened = await openedByAgent(context);
  const { checks, config } = checkHost({
    configFile: context.configFile,
    loadConfig: () => loadConfig(context),
    configRemedy: 'fix the file, or create it with xivo-xds-sync-agent enroll',
    identityFolder: context.places.identityFolder,
    locate: (path) => context.root.path(path),
    directoriesOf: (config) => opened ?? expected(context, config),
    programsOf: ({ asterisk }) => asterisk.slice(0, 1),
  });
  if (config !== undefined) checks.push(await checkMain(context, config));
  if (options.json === true) printJson('doctor', { checks });
  else for (const line of renderChecks(checks)) print(line);
  return exitCodeOf(checks);
}

/** The directories that Main sent, with their paths here, from a running agent that has connected. */
async function openedByAgent(context: Context): Promise<Directories | undefined> {
  try {
    const { directories } = await ask(context, 'status', {});
    const opened = directories.flatMap(({ name, path }) => (path === undefined ? [] : [{ name, path }]));
    return opened.length === 0 ? undefined : opened;
  } catch {
    // Without a running agent, the checks that do not need it are made.
    return undefined;
  }
}

/** The four directories of a XiVO with the changes in this host's configuration, until Main has sent its own. */
function expected({ root }: Context, config: AgentConfig): Directories {
  return [...usualPlaces(config)].map(([name, path]) => ({ name, path: root.path(path) }));
}

/** Connects to Main and verifies its key, then closes the connection. */
async function checkMain(context: Context, { main, localAddress }: AgentConfig): Promise<Check> {
  const { identityFolder } = context.places;
  const identity = loadIdentity(identityFolder);
  const membership = loadMembership(identityFolder);
  const name = 'Main';
  if (main === undefined || identity === undefined || membership === undefined) {
    return {
      name,
      result: 'failed',
      detail: 'this MDS is not enrolled',
      remedy: 'run "xivo-xds-sync-agent enroll --main HOST --token-file FILE"',
    };
  }
  try {
    const { keyPem, certificatePem } = identity;
    const { socket } = await dial({
      main,
      path: '/enrol',
      keyPem,
      certificatePem,
      mainPins: [
        membership.mainPin,
        ...(membership.nextMainPin === undefined ? [] : [membership.nextMainPin]),
      ],
      localAddress,
    });
    socket.terminate();
    return { name, result: 'ok', detail: `${formatHostPort(main)} reachable, key verified` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return {
      name,
      result: 'failed',
      detail: `${formatHostPort(main)}: ${detail}`,
      remedy: 'is Main up, and its port open?',
    };
  }
}
