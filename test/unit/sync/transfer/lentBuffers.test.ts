import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import tar from 'tar-stream';
import type { WebSocket } from 'ws';
import { decodeFragments } from '#protocol/frames.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { systemClock } from '#host/time/clock.ts';
import { OutgoingStream } from '#wire/outgoingStream.ts';
import { StreamScheduler } from '#wire/streamScheduler.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-lent-'));
after(() => rmSync(folder, { recursive: true }));

/** A socket that reads what it was handed only when it sends it, as the real one does: later, and in order. */
class LateSocket {
  readonly messages: Uint8Array[][] = [];
  #fragments: Uint8Array[] = [];
  readonly #waiting: { data: Uint8Array; fin: boolean; done: () => void }[] = [];

  send(
    data: Uint8Array,
    options: { fin?: boolean } | (() => void),
    done: () => void = () => undefined,
  ): void {
    const fin = typeof options === 'function' || options.fin !== false;
    this.#waiting.push({ data, fin, done: typeof options === 'function' ? options : done });
    setTimeout(() => this.#sendOne(), 1 + (this.#waiting.length % 5));
  }

  async whenEmpty(): Promise<void> {
    while (this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #sendOne(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#fragments.push(Uint8Array.from(next.data));
    if (next.fin) {
      this.messages.push(this.#fragments);
      this.#fragments = [];
    }
    next.done();
  }
}

void it('a buffer is read into again only when all that was in it has left', async () => {
  const sizes = [1_000_000, 70_000, 3_000_000, 100, 262_144, 65_537, 2_000_001];
  const hashes = sizes.map((size, number) => {
    const content = randomBytes(size);
    writeFileSync(path.join(folder, `${number}.wav`), content);
    return createHash('sha256').update(content).digest('hex');
  });
  const files = sizes.map((size, number) => {
    const name = `${number}.wav`;
    return { path: name, size, stamp: stampOf(statSync(path.join(folder, name), { bigint: true })) };
  });
  const socket = new LateSocket();
  const scheduler = new StreamScheduler(socket as unknown as WebSocket);
  const out = new OutgoingStream(
    { id: 1, bytes: 10_000_000, pump: scheduler, clock: systemClock },
    () => undefined,
  );
  out.credit(100_000_000);
  await packFiles(folder, files, out);
  await socket.whenEmpty();
  const pieces = socket.messages.map((fragments) => decodeFragments(fragments));
  const bytes = Buffer.concat(
    pieces.map((frame) => (frame?.kind === 'data' ? frame.bytes : Buffer.alloc(0))),
  );
  const extract = tar.extract();
  extract.end(bytes.subarray(1));
  const got: string[] = [];
  for await (const entry of extract) {
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Buffer);
    got.push(hash.digest('hex'));
  }
  assert.deepEqual(got, hashes);
});
