import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { dialplanProof } from '../../../../../agent/asterisk/proof/proveDialplan.ts';
import { folderWorld } from '../../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../../support/dialplan/atOnce.ts';

const OLD = `[ Context 'a' created by 'pbx_config' ]
  '1' =>            1. NoOp(old)                                  [a.conf:2]

-= 1 extension (1 priority) in 1 context. =-
`;

test('an answer of dialplan show that ends too early is asked for again', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-proof-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'whole'), OLD);
  writeFileSync(path.join(folder, 'cut'), OLD.slice(0, 120));
  // The first answer is cut.
  const script = `case "$2" in 'dialplan show') cat "${folder}/cut"; cp "${folder}/whole" "${folder}/cut";; esac`;
  writeFileSync(path.join(folder, 'asterisk'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const prove = dialplanProof({
    asterisk: [path.join(folder, 'asterisk')],
    folderName: 'extensions_extra.d',
    read: () => Promise.resolve(readDialplan(folderWorld({ 'a.conf': '[a]\nexten = 1,1,NoOp(new)\n' }))),
    onConfigFolder: () => undefined,
  });
  const { signal } = new AbortController();
  const { refusal } = await (await prove('dialplan', signal))('Dialplan reloaded.');
  assert.match(refusal?.message ?? '', /older version of this line/);
});
