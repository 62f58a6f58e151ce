import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { NotifyTarget } from '../config/observation.ts';
import type { Notification } from './notification.ts';

/** Environment of a command, which also gets the JSON on its standard input. */
function environmentOf(notification: Notification): Record<string, string> {
  return Object.fromEntries(
    Object.entries(notification).map(([key, value]) => [
      `XDS_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      // The environment can't hold a NUL.
      String(value).replaceAll('\0', ''),
    ]),
  );
}

/**
 * Delivers one notification to a command (JSON on stdin, fields as XDS_… in the environment) or posts it as JSON.
 * @throws on a timeout, a command's exit code other than 0, or an HTTP status other than 2xx
 */
export async function deliver(
  target: NotifyTarget,
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)]);
  const body = `${JSON.stringify(notification)}\n`;
  if (target.kind === 'url') {
    const answer = await fetch(target.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      redirect: 'error',
      signal: within,
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answered ${answer.status} ${answer.statusText}`);
    return;
  }
  const child = spawn(target.command, [], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'], ...environmentOf(notification) },
    signal: within,
    killSignal: 'SIGKILL',
  });
  // A command need not read its standard input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(body);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(code === null ? 'it was stopped: it took too long' : `it ended with ${code}`);
}
