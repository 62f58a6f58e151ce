import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { withShortSocketPath } from '#host/control/socketPath.ts';
import type { Host } from '../harness/host.ts';

/** Where a daemon answers its command line. */
export function controlSocketOf({ root, program }: Host): string {
  const name = program === 'xivo-xds-sync' ? 'controller.sock' : 'agent.sock';
  return path.join(root, 'run/xivo-xds-sync', name);
}

/**
 * Asks and hangs up, sooner or later: before the daemon has read, while it works, while it answers.
 * @param turns of this process's event loop before it hangs up; 'answered' waits for the first bytes of the answer, of which
 *   only a whole request has one
 * @throws when nothing listens there
 */
export async function hangUp(socketPath: string, request: string, turns: number | 'answered'): Promise<void> {
  const socket = await withShortSocketPath(socketPath, async (short) => {
    const connecting = net.connect(short);
    await once(connecting, 'connect');
    return connecting;
  });
  socket.on('error', () => undefined);
  socket.write(request);
  if (turns === 'answered') await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  else for (let i = 0; i < turns; i++) await turn();
  socket.destroy();
}
