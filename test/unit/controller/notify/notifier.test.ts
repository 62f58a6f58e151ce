import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { StandingCondition } from '../../../../controller/conditions/condition.ts';
import type { NotifyTarget } from '../../../../controller/config/observation.ts';
import type { Notification } from '../../../../controller/notify/notification.ts';
import { Notifier } from '../../../../controller/notify/notifier.ts';
import { createLogger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import { eventually } from '../../../support/harness/host.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-notify-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const AWAY: StandingCondition = {
  key: 'away mds1',
  kind: 'away',
  severity: 'critical',
  mds: 'mds1',
  cause: 'mds1 is disconnected',
  action: 'look',
  since: 1_700_000_000_000,
};

function notifier(targets: readonly NotifyTarget[], pauses: number[] = []): Notifier {
  return new Notifier(targets, {
    clock: systemClock,
    log: createLogger('error', () => undefined),
    sleep: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
}

function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('Notifications', () => {
  it('reach a command as JSON and in its environment, each beginning before its end', async () => {
    const out = path.join(folder, 'out');
    const command = script(
      'take',
      `cat >> ${out}; echo "$XDS_EVENT $XDS_KIND $XDS_LASTED_SECONDS" >> ${out}.env`,
    );
    const to = notifier([{ kind: 'command', command, on: [], timeoutMs: 5_000 }]);
    to.began(AWAY);
    to.ended(AWAY, 61_000);
    await eventually(
      'both were taken',
      () => existsSync(`${out}.env`) && readFileSync(`${out}.env`, 'utf8').split('\n').length === 3,
    );
    const taken = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Notification);
    assert.deepEqual(
      taken.map(({ event }) => event),
      ['begin', 'end'],
    );
    assert.equal(taken[0]?.since, '2023-11-14T22:13:20.000Z');
    assert.equal(readFileSync(`${out}.env`, 'utf8'), 'begin away \nend away 61\n');
  });

  it('are posted to a URL, and tried again with growing pauses where it fails', async () => {
    const bodies: string[] = [];
    let refusals = 2;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        if (refusals > 0) {
          refusals -= 1;
          response.statusCode = 503;
        } else bodies.push(body);
        response.end();
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const pauses: number[] = [];
    const to = notifier(
      [{ kind: 'url', url: `http://127.0.0.1:${address.port}/`, on: [], timeoutMs: 5_000 }],
      pauses,
    );
    to.conflict('mds1', 'recordings', '100.wav');
    await eventually('it was taken', () => bodies.length === 1);
    server.close();
    assert.deepEqual(pauses, [1_000, 5_000]);
    assert.equal((JSON.parse(bodies[0] ?? '') as Notification).kind, 'conflict');
  });

  it('that can not be delivered are dropped after five attempts, and do not hold up the next', async () => {
    const out = path.join(folder, 'second');
    const command = script('refuse', `[ "$XDS_EVENT" = end ] || exit 1; touch ${out}`);
    const pauses: number[] = [];
    const to = notifier([{ kind: 'command', command, on: [], timeoutMs: 5_000 }], pauses);
    to.began(AWAY);
    to.ended(AWAY, 1_000);
    await eventually('the end was taken', () => existsSync(out));
    assert.equal(pauses.length, 4);
  });

  it('go only to those who asked for their kind', async () => {
    const out = path.join(folder, 'picky.out');
    const command = script('picky', `echo "$XDS_KIND" >> ${out}`);
    const to = notifier([{ kind: 'command', command, on: ['hold'], timeoutMs: 5_000 }]);
    to.began(AWAY);
    to.began({ ...AWAY, kind: 'hold' });
    await eventually('the hold was taken', () => existsSync(out) && readFileSync(out, 'utf8') !== '');
    assert.equal(readFileSync(out, 'utf8'), 'hold\n');
  });
});
