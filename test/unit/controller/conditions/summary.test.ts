import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillIn } from '#core/text/fillIn.ts';
import type { Status } from '../../../../controller/control/contract/contract.ts';
import { summaryLine } from '../../../../controller/conditions/summary.ts';
import { en, fr, type MessageKey } from '../../../../controller/page/client/messages.ts';

type Mds = { state?: string; inSync?: boolean; held?: string | null };

/** As much of a status as the line is made of. */
function status(mds: readonly Mds[], more: { pausedUntil?: string; kinds?: readonly string[] } = {}): Status {
  return {
    main: { directories: [], pausedUntil: more.pausedUntil ?? null },
    mds: mds.map(({ state = 'connected', inSync = true, held = null }, i) => ({
      name: `mds${i}`,
      state,
      inSync,
      directories: [{ name: 'moh', inSync, held, pending: 0 }],
    })),
    causes: (more.kinds ?? []).map((kind) => ({ kind, mds: [] })),
  } as unknown as Status;
}

const behind: Mds = { inSync: false };
const CASES: readonly (readonly [Status, string])[] = [
  [status([]), 'no MDS is enrolled yet: xivo-xds-sync mds add NAME'],
  [status([{}]), 'the MDS is in sync'],
  [status([{}, {}, { state: 'revoked' }]), 'all 2 MDS in sync'],
  [
    status([{}, behind, { inSync: false, held: 'became empty' }, { state: 'disconnected', inSync: false }]),
    '2 of 4 MDS behind, 1 disconnected; moh on hold',
  ],
  [
    status([{ state: 'pending' }, { state: 'never-enrolled' }]),
    '1 of 2 MDS waiting for approval, 1 never enrolled',
  ],
  [status([behind], { pausedUntil: 'confirm' }), '1 of 1 MDS behind; paused'],
  [status([{}], { kinds: ['alarm'] }), 'the MDS is in sync; 1 problem below'],
  [
    status([{}], { kinds: ['blocked', 'main-error', 'disconnected'] }),
    'the MDS is in sync; 2 problems below',
  ],
];

describe('The line that sums up everything', () => {
  for (const [of, line] of CASES)
    it(`says "${line}", on a terminal and on the page`, () => {
      assert.equal(summaryLine(of), line);
      assert.equal(summaryLine(of, inWordsOf(en)), line);
    });

  it('is complete in French', () => {
    for (const [of] of CASES) assert.doesNotMatch(summaryLine(of, inWordsOf(fr)), /[{}]|undefined/);
  });
});

function inWordsOf(catalogue: Readonly<Record<MessageKey, string>>) {
  return (key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string =>
    fillIn(catalogue[key], values);
}
