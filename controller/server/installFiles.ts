import { createReadStream, existsSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ControllerPlaces } from '#host/config/places.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Logger } from '#host/log/logger.ts';
import { VERSION } from '#host/version.ts';

/** The old rsync job's public key, with which it logs in on each MDS. */
const OLD_KEY = '/install/rsync_xds.pub';
/** Most downloads at a time; a further client is asked to retry. */
const MAX_DOWNLOADS = 16;
/** Longest download, milliseconds: enough for the agent's package over a line of 1 Mbit/s. */
const DOWNLOAD_TIMEOUT = 300_000;

/** Marks the connection of a download as one that may last longer than other unauthenticated connections. */
export type Keep = () => void;

/**
 * Serves the files for installing an MDS, which checks Main's key first: the install script, the agent's package of this
 * version, the version number, and the old rsync job's public key, which the script removes from root's authorized_keys.
 * Nothing of this is secret, so no client certificate is needed.
 */
export class InstallFiles {
  readonly #files: ReadonlyMap<string, readonly string[]>;
  readonly #log: Logger;
  readonly #package: readonly string[];
  readonly #oldCronFile: string;
  #downloads = 0;

  constructor(places: ControllerPlaces, log: Logger) {
    this.#log = log;
    this.#oldCronFile = places.oldCronFile;
    const { dirname } = import.meta;
    // The layouts of the package and of a checkout.
    const packaged = path.resolve(dirname, '../../share/xivo-xds-sync');
    const checkout = path.resolve(dirname, '../..');
    this.#package = [
      path.join(packaged, 'xivo-xds-sync-agent.deb'),
      path.join(checkout, `dist/xivo-xds-sync-agent_${VERSION}_amd64.deb`),
    ];
    this.#files = new Map([
      [
        '/install/mds_install.sh',
        [path.join(packaged, 'mds_install.sh'), path.join(checkout, 'install/mds_install.sh')],
      ],
      ['/install/xivo-xds-sync-agent.deb', this.#package],
      [OLD_KEY, [places.oldPublishedKey]],
    ]);
  }

  /** The agent's package of this version, if Main has it. */
  get agentPackage(): string | undefined {
    return this.#package.find((candidate) => existsSync(candidate));
  }

  /** Answers one request. Only fixed names are served, so a peer's path is never opened. */
  async answer(request: IncomingMessage, response: ServerResponse, keep: Keep): Promise<void> {
    if (request.url === '/install/version' && request.method === 'GET') return say(response, 200, VERSION);
    const candidates = this.#files.get(request.url ?? '');
    if (candidates === undefined) return say(response, 404, 'nothing is here');
    if (request.method !== 'GET') return say(response, 405, 'only GET');
    // While the old job is active, its key must stay on the MDS.
    const isInUse = request.url === OLD_KEY && existsSync(this.#oldCronFile);
    const file = isInUse ? undefined : candidates.find((candidate) => existsSync(candidate));
    if (file === undefined) return say(response, 404, 'this Main does not have that file');
    if (this.#downloads >= MAX_DOWNLOADS) return say(response, 503, 'too many downloads: try again');
    this.#downloads += 1;
    keep();
    const timeout = setTimeout(() => request.socket.destroy(), DOWNLOAD_TIMEOUT);
    try {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': statSync(file).size,
        connection: 'close',
      });
      await pipeline(createReadStream(file), response);
    } catch (error) {
      // A client may disconnect early and retries if it needs to; only errors of Main's own disk are logged.
      if (errnoOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' || request.socket.destroyed)
        this.#log.debug('a download ended early', { file, error });
      else this.#log.warn('a download failed', { file, error });
      response.destroy();
    } finally {
      clearTimeout(timeout);
      this.#downloads -= 1;
    }
  }
}

function say(response: ServerResponse, status: number, words: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    .end(`${words}\n`);
}
