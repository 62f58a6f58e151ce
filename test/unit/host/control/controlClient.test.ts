import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as z from 'zod';
import type { Contract, Progress } from '#host/control/contract.ts';
import { askDaemon, NotRunning } from '#host/control/controlClient.ts';
import { ControlError } from '#host/control/controlError.ts';

const contract = {
  status: { args: z.object({}), result: z.object({ text: z.string() }) },
} satisfies Contract;

/** Asks a daemon that does this with each connection. */
class Asked {
  readonly progress: Progress[] = [];
  request: unknown;
  readonly #socketPath: string;
  readonly #server: net.Server;

  constructor(t: TestContext, serve: (socket: net.Socket) => void) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-client-'));
    this.#socketPath = path.join(folder, 'x.sock');
    this.#server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        this.request = JSON.parse(data.toString());
        serve(socket);
      });
    });
    t.after(() => {
      this.#server.close();
      rmSync(folder, { recursive: true });
    });
  }

  async answer(): Promise<string> {
    if (!this.#server.listening) await once(this.#server.listen(this.#socketPath), 'listening');
    const daemon = { socketPath: this.#socketPath, name: 'agent', howToStart: 'Start it.' };
    const { text } = await askDaemon(daemon, contract, 'status', {}, (each) => this.progress.push(each));
    return text;
  }
}

void describe('A client of a daemon', () => {
  void it('takes the answer in whatever pieces it comes, after signs of life and of progress', async (t) => {
    const progress = { host: 'mds1', doing: 'reading', files: 1, filesTotal: null, bytes: 3, bytesTotal: 4 };
    const asked = new Asked(t, (socket) => {
      const lines = [
        { alive: true },
        { progress },
        { alive: true },
        { result: { text: 'é'.repeat(50_000) } },
      ];
      const bytes = Buffer.from(lines.map((each) => `${JSON.stringify(each)}\n`).join(''));
      // Not at the limits of lines or characters.
      for (let at = 0; at < bytes.length; at += 4_097) socket.write(bytes.subarray(at, at + 4_097));
    });
    assert.equal(await asked.answer(), 'é'.repeat(50_000));
    assert.deepEqual(asked.progress, [progress]);
    const request = asked.request as { command: string; follow: boolean; by: string };
    assert.deepEqual([request.command, request.follow, typeof request.by], ['status', true, 'string']);
  });

  void it('fails with the reason and the exit code of the daemon', async (t) => {
    const asked = new Asked(t, (socket) => socket.end('{"error":"no such MDS","exitCode":2}\n'));
    await assert.rejects(
      asked.answer(),
      (error) => error instanceof ControlError && error.message === 'no such MDS' && error.exitCode === 2,
    );
  });

  void it('says what to do when the daemon ends, hangs up or answers nonsense', async (t) => {
    for (const [serve, message] of [
      [(socket: net.Socket) => socket.end(), /ended before it answered, .* repeat the command/],
      [(socket: net.Socket) => socket.end('{"progress":{"ho'), /ended before it answered/],
      [(socket: net.Socket) => socket.destroy(), /ended before it answered/],
      [(socket: net.Socket) => socket.write('nonsense\n'), /answered nonsense: restart it/],
      [(socket: net.Socket) => socket.write('{"results":1}\n'), /another version|nonsense/],
      [
        (socket: net.Socket) => socket.write('{"result":{"text":1}}\n'),
        /has another version than this command/,
      ],
    ] as const) {
      await assert.rejects(
        new Asked(t, serve).answer(),
        (error) => error instanceof ControlError && message.test(error.message),
      );
    }
  });

  void it('says that no daemon is there: no socket, no folder, a file under its name', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-client-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, 'file'), '');
    for (const socketPath of ['none', 'none/x.sock', 'file/x.sock', 'file'].map((name) =>
      path.join(folder, name),
    ))
      await assert.rejects(
        askDaemon({ socketPath, name: 'controller', howToStart: 'Start it.' }, contract, 'status', {}),
        (error) =>
          error instanceof NotRunning &&
          error.message === `the controller is not running (no answer on ${socketPath}). Start it.`,
      );
  });
});
