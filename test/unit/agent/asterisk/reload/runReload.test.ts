import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Prove, Verdict } from '../../../../../agent/asterisk/reload/proof.ts';
import { type ReloadEnd, runReload } from '../../../../../agent/asterisk/reload/runReload.ts';
import { AsteriskScript } from '../../../../support/unit/asteriskScript.ts';

const LIMITS = { timeoutMs: 10_000, signal: new AbortController().signal };
const RELOADED = 'echo "Dialplan reloaded."';

/** A proof with these verdicts, one for each reload; it notes when it was called. */
function proof(...verdicts: (Verdict | Error)[]): { prove: Prove; outputs: string[] } {
  const outputs: string[] = [];
  let number = 0;
  const prove: Prove = () => {
    const verdict = verdicts[number++] ?? {};
    return Promise.resolve((output: string) => {
      outputs.push(output);
      return verdict instanceof Error ? Promise.reject(verdict) : Promise.resolve(verdict);
    });
  };
  return { prove, outputs };
}

async function reload(
  t: TestContext,
  script: string,
  prove?: Prove,
  kind: 'dialplan' | 'moh' = 'dialplan',
): Promise<{ end: ReloadEnd; calls: string[] }> {
  const asterisk = new AsteriskScript(t, script);
  const end = await runReload(kind, asterisk.words, prove, LIMITS);
  return { end, calls: asterisk.calls };
}

describe('A reload', () => {
  it('is one command of its kind, and proved by what is active then', async (t) => {
    const { prove, outputs } = proof({ note: 'one line of the log' });
    const { end, calls } = await reload(t, RELOADED, prove);
    assert.deepEqual(end, { how: 'final', output: 'Dialplan reloaded.\none line of the log\n' });
    assert.deepEqual(calls, ['dialplan reload']);
    assert.deepEqual(outputs, ['Dialplan reloaded.\n']);
    assert.deepEqual((await reload(t, 'true', undefined, 'moh')).calls, ['moh reload']);
  });

  it('counts as refused when its proof says so, although Asterisk said that it reloaded', async (t) => {
    const refusal = { file: 'a.conf', line: 3, message: 'no such application' };
    const { end } = await reload(t, RELOADED, proof({ refusal }).prove);
    assert.deepEqual(end, { how: 'final', output: 'Dialplan reloaded.\n', refusal });
  });

  it('does not fail because it could not be proved: that is a note', async (t) => {
    const { end } = await reload(t, RELOADED, proof(new Error('no log')).prove);
    assert.ok(end.how === 'final' && end.refusal === undefined);
    assert.match(end.output, /could not be checked whether the change is active: no log/);
    const { end: other } = await reload(t, RELOADED, () => Promise.reject(new Error('no folder')));
    assert.match(other.output, /could not be checked .*: no folder/);
  });

  it('is repeated while its outcome is not clear, three times at most', async (t) => {
    const once = await reload(t, RELOADED, proof({ again: true }, {}).prove);
    assert.deepEqual([once.calls.length, once.end.how], [2, 'final']);
    const always = proof(...Array.from({ length: 9 }, () => ({ again: true })));
    const { end, calls } = await reload(t, RELOADED, always.prove);
    assert.equal(calls.length, 3);
    assert.deepEqual(end, { how: 'final', output: 'Dialplan reloaded.\n' });
  });

  it('that Asterisk is too busy for, or is not there for, proves nothing', async (t) => {
    const { prove, outputs } = proof({ refusal: { message: 'nothing was read' } });
    const busy = await reload(t, 'echo "A module reload request is already in progress"', prove);
    assert.equal(busy.end.how, 'busy');
    const away = await reload(t, 'echo "Unable to connect to remote asterisk"; exit 1', prove);
    assert.deepEqual(away.end, { how: 'away', output: 'Unable to connect to remote asterisk\n' });
    assert.deepEqual(outputs, []);
  });

  it('that Asterisk does not answer says how to correct it, where that is known', async (t) => {
    const { end } = await reload(t, 'echo "Unable to setgid to 101"; exit 1');
    assert.equal(end.how, 'away');
    assert.match(end.output, /^Unable to setgid to 101: asterisk\.conf sets rungroup/);
  });
});

describe('An Asterisk that does not know the command', () => {
  const unknown = 'echo "No such command \'dialplan reload\'"';

  it('is still starting: it is waited for, and asked again', async (t) => {
    const { end, calls } = await reload(t, `[ $call -lt 3 ] && ${unknown} || ${RELOADED}`);
    assert.deepEqual(calls, ['dialplan reload', 'core waitfullybooted', 'dialplan reload']);
    assert.equal(end.how, 'final');
    assert.match(end.output, /Dialplan reloaded/);
  });

  it('could not load the module at its start: it is loaded', async (t) => {
    const script = `case "$line" in module*) echo "Loaded pbx_config.so";; core*) ;; *) ${unknown};; esac`;
    const { end, calls } = await reload(t, script);
    assert.deepEqual(calls.at(-1), 'module load pbx_config.so');
    assert.ok(end.how === 'final' && end.refusal === undefined);
  });

  it('and can not load the module refuses the files', async (t) => {
    const { end } = await reload(
      t,
      `case "$line" in module*) echo "Unable to load module";; core*) ;; *) ${unknown};; esac`,
    );
    assert.ok(end.how === 'final');
    assert.match(end.refusal?.message ?? '', /Unable to load module/);
  });

  it('and never gets to know it is not taken for one that reloaded', async (t) => {
    const { end } = await reload(t, `case "$line" in core*) ;; *) ${unknown};; esac`);
    assert.ok(end.how === 'final' && end.refusal !== undefined);
  });

  it('and goes away meanwhile is away', async (t) => {
    const { end } = await reload(
      t,
      `[ $call = 1 ] && ${unknown} || { echo "Unable to connect to remote asterisk"; exit 1; }`,
    );
    assert.equal(end.how, 'away');
  });
});
