import net from 'node:net';
import type { MediaServer } from './mediaServer.ts';
import { readServers } from './mediaServer.ts';

const TIMEOUT = 10_000;
/** The url of XiVO's database, with the password. */
const DEFAULT_URL = 'postgresql://asterisk@localhost/asterisk';
const DEFAULT_QUERY = 'SELECT name, voip_ip FROM mediaserver WHERE NOT read_only';

/**
 * Queries XiVO's database.
 * @param signal ends the connection
 * @throws when it can't be reached, or the query fails
 */
export async function fromPostgres(
  url: string | undefined,
  query: string | undefined,
  signal: AbortSignal,
): Promise<MediaServer[]> {
  // Loaded only when used.
  const { default: pg } = await import('pg');
  const socket = new net.Socket();
  const client = new pg.Client({
    stream: () => socket,
    connectionString: url ?? DEFAULT_URL,
    application_name: 'xivo-xds-sync',
    connectionTimeoutMillis: TIMEOUT,
    query_timeout: TIMEOUT,
    statement_timeout: TIMEOUT,
  });
  // The error of a connection that breaks reaches the query, too.
  client.on('error', () => undefined);
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const read = async (): Promise<MediaServer[]> => {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(query ?? DEFAULT_QUERY);
    return readServers(rows);
  };
  try {
    signal.throwIfAborted();
    return await Promise.race([read(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    const ended = client.end().catch(() => undefined);
    // It says goodbye, and does not wait until the database has closed its side, too.
    socket.destroySoon();
    await ended;
  }
}
