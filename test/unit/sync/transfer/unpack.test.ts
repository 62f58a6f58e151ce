import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { Channel } from '#wire/channel.ts';
import { packFiles } from '#sync/transfer/pack.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import { unpackFiles } from '#sync/transfer/unpack.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';

type Cut = 'close' | 'reset';
type Kind = 'text' | 'audio' | 'small text' | 'small audio';

for (const kind of ['text', 'audio', 'small text', 'small audio'] as const) {
  for (const how of ['close', 'reset'] as const) {
    void test(`${kind}: wherever a transfer is cut by ${how}, both ends are done with it and no file stays open`, async (t) => {
      const folder = folderOf(t, kind);
      const frames = await transfer(folder, kind, how, Infinity);
      assert.ok(frames > 3, `${frames} frames`);
      const step = Math.max(1, Math.floor(frames / 12));
      for (let after = 0; after < frames; after += step) await transfer(folder, kind, how, after);
    });
  }
}

void test('a directory that can not be opened ends the transfer', async () => {
  const { main, agent } = channels(new MemoryLine());
  const incoming = agent.openIncoming(1);
  const out = main.openOutgoing(1, 10);
  const files: Packed[] = [{ path: 'f', size: 10, stamp: '' }];
  const taken = unpackFiles(incoming, [10], () => sink()).catch((error: unknown) => error);
  await assert.rejects(
    packFiles('/nowhere/at all', files, out).catch((error: unknown) => {
      out.abort(String(error));
      throw error;
    }),
    /ENOENT/,
  );
  assert.ok((await taken) instanceof Error);
});

void test('a receiver that gives an archive up ends the sender', async (t) => {
  for (const kind of ['text', 'audio'] as const) {
    const folder = folderOf(t, kind);
    const { main, agent } = channels(new MemoryLine());
    const files = packed(folder);
    const incoming = agent.openIncoming(1);
    const out = main.openOutgoing(1, 1);
    const sent = packFiles(folder, files, out).catch((error: unknown) => error);
    await assert.rejects(
      unpackFiles(
        incoming,
        files.map(({ size }) => size),
        () => ({ ...sink(), write: () => Promise.reject(new Error('no more of it')) }),
      ),
      /no more of it/,
    );
    assert.match(String(await sent), /cancelled/);
    assert.deepEqual(openIn(folder), []);
  }
});

/** @returns frames that arrived */
async function transfer(folder: string, kind: Kind, how: Cut, after: number): Promise<number> {
  let frames = 0;
  const line: MemoryLine = new MemoryLine((_from, _data, isBinary) => {
    if (isBinary && frames++ === after) setImmediate(() => line.cut(how));
    return frames <= after;
  });
  const { main, agent } = channels(line);
  const files = packed(folder);
  const incoming = agent.openIncoming(1);
  const out = main.openOutgoing(1, 1);
  const digests: string[] = [];
  const ends = await within(
    `${kind}, cut after ${after}`,
    Promise.allSettled([
      packFiles(folder, files, out),
      unpackFiles(
        incoming,
        files.map(({ size }) => size),
        () => sink(digests),
      ),
    ]),
  );
  if (after === Infinity) {
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    assert.equal(digests.length, files.length);
  } else if (frames > after) assert.equal(ends[1].status, 'rejected');
  await turn();
  assert.deepEqual(openIn(folder), [], `${kind}, cut after ${after} frames`);
  return frames;
}

function channels(line: MemoryLine): {
  main: Channel<ArrivingFromAgent, FromMain>;
  agent: Channel<FromMain, ArrivingFromAgent>;
} {
  const hooks = { onMessage: () => undefined, onClose: () => undefined };
  return {
    main: new Channel(asWebSocket(line.a), { schema: fromAgentSchema, ...hooks }),
    agent: new Channel(asWebSocket(line.b), { schema: fromMainSchema, ...hooks }),
  };
}

function sink(digests: string[] = []): {
  write: (chunk: Uint8Array) => Promise<void>;
  end: () => void;
  refuse: (why: string) => void;
} {
  const hash = createHash('sha256');
  return {
    write: async (chunk) => {
      hash.update(chunk);
      await turn();
    },
    end: () => void digests.push(hash.digest('hex')),
    refuse: (why) => assert.fail(why),
  };
}

function folderOf(t: TestContext, kind: Kind): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-cut-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const extension = kind.endsWith('text') ? 'conf' : 'wav';
  const [files, size] = kind.startsWith('small') ? [30, 40_000] : [2, 1_500_000];
  for (let i = 0; i < files; i++) writeFileSync(path.join(folder, `f${i}.${extension}`), noise(size + i));
  return folder;
}

/** Content that hardly shrinks, so that it takes many frames. */
function noise(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0, x = bytes; at < bytes; at++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    content[at] = x >>> 16;
  }
  return content;
}

function packed(folder: string): Packed[] {
  return readdirSync(folder).map((name) => {
    const stat = lstatSync(path.join(folder, name), { bigint: true });
    return { path: name, size: Number(stat.size), stamp: stampOf(stat) };
  });
}

/** Files in this folder that this process has open. */
function openIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return [];
    }
  });
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: it never ended`)), 30_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
