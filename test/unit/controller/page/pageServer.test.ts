import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Metrics } from '../../../../controller/metrics/metrics.ts';
import { PageServer } from '../../../../controller/page/pageServer.ts';
import { freePort } from '../../../support/harness/freePort.ts';
import { DIALPLAN, MainInProcess } from '../../../support/unit/mainInProcess.ts';

type Served = { readonly page?: boolean; readonly metrics?: boolean; readonly samePort?: boolean };

/** @returns asks one of the two ports; undefined when nothing listens there */
async function serve(
  t: TestContext,
  { page, metrics, samePort = false }: Served,
  alone = false,
): Promise<{
  main: MainInProcess;
  page: (path: string) => Promise<string>;
  metrics: (path: string) => Promise<string>;
}> {
  const main = await MainInProcess.start(t, { [`${DIALPLAN}/a.conf`]: 'a' });
  const port = await freePort();
  const ports = { page: port, metrics: samePort ? port : await freePort() };
  const served = (isOn: boolean | undefined, at: number) => ({
    enabled: isOn,
    listen: { host: '127.0.0.1', port: at },
  });
  const { controller } = main;
  controller.config = {
    ...controller.config,
    page: served(page, ports.page),
    metrics: served(metrics, ports.metrics),
  };
  const server = new PageServer(controller, metrics === false ? undefined : new Metrics());
  await server.start(alone);
  t.after(() => server.close());
  const ask = (at: number) => async (path: string) => {
    try {
      const response = await fetch(`http://127.0.0.1:${at}${path}`, { headers: { connection: 'close' } });
      return `${response.status} ${await response.text()}`;
    } catch {
      return 'nothing listens';
    }
  };
  return { main, page: ask(ports.page), metrics: ask(ports.metrics) };
}

describe('The page and the metrics', () => {
  it('are served where they are enabled', async (t) => {
    const { page, metrics } = await serve(t, { page: true, metrics: true });
    assert.match(await page('/api/overview'), /^200 \{"status":/);
    assert.match(await metrics('/metrics'), /^200 [^]*xds_directory_files\{directory="dialplan"\} 1/);
    assert.match(await metrics('/metrics'), /xds_directory_free_bytes\{directory="dialplan"\} \d{4,}/);
    assert.match(await page('/metrics'), /^404/);
    assert.match(await metrics('/api/overview'), /^404/);
  });

  it('are served on one port where both have the same', async (t) => {
    const { main, page } = await serve(t, { page: true, metrics: true, samePort: true });
    assert.match(await page('/api/overview'), /^200/);
    assert.match(await page('/metrics'), /^200/);
    assert.deepEqual(main.log, [], 'nothing else wants that port');
  });

  it('are not served where they are disabled, nor by themselves where others share the machine', async (t) => {
    const off = await serve(t, { page: false, metrics: false }, true);
    assert.deepEqual([await off.page('/'), await off.metrics('/metrics')], Array(2).fill('nothing listens'));
    const shared = await serve(t, {}, false);
    assert.equal(await shared.page('/api/overview'), 'nothing listens');
    const alone = await serve(t, {}, true);
    assert.match(await alone.page('/api/overview'), /^200/);
  });

  it('name a change set only by an id that is one', async (t) => {
    const { main, page } = await serve(t, { page: true, metrics: false });
    main.controller.history.add({
      at: Date.now(),
      mds: 'mds1',
      directory: 'dialplan',
      changeSet: 'one two',
      kind: 'send',
      detail: 'a.conf: new',
      path: 'a.conf',
      reason: 'new',
    });
    assert.match(await page('/api/change/one%20two'), /^200 \{"id":"one two"/);
    assert.match(await page('/api/change/unknown'), /^404 unknown change set/);
    assert.match(await page('/api/change/%E0%A4%A'), /^404/);
    assert.match(await page('/api/trash'), /^200 \{"items":\[\],"more":0/);
  });
});
