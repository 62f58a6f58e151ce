import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as z from 'zod';
import type { Contract, Handlers } from '#host/control/contract.ts';
import { ControlError } from '#host/control/controlError.ts';
import { ControlServer, type ControlServerOptions } from '#host/control/controlServer.ts';
import { withShortSocketPath } from '#host/control/socketPath.ts';

const contract = {
  echo: { args: z.object({ text: z.string() }), result: z.object({ text: z.string(), by: z.string() }) },
  wait: { args: z.object({}), result: z.object({}) },
} satisfies Contract;
type Options = Partial<ControlServerOptions<typeof contract>>;

/** A daemon's control socket, asked with plain lines. */
class Daemon {
  readonly socketPath: string;
  readonly errors: string[] = [];
  readonly #t: TestContext;

  constructor(t: TestContext, inside = 'run/x.sock') {
    this.#t = t;
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-server-'));
    t.after(() => rmSync(folder, { recursive: true }));
    this.socketPath = path.join(folder, inside);
  }

  async listen(
    handlers: Partial<Handlers<typeof contract>> = {},
    options: Options = {},
  ): Promise<ControlServer<typeof contract>> {
    const server = new ControlServer({
      socketPath: this.socketPath,
      contract,
      handlers: () => ({ echo: ({ text }, { by }) => ({ text, by }), wait: () => ({}), ...handlers }),
      onError: (command, error) => this.errors.push(`${command}: ${String(error)}`),
      ...options,
    });
    this.#t.after(() => server.close());
    await server.listen();
    return server;
  }

  connect(): Promise<net.Socket> {
    return withShortSocketPath(this.socketPath, async (short) => {
      const socket = net.connect(short);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    });
  }

  /** What is answered to these lines, until it hangs up. */
  async answerTo(...pieces: readonly string[]): Promise<unknown[]> {
    const socket = await this.connect();
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    if (!socket.closed) await once(socket, 'close');
    return text.split('\n').flatMap((line): unknown[] => (line === '' ? [] : [JSON.parse(line)]));
  }
}

function line(command: string, args: unknown = {}, more: object = {}): string {
  return `${JSON.stringify({ command, args, ...more })}\n`;
}

void describe('The control socket', () => {
  void it('is for root alone, or for a group, and goes with its daemon', async (t) => {
    const daemon = new Daemon(t);
    const server = await daemon.listen();
    assert.equal(lstatSync(daemon.socketPath).mode & 0o777, 0o600);
    assert.equal(lstatSync(path.dirname(daemon.socketPath)).mode & 0o777, 0o755);
    await server.close();
    await server.close();
    assert.equal(existsSync(daemon.socketPath), false);
    await daemon.listen({}, { group: process.getgid?.() ?? 0 });
    assert.equal(lstatSync(daemon.socketPath).mode & 0o777, 0o660);
  });

  void it('is not taken from a daemon that answers, and is from one that was killed', async (t) => {
    const daemon = new Daemon(t);
    await daemon.listen();
    await assert.rejects(daemon.listen(), /another one is already running/);
    assert.deepEqual(await daemon.answerTo(line('wait')), [{ result: {} }]);

    const killed = new Daemon(t, 'x.sock');
    writeFileSync(killed.socketPath, '');
    await killed.listen();
    assert.deepEqual(await killed.answerTo(line('wait')), [{ result: {} }]);
  });

  void it('may have a path that is longer than a socket address', async (t) => {
    const daemon = new Daemon(t, `${'deep/'.repeat(30)}x.sock`);
    await daemon.listen();
    assert.deepEqual(await daemon.answerTo(line('wait')), [{ result: {} }]);
  });
});

