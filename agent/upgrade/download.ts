import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { PackageOffer } from '#protocol/messages/common.ts';
import type { RateLimit } from '#wire/rateLimit.ts';

const PATH = '/install/xivo-xds-sync-agent.deb';
/** The download is cancelled after this long without data, milliseconds. */
const STALLED = 30_000;

/**
 * Downloads Main's agent package over a connection that has shown Main's key.
 * @param file a new file
 * @throws when the package differs from the offer
 */
export async function downloadPackage(options: {
  readonly connection: TLSSocket;
  readonly offer: PackageOffer;
  readonly file: string;
  readonly pace: RateLimit | undefined;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}): Promise<void> {
  const { connection, offer, file, pace, signal, onBytes } = options;
  connection.setTimeout(STALLED, () =>
    connection.destroy(new Error(`Main sent nothing for ${STALLED / 1000} s`)),
  );
  try {
    const request = http.get({
      createConnection: () => connection,
      path: PATH,
      headers: { host: 'main' },
      signal,
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    if (response.statusCode !== 200)
      throw new Error(`Main does not send its package (status ${response.statusCode})`);
    const hash = createHash('sha256');
    let size = 0;
    const checked = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of source) {
        size += piece.length;
        if (size > offer.size) break;
        hash.update(piece);
        onBytes(piece.length);
        await pace?.pass(piece.length, signal);
        yield piece;
      }
    };
    await pipeline(response, checked, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    if (size !== offer.size || hash.digest('hex') !== offer.sha256)
      throw new Error("Main's package is not the one that it offered: was Main upgraded just now? Try again");
  } finally {
    connection.destroy();
  }
}
