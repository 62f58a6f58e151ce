import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import * as z from 'zod';
import { askDaemon, NotRunning } from '#host/control/controlClient.ts';
import type { Contract, Handlers, Progress } from '#host/control/contract.ts';
import { ControlError } from '#host/control/controlError.ts';
import { ControlServer } from '#host/control/controlServer.ts';

const contract = {
  double: { args: z.object({ n: z.number() }), result: z.object({ n: z.number() }) },
  slow: { args: z.object({}), result: z.object({ done: z.boolean() }) },
} satisfies Contract;

let folder: string;
let socketPath: string;
const open: { close: () => Promise<void> | void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'xds-control-'));
  socketPath = path.join(folder, 'x.sock');
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(handlers: Partial<Handlers<typeof contract>>): Promise<void> {
  const all = { double: ({ n }: { n: number }) => ({ n: 2 * n }), slow: () => ({ done: true }), ...handlers };
  const server = new ControlServer({ socketPath, contract, handlers: () => all, onError: () => undefined });
  await server.listen();
  open.push(server);
}

const daemon = (silentAfter?: number): Parameters<typeof askDaemon>[0] => ({
  socketPath,
  name: 'controller',
  howToStart: 'Start it.',
  ...(silentAfter !== undefined && { silentAfter }),
});

void it('answers with what the contract says', async () => {
  await serve({});
  assert.deepEqual(await askDaemon(daemon(), contract, 'double', { n: 21 }), { n: 42 });
});

void it('refuses arguments that the contract does not allow, as wrong usage', async () => {
  await serve({});
  const wrong = { n: 'many' } as unknown as { n: number };
  await assert.rejects(askDaemon(daemon(), contract, 'double', wrong), { exitCode: 2 });
});

void it('an answer of another version is refused, not trusted', async () => {
  await serve({ double: () => ({ n: 'x' }) as unknown as { n: number } });
  await assert.rejects(askDaemon(daemon(), contract, 'double', { n: 1 }), /another version/);
});

void it('says that the daemon is not running, with exit code 3', async () => {
  await assert.rejects(
    askDaemon(daemon(), contract, 'slow', {}),
    (error) => error instanceof NotRunning && error.exitCode === 3 && error.message.includes('Start it.'),
  );
});

void it('does not wait for a daemon that says nothing', async () => {
  const frozen = net.createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => frozen.listen(socketPath, resolve));
  open.push({ close: () => void frozen.close() });
  await assert.rejects(askDaemon(daemon(100), contract, 'slow', {}), /does not answer/);
});

void it('waits for a daemon that works, and hands on how far it is', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let finish = (): void => undefined;
  await serve({
    slow: async (_args, { progress }) => {
      progress({ host: 'mds1', doing: 'reading', files: 1, filesTotal: 2, bytes: 3, bytesTotal: 4 });
      await new Promise<void>((resolve) => (finish = resolve));
      return { done: true };
    },
  });
  const seen: Progress[] = [];
  const first = Promise.withResolvers<void>();
  const answer = askDaemon(daemon(2_000), contract, 'slow', {}, (progress) => {
    seen.push(progress);
    first.resolve();
  });
  await first.promise;
  // The daemon says that it lives, though its work goes on.
  t.mock.timers.tick(10_000);
  finish();
  assert.deepEqual(await answer, { done: true });
  assert.equal(seen[0]?.host, 'mds1');
});

void it('outlives a command that is killed while it waits, and notifies its handler', async () => {
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await serve({
    slow: async (_args, { signal, progress }) => {
      asked.resolve();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      progress({ host: 'mds1', doing: 'reading', files: 1, filesTotal: 2, bytes: 3, bytesTotal: 4 });
      gone.resolve();
      return { done: true };
    },
  });
  const socket = net.connect(socketPath);
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify({ command: 'slow', args: {}, follow: true })}\n`);
  await asked.promise;
  socket.destroy();
  await gone.promise;
  assert.deepEqual(await askDaemon(daemon(), contract, 'double', { n: 1 }), { n: 2 });
});

void it('answers one line to a client of the last version, which does not follow', async () => {
  await serve({});
  const lines = await new Promise<string>((resolve) => {
    let text = '';
    const socket = net.connect(socketPath);
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.write(`${JSON.stringify({ command: 'double', args: { n: 2 } })}\n`);
  });
  assert.deepEqual(JSON.parse(lines), { result: { n: 4 } });
});

void it('refuses commands that are not in its contract', async () => {
  await serve({});
  const socketError = askDaemon(daemon(), { ...contract, other: contract.slow }, 'other', {});
  await assert.rejects(socketError, (error) => error instanceof ControlError && error.exitCode === 2);
});
