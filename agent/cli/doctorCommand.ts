import type { AgentConfig } from '../config/agentConfig.ts';
import { formatHostPort } from '#host/config/hostPort.ts';
import { type Check, exitCodeOf, renderChecks } from '#host/doctor/check.ts';
import { checkHost } from '#host/doctor/checkHost.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import { dial } from '../connection/dial.ts';
import { loadMembership } from '../connection/membership.ts';
import { print } from '#host/cli/terminal.ts';
import { printJson } from './ask.ts';
import type { Context } from './context.ts';
import { loadConfig } from './loadConfig.ts';

/** `doctor`: looks at everything that the agent needs, whether it runs or not. */
export async function doctor(context: Context, options: { json?: boolean }): Promise<number> {
  const { checks, config } = checkHost({
    configFile: context.configFile,
    loadConfig: () => loadConfig(context),
    configRemedy: 'fix the file, or create it with xivo-xds-sync-agent enroll',
    identityFolder: context.places.identityFolder,
    locate: (path) => context.root.path(path),
    programsOf: ({ asterisk }) => asterisk.slice(0, 1),
  });
  if (config !== undefined) checks.push(await checkMain(context, config));
  if (options.json === true) printJson({ checks });
  else for (const line of renderChecks(checks)) print(line);
  return exitCodeOf(checks);
}

/** Reaches Main and verifies that it is the right one; the connection ends before anything is said. */
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
