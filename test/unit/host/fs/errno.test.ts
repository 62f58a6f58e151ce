import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { describe, it } from 'node:test';
import { codeOf, errnoOf } from '#host/fs/errno.ts';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail('it did not fail');
}

const missing = errorOf(() => readFileSync('/nowhere/at/all'));
const ended = errorOf(() => execFileSync('sh', ['-c', 'echo no room >&2; exit 3'], { stdio: 'pipe' }));
const unknown = Object.assign(new Error('what Node says'), {
  code: 'Unknown system error -122',
  errno: -os.constants.errno.EDQUOT,
});

describe('The errno of an error', () => {
  it("is its name, also where Node has none for it, and the error's text where there is none", () => {
    assert.equal(errnoOf(missing), 'ENOENT');
    assert.equal(errnoOf(unknown), 'EDQUOT');
    assert.equal(errnoOf(new Error('the connection was lost')), 'the connection was lost');
    assert.equal(errnoOf(Object.assign(new Error('TLS'), { code: 'certificate' })), 'certificate');
    assert.equal(errnoOf('not an error'), 'not an error');
  });

  it('is not the exit code of a program', () => {
    assert.match(errnoOf(ended), /^Command failed: sh/);
    assert.equal(codeOf(Object.assign(new Error('it failed'), { code: 3 })), undefined);
  });
});

describe('The code of an error', () => {
  it('is what Node says, and nothing where it says nothing', () => {
    assert.equal(codeOf(missing), 'ENOENT');
    assert.equal(codeOf(unknown), 'Unknown system error -122');
    assert.equal(codeOf(new Error('plain')), undefined);
    assert.equal(codeOf({ code: 'ENOENT' }), undefined);
    assert.equal(codeOf(undefined), undefined);
  });
});
