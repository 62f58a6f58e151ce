import { type MediaServer, readServers } from './mediaServer.ts';

const TIMEOUT = 10_000;
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Fetches a JSON list.
 * @param signal ends the request
 * @throws when it can't be fetched, with a message that names the address
 */
export async function fromHttp(
  url: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<MediaServer[]> {
  const response = await fetch(url, {
    headers: { accept: 'application/json', ...(token !== undefined && { 'x-auth-token': token }) },
    // The token is sent only to the configured address.
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status} ${response.statusText}`);
  let body = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    body += decoder.decode(piece, { stream: true });
    if (body.length > MAX_CHARACTERS)
      throw new Error(`${url} answers more than ${MAX_CHARACTERS} characters`);
  }
  return readServers(JSON.parse(body));
}