void describe('A command that is asked', () => {
  void it('is answered, in whatever pieces it arrives, with the name of who asked', async (t) => {
    const daemon = new Daemon(t);
    await daemon.listen();
    const asked = line('echo', { text: 'é\n漢' }, { by: 'root' });
    assert.deepEqual(await daemon.answerTo(asked.slice(0, 10), asked.slice(10, -1), '\n'), [
      { result: { text: 'é\n漢', by: 'root' } },
    ]);
    assert.deepEqual(await daemon.answerTo(line('echo', { text: 'a' })), [
      { result: { text: 'a', by: 'command' } },
    ]);
  });

  void it('is one for each connection', async (t) => {
    const daemon = new Daemon(t);
    const asked: string[] = [];
    await daemon.listen({
      echo: ({ text }) => {
        asked.push(text);
        return { text, by: '' };
      },
    });
    const twice = line('echo', { text: 'first' }) + line('echo', { text: 'second' });
    assert.equal((await daemon.answerTo(twice)).length, 1);
    assert.deepEqual(asked, ['first']);
  });

  void it('that makes no sense is refused, and the daemon goes on', async (t) => {
    const daemon = new Daemon(t);
    await daemon.listen();
    for (const [request, exitCode, message] of [
      [line('toString'), 2, /does not know "toString": it has another version/],
      [line('echo', { text: 5 }), 2, /^echo: /],
      [line('echo', []), 1, /args/],
      ['{\n', 1, /JSON/],
      ['\n', 1, /JSON/],
    ] as const) {
      const [answer] = (await daemon.answerTo(request)) as { error: string; exitCode: number }[];
      assert.equal(answer?.exitCode, exitCode, request);
      assert.match(answer?.error ?? '', message);
    }
    // Without an end it is cut off before it fills the memory.
    assert.deepEqual(await daemon.answerTo('x'.repeat(70_000)), []);
    assert.deepEqual(await daemon.answerTo(line('wait')), [{ result: {} }]);
  });

  void it('that fails is answered with the reason, and a defect is reported to the daemon', async (t) => {
    const daemon = new Daemon(t);
    await daemon.listen({
      wait: () => {
        throw new ControlError('no such MDS', 2);
      },
      echo: () => Promise.reject(new TypeError('a defect')),
    });
    assert.deepEqual(await daemon.answerTo(line('wait')), [{ error: 'no such MDS', exitCode: 2 }]);
    assert.deepEqual(daemon.errors, []);
    assert.deepEqual(await daemon.answerTo(line('echo', { text: '' })), [{ error: 'a defect', exitCode: 1 }]);
    assert.deepEqual(daemon.errors, ['echo: TypeError: a defect']);
  });

  void it('tells how far it is only to a client that follows', async (t) => {
    const daemon = new Daemon(t);
    const progress = { host: 'mds1', doing: 'reading', files: 1, filesTotal: 2, bytes: 3, bytesTotal: null };
    await daemon.listen({
      wait: (_args, call) => {
        call.progress(progress);
        return {};
      },
    });
    assert.deepEqual(await daemon.answerTo(line('wait')), [{ result: {} }]);
    assert.deepEqual(await daemon.answerTo(line('wait', {}, { follow: true })), [
      { progress },
      { result: {} },
    ]);
  });
});

void describe('A daemon that stops', () => {
  void it('ends the commands that run, and waits for them', async (t) => {
    const daemon = new Daemon(t);
    const asked = Promise.withResolvers<void>();
    const order: string[] = [];
    const server = await daemon.listen({
      wait: async (_args, { signal }) => {
        asked.resolve();
        await once(signal, 'abort');
        await new Promise((resolve) => setImmediate(resolve));
        order.push('the command is over');
        throw new Error('it was ended');
      },
    });
    const answering = daemon.answerTo(line('wait'));
    await asked.promise;
    await server.close();
    order.push('the server is closed');
    assert.deepEqual(order, ['the command is over', 'the server is closed']);
    assert.deepEqual(await answering, []);
    // It is no defect that a command failed for that.
    assert.deepEqual(daemon.errors, []);
  });
});
