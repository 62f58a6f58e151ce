import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerBody, bodyOfLines, linesOfBody } from '#protocol/messages/answers.ts';
import { verifiedAt } from '../../../../controller/control/verify.ts';
import type { MainDirectory } from '../../../../controller/directories/mainDirectory.ts';

const MAIN = [{ name: 'moh', replica: { files: 40 } }] as unknown as Pick<
  MainDirectory,
  'name' | 'replica'
>[];
const WHOLE = { directory: 'moh', compared: true, files: 40, bytes: 1_000, wrong: [] };

const verified = (ok: boolean, body: unknown, problems: string[] = []): ReturnType<typeof verifiedAt> =>
  verifiedAt({ name: 'mds1', ok, actions: [], problems, body: answerBody.parse(body) }, MAIN);

void test('an MDS that compared all of it is verified', () => {
  assert.deepEqual(verified(true, { to: 'verify', directories: [WHOLE] }), {
    name: 'mds1',
    ok: true,
    files: 40,
    bytes: 1_000,
    differences: [],
    problems: [],
  });
});

for (const [what, ok, body] of [
  ['no directory at all', true, { to: 'verify', directories: [] }],
  ['a directory without a file', true, { to: 'verify', directories: [{ ...WHOLE, files: 0 }] }],
  [
    'a directory that it did not compare',
    true,
    { to: 'verify', directories: [{ ...WHOLE, compared: false }] },
  ],
  ['null', true, null],
  ['an answer to something else', true, { to: 'trash-list', items: [], problems: [] }],
  ['a count that is none', true, { to: 'verify', directories: [{ ...WHOLE, files: 1e300 }] }],
  ['differences that are none', true, { to: 'verify', directories: [{ ...WHOLE, wrong: [null] }] }],
  ['no success, and not why', false, { to: 'verify', directories: [WHOLE] }],
  ['no success, no body, and not why', false, undefined],
] as const) {
  void test(`an MDS that answers with ${what} is not verified, and it is said why`, () => {
    const { ok: isOk, problems, name } = verified(ok, body);
    assert.equal(name, 'mds1');
    assert.equal(isOk, false);
    assert.equal(problems.length, 1);
  });
}

void test('what an agent of an older version says in lines is the same answer', () => {
  const verify = { ...WHOLE, wrong: [{ path: 'a', reason: 'b' }] };
  const old = { directory: 'moh', files: 40, bytes: 1_000, wrong: [['a', 'b']] };
  assert.deepEqual(bodyOfLines('verify', [JSON.stringify(old)]), { to: 'verify', directories: [verify] });
  for (const body of [
    { to: 'verify' as const, directories: [verify] },
    { to: 'why' as const, facts: { decision: { kind: 'nothing' }, main: 'a', mds: 'b', ledger: 'c' } },
    {
      to: 'trash-list' as const,
      problems: ['a problem'],
      items: [{ id: 'x', directory: 'moh', path: 'p', at: 5, reason: 'r', type: 'file' as const, bytes: 7 }],
    },
  ])
    assert.deepEqual(bodyOfLines(body.to, linesOfBody(body)), body);
});

void test('lines that are not an answer are never taken for one', () => {
  for (const to of ['verify', 'why'] as const) {
    for (const line of ['null', '{', '[]', '7', '{"wrong":7}', '{"decision":null}'])
      assert.equal(bodyOfLines(to, [line]).to, 'nonsense', `${to}: ${line}`);
  }
  assert.equal(bodyOfLines('why', []).to, 'nonsense');
});
