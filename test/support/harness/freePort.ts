import { createServer, type Server } from 'node:net';

/** Below the ports that the kernel assigns automatically (32768 and up). */
const FIRST = 20_000;
const COUNT = 12_000;

/** They hold our claims until this process ends. */
const claims: Server[] = [];

/**
 * A TCP port that is free and that no other process of the tests gets as long as this one lives. A claim
 * is a socket in the abstract namespace, which the kernel removes with its process.
 */
export async function freePort(): Promise<number> {
  const start = Math.floor(Math.random() * COUNT);
  for (let i = 0; i < COUNT; i++) {
    const port = FIRST + ((start + i) % COUNT);
    const claim = await listening({ path: `\0xds-test-port-${port}` });
    if (claim === undefined) continue;
    claim.unref();
    claims.push(claim);
    const probe = await listening({ port, host: '0.0.0.0' });
    if (probe === undefined) continue;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return port;
  }
  throw new Error('no port is free');
}

/** A server that listens there; undefined when the port is in use. */
async function listening(
  where: { path: string } | { port: number; host: string },
): Promise<Server | undefined> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
  );
  server.listen(where, () => resolve(server));
  return promise;
}
