import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Overview } from '../../controller/page/overview.ts';
import { noBrowser, startBrowser } from '../support/browser/chromium.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { freePort } from '../support/harness/freePort.ts';
import { eventually } from '../support/harness/host.ts';

const AXE = readFileSync(path.resolve(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
/** What a person may wait, milliseconds: a busy machine needs more than the second that is usual. */
const PATIENCE = 60_000;
const NGINX = '/usr/sbin/nginx';
const noNginx = existsSync(NGINX) ? undefined : `there is no ${NGINX}: apt-get install nginx-light`;
const HOSTILE = '<img src=x onerror=alert(1)>\u001b[2J\u202e.wav';

describe('The status page', { skip: noBrowser }, () => {
  let cluster: Cluster;
  let browser: Browser;
  let url: string;
  const contexts: BrowserContext[] = [];

  before(async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    url = `http://${listen}/`;
    cluster = await Cluster.start({
      config: `page: { listen: "${listen}" }\nmetrics: { listen: "${listen}" }\nguard: { percent: 10, files: 3 }\n`,
    });
    browser = await startBrowser();
  });
  // A page that stays open is drawn again with each change of the tests after it.
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  after(async () => {
    await browser?.close();
    await cluster?.end();
  });

  const open = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    contexts.push(context);
    const page = await context.newPage();
    page.on('dialog', () => assert.fail('a foreign script ran'));
    return page;
  };

  it('says that all is in sync, and shows a change while it is looked at', async () => {
    const page = await open();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(url);
    await page.getByRole('status').getByText('all 2 MDS in sync').waitFor({ timeout: PATIENCE });
    cluster.main.write('moh', 'default/new.wav', 'x');
    await page.getByText('new.wav').first().waitFor({ timeout: PATIENCE });
    assert.deepEqual(errors, []);
  });

  it('shows a hold with the command for it, and that it is over', async () => {
    for (let i = 0; i < 20; i++) cluster.main.write('sounds', `hold/${i}.wav`, `${i}`);
    await eventually('they are everywhere', () =>
      cluster.mds.every((mds) => mds.read('sounds', 'hold/19.wav') === '19'),
    );
    await cluster.inSync();
    const page = await open();
    await page.goto(url);
    const folder = cluster.main.at('sounds', 'hold');
    renameSync(folder, `${cluster.main.root}/away`);
    await page.getByText('xivo-xds-sync confirm sounds').first().waitFor({ timeout: PATIENCE });
    renameSync(`${cluster.main.root}/away`, folder);
    await page.getByText(/^all \d+ MDS in sync/).waitFor({ timeout: PATIENCE });
  });

  it('shows what a dialplan change changed, line by line', async () => {
    cluster.main.write('dialplan', 'diff.conf', '[diff]\nexten => 1,1,NoOp(old)\n');
    const onBoth = (text: string) =>
      cluster.mds.every((mds) => mds.read('dialplan', 'diff.conf')?.includes(text));
    await eventually('the first is on both', () => onBoth('old'));
    await cluster.inSync();
    cluster.main.write('dialplan', 'diff.conf', '[diff]\nexten => 1,1,NoOp(new)\n');
    await eventually('the second is on both', () => onBoth('new'));
    const page = await open();
    await page.goto(url);
    // One row for each save, and not for each MDS.
    const rows = page.getByRole('row', { name: /diff\.conf.*mds1, mds2/ });
    await eventually('both changes are listed, once each', async () => (await rows.count()) === 2);
    await page
      .getByRole('row', { name: /diff\.conf/ })
      .first()
      .getByRole('link')
      .click();
    await page.locator('.added', { hasText: 'NoOp(new)' }).waitFor({ timeout: PATIENCE });
    assert.match(await page.locator('.removed').innerText(), /NoOp\(old\)/);
    for (const mds of ['mds1', 'mds2'])
      await page
        .getByRole('row', { name: new RegExp(`${mds}.*diff\\.conf.*changed on Main's disk`) })
        .waitFor({ timeout: PATIENCE });
  });

  it('shows what can be brought back, wherever it lies', async () => {
    cluster.mds[0]?.write('dialplan', 'diff.conf', '[diff]\nexten => 1,1,NoOp(edited there)\n');
    await eventually('the edit is undone', () =>
      Boolean(cluster.mds[0]?.read('dialplan', 'diff.conf')?.includes('new')),
    );
    const page = await open();
    await page.goto(url);
    await page.getByRole('link', { name: /^Trash/ }).click();
    await page
      .getByRole('row', { name: /mds1 dialplan\/diff\.conf/ })
      .first()
      .waitFor({ timeout: PATIENCE });
  });

  it('says that the connection is lost, and comes back by itself', async () => {
    const page = await open();
    await page.goto(url);
    await page.getByText(/^all \d+ MDS in sync/).waitFor({ timeout: PATIENCE });
    await cluster.main.stop();
    await page.getByRole('alert').waitFor({ timeout: PATIENCE });
    await cluster.startMain();
    await page.getByRole('alert').waitFor({ state: 'detached', timeout: PATIENCE });
  });

  it('is loaded again, once, when Main has been upgraded', async () => {
    const overview = (await (await fetch(`${url}api/overview`)).json()) as Overview;
    const page = await open();
    let loads = 0;
    let asked = 0;
    page.on('load', () => (loads += 1));
    await page.route('**/api/events', async (route) => {
      asked += 1;
      const version = asked === 1 ? '1.0.0' : '2.0.0';
      const body = JSON.stringify({ ...overview, status: { ...overview.status, version } });
      await route.fulfill({ contentType: 'text/event-stream', body: `event: overview\ndata: ${body}\n\n` });
    });
    await page.goto(url);
    await eventually('it has asked again after it was loaded again', () => asked >= 4);
    assert.equal(loads, 2);
  });

  it('shows every name as text only, and answers on no address but its own', async () => {
    cluster.main.write('moh', HOSTILE, 'x');
    const page = await open();
    await page.goto(url);
    await page
      .getByText('<img src=x onerror=alert(1)>\\u001b[2J\\u202e.wav')
      .first()
      .waitFor({ timeout: PATIENCE });
    const answer = await fetch(url);
    assert.match(
      answer.headers.get('content-security-policy') ?? '',
      /default-src 'none'; script-src 'self'/,
    );
    assert.equal((await fetch(url, { method: 'POST' })).status, 405);
    const sent = await Promise.all(
      ['', 'page.js', 'page.css'].map(
        async (file) => (await (await fetch(url + file)).arrayBuffer()).byteLength,
      ),
    );
    assert.ok(sent.reduce((sum, bytes) => sum + bytes, 0) <= 100_000, `${sent.join(' + ')} bytes`);
  });

  it('shows 200 MDS, speaks French, and passes the accessibility checks', async () => {
    // What the test before left to be delivered would make each of the 200 as bad as the one that is away.
    await cluster.inSync();
    const overview = (await (await fetch(`${url}api/overview`)).json()) as Overview;
    const [one] = overview.status.mds;
    assert.ok(one);
    const mds = Array.from({ length: 200 }, (_, i) => ({
      ...one,
      inSync: true,
      name: `mds${i}`,
      ...(i === 100 && { inSync: false, state: 'disconnected' as const }),
      ...(i === 7 && {
        bytesPerSecond: 1024 * 1024,
        directories: one.directories.map((each) => ({ ...each, pending: 1, pendingBytes: 2 * 1024 * 1024 })),
        transfers: [
          {
            directory: 'moh',
            direction: 'to-mds' as const,
            path: 'long/file.wav',
            files: 1,
            bytes: 1024,
            bytesTotal: 4096,
          },
        ],
      }),
    }));
    const causes: Overview['status']['causes'] = [
      {
        kind: 'away',
        severity: 'critical',
        mds: ['mds100'],
        since: new Date().toISOString(),
        cause: 'mds100 is disconnected',
        action: 'look there',
      },
    ];
    const conflicts: Overview['conflicts'] = [
      {
        at: new Date().toISOString(),
        mds: 'mds1',
        path: 'recordings/600.wav',
        reason: 'newer',
        changeSet: 'c',
      },
    ];
    const many: Overview = { ...overview, conflicts, status: { ...overview.status, mds, causes } };
    for (const [colorScheme, width, locale] of [
      ['light', 360, 'en-GB'],
      ['dark', 2560, 'fr-FR'],
    ] as const) {
      const page = await open({ bypassCSP: true, colorScheme, locale, viewport: { width, height: 900 } });
      await page.route('**/api/events', (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          body: `event: overview\ndata: ${JSON.stringify(many)}\n\n`,
        }),
      );
      await page.goto(url);
      await page
        .getByText(locale === 'fr-FR' ? 'Serveurs de médias' : 'Media servers')
        .waitFor({ timeout: PATIENCE });
      // Each has a row, and the one to which something travels has another one.
      assert.equal(await page.getByRole('rowheader', { name: /^mds/ }).count(), 201);
      assert.equal(await page.getByRole('progressbar').count(), 1);
      // The one that needs a person comes first.
      assert.equal(await page.getByRole('rowheader', { name: /^mds/ }).first().innerText(), 'mds100');
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      assert.ok(Number(overflow) <= 0, `the page is ${String(overflow)} px too wide at ${width}`);
      await page.evaluate(AXE);
      const found = await page.evaluate<string[]>(
        'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
      );
      assert.deepEqual(found, []);
    }
  });

  it(
    'works behind nginx as docs/page.md configures it, for those who have a password',
    { skip: noNginx },
    async () => {
      const docs = readFileSync(path.resolve(import.meta.dirname, '../../docs/page.md'), 'utf8');
      const location = /```nginx\n([\s\S]*?)```/.exec(docs)?.[1] ?? '';
      const folder = path.join(cluster.folder, 'nginx');
      mkdirSync(folder);
      const password = execFileSync('openssl', ['passwd', '-apr1', 'secret'], { encoding: 'utf8' }).trim();
      writeFileSync(path.join(folder, 'users'), `admin:${password}\n`);
      const port = await freePort();
      const configured = location
        .replace('http://127.0.0.1:9444/', url)
        .replace('/etc/nginx/xds-sync.htpasswd', path.join(folder, 'users'));
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join('\n');
      writeFileSync(
        path.join(folder, 'nginx.conf'),
        `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; ${configured} } }
`,
      );
      const nginx = spawn(
        NGINX,
        ['-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'error.log')],
        {
          stdio: 'ignore',
        },
      );
      try {
        const proxied = `http://127.0.0.1:${port}/xds-sync/`;
        await eventually('nginx answers', async () =>
          fetch(proxied).then(
            ({ status }) => status === 401,
            () => false,
          ),
        );
        const page = await open({ httpCredentials: { username: 'admin', password: 'secret' } });
        await page.goto(proxied);
        await page.getByText(/^all \d+ MDS in sync/).waitFor({ timeout: PATIENCE });
        cluster.main.write('moh', 'default/proxied.wav', 'x');
        await page.getByText('proxied.wav').first().waitFor({ timeout: PATIENCE });
      } finally {
        nginx.kill('SIGKILL');
      }
    },
  );
});
