import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { pathOf, type Route, say, sendJson, WebServer } from '../../../../controller/page/webServer.ts';
import { freePort } from '../../../support/harness/freePort.ts';

type Answer = { readonly status: number; readonly body: string; readonly headers: http.IncomingHttpHeaders };

async function serve(
  t: TestContext,
  anyHost = false,
): Promise<{ log: string[]; ask: (path: string, host?: string, method?: string) => Promise<Answer> }> {
  const port = await freePort();
  const log: string[] = [];
  const server = new WebServer(
    new Map<string, Route>([
      ['/', (_request, response) => say(response, 200, 'the page')],
      ['/api/all', (_request, response) => sendJson(response, { a: 1 })],
      ['/api/one/', (request, response) => say(response, 200, pathOf(request.url ?? ''))],
      ['/fails', () => Promise.reject(new Error('the disk is full'))],
    ]),
    { log: createLogger('error', ({ event }) => log.push(event)), anyHost },
  );
  assert.equal(await server.listen({ host: '127.0.0.1', port }), true);
  t.after(() => server.close());
  const ask = (path: string, host = 'localhost', method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = http.request(
        { port, host: '127.0.0.1', path, method, headers: { host }, agent: false },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => (body += piece));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
          );
        },
      );
      request.on('error', reject);
      request.end();
    });
  return { log, ask };
}

describe('The web server of the page', () => {
  it('answers its paths, and what lies below those that end with a slash', async (t) => {
    const { ask } = await serve(t);
    assert.equal((await ask('/')).body, 'the page\n');
    assert.equal((await ask('/api/all?now')).body, '{"a":1}');
    assert.equal((await ask('/api/one/20261126T1%2F..')).body, '/api/one/20261126T1%2F..\n');
    for (const path of ['/api', '/api/all/', '/api/one', '//', '/favicon.ico', '/../etc/passwd'])
      assert.equal((await ask(path)).status, 404, path);
  });

  it('does not let another site use, frame or script it, whatever it answers', async (t) => {
    const { ask } = await serve(t);
    for (const path of ['/', '/never', '/fails']) {
      const { headers } = await ask(path);
      assert.match(
        String(headers['content-security-policy']),
        /default-src 'none'.*frame-ancestors 'none'/,
        path,
      );
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  it('answers for no name that another site could give this host, unless any name is wanted', async (t) => {
    const { ask } = await serve(t);
    for (const host of ['localhost', 'LOCALHOST:9446', '127.0.0.1', '127.1.2.3:80', '[::1]:9446'])
      assert.equal((await ask('/', host)).status, 200, host);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.0.2.1'])
      assert.equal((await ask('/', host)).status, 421, host);
    const { ask: askAny } = await serve(t, true);
    assert.equal((await askAny('/', 'main.example')).status, 200);
  });

  it('only reads', async (t) => {
    const { ask } = await serve(t);
    assert.equal((await ask('/', 'localhost', 'HEAD')).status, 200);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal((await ask('/', 'localhost', method)).status, 405, method);
  });

  it('says that something failed, without what, which is in the log', async (t) => {
    const { ask, log } = await serve(t);
    const { status, body } = await ask('/fails');
    assert.equal(status, 500);
    assert.ok(!body.includes('disk'));
    assert.deepEqual(log, ['a request of the page failed']);
    assert.equal((await ask('/')).status, 200);
  });

  it('is no reason for Main not to start when its port is taken', async (t) => {
    const port = await freePort();
    const taken = http.createServer();
    t.after(() => taken.close());
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const log: string[] = [];
    const server = new WebServer(new Map(), {
      log: createLogger('error', ({ event }) => log.push(event)),
      anyHost: false,
    });
    assert.equal(await server.listen({ host: '127.0.0.1', port }), false);
    assert.deepEqual(log, ['the page and the metrics are not served']);
    await server.close();
  });
});
