import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildClient, CLIENT_TYPES } from './clientBundle.ts';
import { pathOf, say } from './webServer.ts';

type Sendable = { readonly type: string; readonly plain: Uint8Array; readonly zipped: Uint8Array };

/** The files of the page: built beside the program in a package, or from their sources at first use in a checkout. */
export class ClientFiles {
  #files: Promise<ReadonlyMap<string, Sendable>> | undefined;

  /** Serves `/`, `/page.js` and `/page.css`. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#files ??= load();
    const files = await this.#files.catch((error: unknown) => {
      this.#files = undefined;
      throw error;
    });
    const name = pathOf(request.url ?? '/').slice(1) || 'index.html';
    const file = files.get(name);
    if (file === undefined) return say(response, 404, 'there is nothing here');
    const zip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const body = zip ? file.zipped : file.plain;
    response.writeHead(200, {
      'Content-Type': file.type,
      'Content-Length': body.length,
      Vary: 'Accept-Encoding',
      ...(zip && { 'Content-Encoding': 'gzip' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

async function load(): Promise<ReadonlyMap<string, Sendable>> {
  const packaged = path.join(import.meta.dirname, 'page');
  const sources = path.join(import.meta.dirname, 'client');
  const files = existsSync(packaged) ? new Map<string, Uint8Array>() : await buildClient(sources);
  for (const name of Object.keys(CLIENT_TYPES)) {
    if (files.has(name)) continue;
    files.set(name, await readFile(path.join(existsSync(packaged) ? packaged : sources, name)));
  }
  return new Map(
    [...files].map(([name, plain]) => [
      name,
      { type: CLIENT_TYPES[name] ?? 'application/octet-stream', plain, zipped: gzipSync(plain) },
    ]),
  );
}
