import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import {
  agreedAfter,
  type Outgoing,
  outgoingBytes,
  upload,
} from '../../../../../agent/directory/jobs/upload.ts';
import type { JobResult } from '../../../../../agent/directory/jobs/download.ts';
import { TransferSlots } from '../../../../../agent/directory/jobs/transferSlots.ts';
import { AgentPlace, LARGE_FROM, MainPlayed } from '../../../../support/unit/agentPlace.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const FAR = `1${'0'.repeat(19)}`;

const put = (entry: Entry, more: Partial<Outgoing & { kind: 'upload' }> = {}): Outgoing => ({
  kind: 'upload',
  entry,
  expect: undefined,
  content: true,
  conflict: false,
  reason: 'new here',
  ...more,
});

async function send(
  place: AgentPlace,
  main: MainPlayed,
  items: Readonly<Record<string, Outgoing>>,
  slots?: TransferSlots,
): Promise<Record<string, JobResult>> {
  const { session } = main;
  const { replica } = place.sync;
  const job = { directory: 'files', items: new Map(Object.entries(items)), session, replica };
  return Object.fromEntries(await upload({ ...job, resumableFrom: LARGE_FROM, slots }));
}

/** More files than are made durable one by one. */
const MANY = 20;

/** A disk that becomes durable, or fails, when the test says so. */
function slowDisk(t: TestContext, place: AgentPlace): (answer: 'done' | 'failed') => void {
  const programs = path.join(path.dirname(place.at('')), 'programs');
  const answer = path.join(programs, 'answer');
  mkdirSync(programs);
  execFileSync('mkfifo', [answer]);
  const script = `#!/bin/sh\nread -r said < ${answer}\n[ "$said" = done ] || { echo 'Input/output error' >&2; exit 1; }\n`;
  writeFileSync(path.join(programs, 'sync'), script, { mode: 0o700 });
  const { PATH = '' } = process.env;
  process.env['PATH'] = `${programs}:${PATH}`;
  t.after(() => (process.env['PATH'] = PATH));
  // Open for both, so that neither side waits for the other, and who still waits at the end goes on.
  const fd = openSync(answer, constants.O_RDWR);
  t.after(() => closeSync(fd));
  return (said) => void writeSync(fd, `${said}\n`);
}

