import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import * as z from 'zod';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const FILES = 40;
const answer = z.object({
  mds: z.array(z.object({ ok: z.boolean(), files: z.number(), problems: z.array(z.string()) })),
});

void test('verify just after an MDS has connected does not report as verified what was not compared', async () => {
  const cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
  try {
    const mds = cluster.one('mds1');
    for (let i = 0; i < FILES; i++) cluster.main.write('moh', `m${i}.wav`, `music ${i}`);
    await cluster.startMain();
    await cluster.mainHas('moh', FILES);
    mds.start();
    await cluster.inSync(60_000);
    await cluster.main.ok(['pause', '--for', '1h']);
    await mds.stop();
    for (let i = 0; i < FILES; i++) writeFileSync(mds.at('moh', `m${i}.wav`), `other ${i}`);
    mds.start();
    await eventually(
      'an MDS that is there was verified',
      async () => {
        const { stdout, code } = await cluster.main.run(['verify', '--json']);
        const [found] = answer.parse(JSON.parse(stdout)).mds;
        assert.equal(found?.ok, false, stdout);
        assert.equal(code, 1);
        return found.files >= FILES;
      },
      60_000,
    );
  } finally {
    await cluster.end();
  }
});
