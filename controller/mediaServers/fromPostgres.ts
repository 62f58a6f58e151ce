import type { MediaServer } from './mediaServer.ts';
import { readServers } from './mediaServer.ts';

const TIMEOUT = 10_000;
/** The url of XiVO's database, with the password. */
const DEFAULT_URL = 'postgresql://asterisk@localhost/asterisk';
const DEFAULT_QUERY = 'SELECT name, voip_ip FROM mediaserver WHERE NOT read_only';

/**
 * Queries XiVO's database.
 * @throws when it can't be reached, or the query fails
 */
export async function fromPostgres(
  url: string = DEFAULT_URL,
  query: string = DEFAULT_QUERY,
): Promise<MediaServer[]> {
  // Loaded only when used.
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    connectionString: url,
    application_name: 'xivo-xds-sync',
    connectionTimeoutMillis: TIMEOUT,
    query_timeout: TIMEOUT,
    statement_timeout: TIMEOUT,
  });
  // The error of a connection that breaks reaches the query, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(query);
    return readServers(rows);
  } finally {
    await client.end().catch(() => undefined);
  }
}
