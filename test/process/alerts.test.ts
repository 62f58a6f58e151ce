import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { freePort } from '../support/harness/freePort.ts';
import { eventually } from '../support/harness/host.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
const MONITORING = path.join(CHECKOUT, 'install/monitoring');
const noPromtool =
  spawnSync('promtool', ['--version']).error === undefined
    ? undefined
    : 'there is no promtool: apt-get install prometheus';

describe('What is shipped for monitoring', () => {
  it('raises each alert for figures that are bad, and only for those', { skip: noPromtool }, () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: MONITORING,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
  });

  it('has a page in docs/alerts.md for each alert', () => {
    const rules = readFileSync(path.join(MONITORING, 'alerts.yml'), 'utf8');
    const docs = readFileSync(path.join(CHECKOUT, 'docs/alerts.md'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name ?? '');
    assert.ok(alerts.length > 0);
    for (const alert of alerts) {
      assert.ok(docs.includes(`\n## ${alert}\n`), `docs/alerts.md has no section "${alert}"`);
      assert.ok(rules.includes(`runbook_url: docs/alerts.md#${alert.toLowerCase()}`), alert);
    }
  });

  it('asks only for metrics that Main really has, and Main has only the labels it should', async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const cluster = await Cluster.start({ mds: ['mds1'], config: `metrics: { listen: "${listen}" }\n` });
    try {
      cluster.main.write('dialplan', 'a.conf', '[a]\nexten => 1,1,NoOp()\n');
      let text = '';
      await eventually('the delivery and the reload are counted', async () => {
        text = await (await fetch(`http://${listen}/metrics`)).text();
        return /^xds_save_to_active_seconds_count\{kind="dialplan"\} [1-9]/m.test(text);
      });
      const offered = new Set(
        [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
        ),
      );
      const dashboard = readFileSync(path.join(MONITORING, 'grafana.json'), 'utf8');
      const rules = readFileSync(path.join(MONITORING, 'alerts.yml'), 'utf8');
      const asked = new Set(
        [...(dashboard + rules).matchAll(/\b((?:xds|nodejs|process)_[a-z0-9_]+)/g)].map(
          ([, name]) => name ?? '',
        ),
      );
      assert.ok(asked.size > 10);
      for (const name of asked) assert.ok(offered.has(name), `${name} is asked for, and not there`);
      assert.match(text, /^xds_mds_up\{mds="mds1"\} 1$/m);
      assert.match(text, /^xds_delivered_files_total\{mds="mds1",directory="dialplan"\} 1$/m);
      assert.match(text, /^xds_save_to_visible_seconds_count\{directory="dialplan"\} [1-9]/m);
      assert.match(text, /^xds_save_to_active_seconds_count\{kind="dialplan"\} [1-9]/m);
    } finally {
      await cluster.end();
    }
  });
});
