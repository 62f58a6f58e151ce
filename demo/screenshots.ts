import { renameSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { noBrowser, startBrowser } from '../test/support/browser/chromium.ts';
import { Cluster } from '../test/support/harness/cluster.ts';
import { freePort } from '../test/support/harness/freePort.ts';
import { wavFile } from '../test/support/unit/sounds.ts';
import { eventually } from '../test/support/harness/host.ts';

/** `npm run screenshots`: makes docs/page.png and docs/terminal.png from a Main with three MDS, one of them away and a folder missing. */

const DOCS = path.resolve(import.meta.dirname, '../docs');
/** Of the window, pixels: every column of the page's widest table is visible. */
const WIDTH = 1_440;

if (noBrowser !== undefined) {
  console.error(noBrowser);
  process.exit(1);
}
const listen = `127.0.0.1:${await freePort()}`;
const cluster = await Cluster.start({
  mds: ['mds1', 'mds2', 'mds3'],
  config: `page: { listen: "${listen}" }\n`,
});
const browser = await startBrowser();
try {
  await makeNews();
  await shoot(browser, `http://${listen}/`, 'page.png');
  const { stdout } = await cluster.main.run(['status']);
  const shown = stdout.replaceAll(cluster.main.root, '');
  await shoot(browser, `data:text/html;charset=utf-8,${encodeURIComponent(terminal(shown))}`, 'terminal.png');
  console.log(`made ${path.join(DOCS, 'page.png')} and ${path.join(DOCS, 'terminal.png')}`);
} finally {
  await browser.close();
  await cluster.end();
}

async function makeNews(): Promise<void> {
  for (let i = 1; i <= 20; i++) cluster.main.write('moh', `default/song-${i}.wav`, wavFile());
  cluster.main.write(
    'dialplan',
    'support.conf',
    '[support]\nexten => 100,1,Answer()\n same => n,Queue(support)\n',
  );
  await cluster.inSync();
  cluster.main.write(
    'dialplan',
    'support.conf',
    '[support]\nexten => 100,1,Answer()\n same => n,Queue(helpdesk)\n',
  );
  await cluster.inSync();
  await cluster.one('mds3').stop();
  renameSync(cluster.main.at('moh', 'default'), path.join(cluster.main.root, 'moved-away'));
  await eventually('the hold is shown', async () =>
    (await cluster.main.run(['status'])).stdout.includes('confirm moh'),
  );
}

function terminal(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<body style="margin:0;background:#14181c;color:#e6eaee"><pre style="margin:0;padding:16px;font:14px/1.4 monospace">$ xivo-xds-sync status\n${escaped}</pre>`;
}

/** For the browser: paths are shown as on a Main that is not in a folder of its own. */
function withoutPrefix(root: string): string {
  return `{
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
      text.nodeValue = text.nodeValue.replaceAll(${JSON.stringify(root)}, '');
  }`;
}

async function shoot(from: Browser, url: string, name: string): Promise<void> {
  const page = await from.newPage({ viewport: { width: WIDTH, height: 300 }, locale: 'en-GB' });
  await page.goto(url);
  await page.locator('h2, pre').first().waitFor();
  await page.evaluate(withoutPrefix(cluster.main.root));
  await page.screenshot({ path: path.join(DOCS, name), fullPage: true });
  await page.close();
}