describe('An upload', () => {
  it('offers each change as what it is, with the content of files alone, and learns what Main made of each', async (t) => {
    const place = await AgentPlace.make(t, { new: 'new here', mode: 'mode', mine: 'the loser' });
    const main = new MainPlayed(t);
    const was: Entry = { ...place.file('mode'), mode: 0o600 };
    main.result = ({ path }) =>
      path === 'mode' ? { result: 'refused', detail: 'an MDS may not' } : { result: 'done' };
    const gone = fileEntry('gone');
    const results = await send(place, main, {
      new: put(place.entry('new'), { conflict: true }),
      mode: put(place.entry('mode'), { expect: was, content: false }),
      gone: { kind: 'remove-on-main', expect: gone, reason: 'removed here' },
      mine: {
        kind: 'lose',
        loser: place.entry('mine'),
        winner: fileEntry('winner'),
        reason: 'older',
      },
    });
    assert.deepEqual(results, {
      new: { result: 'done' },
      mode: { result: 'failed', why: 'an MDS may not' },
      gone: { result: 'done' },
      mine: { result: 'done' },
    });
    assert.deepEqual(
      main.offered.flat().map((offer) => ({ ...offer, entry: undefined })),
      [
        { op: 'put', path: 'new', entry: undefined, expect: null, conflict: true, reason: 'new here' },
        { op: 'metadata', path: 'mode', entry: undefined, expect: was, reason: 'new here' },
        { op: 'remove', path: 'gone', entry: undefined, expect: gone, reason: 'removed here' },
        { op: 'keep', path: 'mine', entry: undefined, reason: 'older' },
      ],
    );
    assert.deepEqual(main.received.map(String), ['new here', 'the loser']);
  });

  it('ends only when what it offers is durable here, although the content is sent before', async (t) => {
    const names = Array.from({ length: MANY }, (_, i) => `${i}.wav`);
    const place = await AgentPlace.make(t, Object.fromEntries(names.map((name) => [name, name])));
    const main = new MainPlayed(t);
    const answer = slowDisk(t, place);
    const items = Object.fromEntries(names.map((name) => [name, put(place.entry(name))]));
    const sent = send(place, main, items);
    let results: unknown;
    sent.then((all) => (results = all)).catch(() => undefined);
    await eventually('all has arrived', () => main.received.length === MANY);
    assert.equal(results, undefined);
    answer('done');
    assert.deepEqual(await sent, Object.fromEntries(names.map((name) => [name, { result: 'done' }])));
    // Without content, Main acts on an offer at once.
    const was = { ...place.file('0.wav'), mode: 0o600 };
    const metadata = names.map((name) => [name, put(place.entry(name), { expect: was, content: false })]);
    main.offered.length = 0;
    const failing = send(place, main, Object.fromEntries(metadata) as typeof items);
    failing.catch(() => undefined);
    answer('failed');
    await assert.rejects(failing, /EIO|Input\/output error/);
    assert.deepEqual(main.offered, []);
    main.received.length = 0;
    const failed = send(place, main, items);
    failed.catch(() => undefined);
    await eventually('all has arrived again', () => main.received.length === MANY);
    answer('failed');
    await assert.rejects(failed, /EIO|Input\/output error/);
    await eventually('Main hears why it must not make it visible', () => main.cut !== undefined);
    assert.match(main.cut ?? '', /Input\/output error/);
  });

  it('leaves out what has changed here since it was planned', async (t) => {
    const place = await AgentPlace.make(t, { edited: 'as planned', back: 'it is back' });
    const main = new MainPlayed(t);
    const planned = place.entry('edited');
    place.write('edited', 'newer than the plan');
    await place.sync.readAgain();
    assert.deepEqual(
      await send(place, main, {
        edited: put(planned),
        gone: put(fileEntry('gone')),
        back: { kind: 'remove-on-main', expect: fileEntry('x'), reason: 'removed here' },
        lost: { kind: 'lose', loser: planned, winner: fileEntry('w'), reason: 'older' },
      }),
      Object.fromEntries(['edited', 'gone', 'back', 'lost'].map((path) => [path, { result: 'stale' }])),
    );
    assert.deepEqual(main.offered, [], 'nothing is offered then');
  });

  it('leaves out what has changed here while it waited for others', async (t) => {
    const place = await AgentPlace.make(t, { edited: 'as planned', same: 'as planned, too' });
    const main = new MainPlayed(t);
    const slots = new TransferSlots();
    const others = [await slots.take(), await slots.take()];
    const items = { edited: put(place.entry('edited')), same: put(place.entry('same')) };
    const sent = send(place, main, items, slots);
    place.write('edited', 'newer than the plan');
    await place.sync.readAgain();
    assert.deepEqual(main.offered, []);
    for (const slot of others) slot[Symbol.dispose]();
    assert.deepEqual(await sent, { edited: { result: 'stale' }, same: { result: 'done' } });
    assert.deepEqual(main.received.map(String), ['as planned, too']);
  });

  it('says of a file that changes while it is sent that it is stale', async (t) => {
    const place = await AgentPlace.make(t, { a: 'as planned' });
    const main = new MainPlayed(t);
    main.result = () => ({ result: 'stale', detail: 'changed' });
    const item = put(place.entry('a'));
    place.write('a', 'not yet seen');
    assert.deepEqual(await send(place, main, { a: item }), { a: { result: 'stale', why: 'changed' } });
    assert.deepEqual(main.received.map(String), ['refused: changed'], 'no other content under its name');
  });

  it('does not send a time that an older Main would take for an invalid offer', async (t) => {
    const place = await AgentPlace.make(t, { a: 'a' });
    const main = new MainPlayed(t);
    const expect = { ...place.file('a'), mtime: FAR };
    const far = put(place.entry('a'), { expect, content: false });
    const gone: Outgoing = { kind: 'remove-on-main', expect, reason: 'removed here' };
    main.capabilities = new Set();
    const results = await send(place, main, { a: far, gone });
    for (const each of ['a', 'gone']) {
      assert.equal(results[each]?.result, 'failed');
      assert.match(results[each].why ?? '', /after 2286, .*: upgrade Main/);
    }
    assert.deepEqual(main.offered, []);
    main.capabilities = new Set(['far-times']);
    assert.equal((await send(place, main, { a: far }))['a']?.result, 'done');
  });

  it('of a large file goes on from what Main has of it', async (t) => {
    const place = await AgentPlace.make(t, { 'large.wav': 'x'.repeat(LARGE_FROM), 'small.wav': 'small' });
    const main = new MainPlayed(t);
    main.resumeOffset = LARGE_FROM - 10;
    const items = { 'large.wav': put(place.entry('large.wav')), 'small.wav': put(place.entry('small.wav')) };
    await send(place, main, items);
    assert.deepEqual(main.asked, [place.file('large.wav').hash], 'a small one is just sent');
    assert.deepEqual(main.received.map(String), ['x'.repeat(10), 'small']);
    main.resumeOffset = LARGE_FROM + 7;
    main.received.length = 0;
    await send(place, main, items);
    assert.equal(main.received[0]?.length, 0, 'no more than there is');
    main.resumeOffset = 0;
    main.received.length = 0;
    await send(place, main, items);
    assert.equal(main.received[0]?.length, LARGE_FROM);
    assert.ok(!('from' in (main.offered.at(-1)?.[0] ?? {})));
  });

  it('fails as a whole when the connection is lost', async (t) => {
    const place = await AgentPlace.make(t, { a: 'a' });
    const main = new MainPlayed(t);
    main.lost = new Error('ECONNRESET');
    await assert.rejects(send(place, main, { a: put(place.entry('a')) }), /ECONNRESET/);
    rmSync(place.at('a'));
    await place.sync.readAgain();
    const gone: Outgoing = { kind: 'remove-on-main', expect: fileEntry('a'), reason: 'removed here' };
    await assert.rejects(send(place, main, { a: gone }), /ECONNRESET/);
  });
});

it('what an upload sends is counted in bytes of content, and what both sides agree on then is known', () => {
  const entry = fileEntry('content');
  const lose: Outgoing = { kind: 'lose', loser: entry, winner: fileEntry('w'), reason: 'older' };
  const gone: Outgoing = { kind: 'remove-on-main', expect: entry, reason: 'removed here' };
  assert.deepEqual([put(entry), put(entry, { content: false }), lose, gone].map(outgoingBytes), [
    entry.size,
    0,
    entry.size,
    0,
  ]);
  assert.deepEqual([put(entry), gone, lose].map(agreedAfter), [entry, undefined, undefined]);
});
