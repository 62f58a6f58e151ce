import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_MESSAGE_BYTES } from '#protocol/limits.ts';
import type { StepResult } from '#protocol/messages/common.ts';
import { fromAgentSchema } from '#protocol/messages/session.ts';
import { offersIn, refuseSet, resultsToSend } from '../../../../../controller/sessions/offers/results.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const PUT = { op: 'put', path: 'a.wav', entry: fileEntry('a'), expect: null, conflict: false, reason: 'new' };

function arrived(offers: readonly unknown[]): Parameters<typeof offersIn>[0] {
  const message = fromAgentSchema.parse({ type: 'offer', stream: 7, directory: 'recordings', offers });
  assert.ok(message.type === 'offer');
  return message.offers;
}

void test('an invalid offer refuses its set, and is named', () => {
  assert.deepEqual(offersIn(arrived([PUT])), [PUT]);
  const lie = { ...PUT, path: 'b.wav', entry: { ...PUT.entry, size: -1 } };
  const offers = arrived([PUT, lie, null]);
  assert.equal(offersIn(offers), undefined);
  const results = refuseSet(offers);
  assert.deepEqual(
    results.map(({ path, result }) => [path, result]),
    [
      ['a.wav', 'refused'],
      ['b.wav', 'refused'],
      ['?', 'refused'],
    ],
  );
  assert.match(results[1]?.detail ?? '', /does not understand the offer/);
});

void test("Main's results for 4,000 offers fit into one message, however long their reasons", () => {
  const results = Array.from({ length: 4_000 }, (_, i): StepResult => ({
    path: `${'p'.repeat(500)}${i}`,
    result: 'failed',
    detail: 'why '.repeat(1_000),
  }));
  const sent = resultsToSend(results);
  assert.equal(sent.length, results.length);
  assert.ok(sent[0]?.detail !== undefined && sent.at(-1)?.detail === undefined);
  assert.ok(Buffer.byteLength(JSON.stringify(sent)) < MAX_MESSAGE_BYTES);
});
