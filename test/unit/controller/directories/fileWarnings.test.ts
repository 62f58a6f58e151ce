import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Excludes } from '#core/path/excludes.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { FileWarnings } from '../../../../controller/directories/fileWarnings.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

type Rules = Partial<Pick<DirectoryConfig, 'direction' | 'reload' | 'lint'>>;

/** A folder of Main in which the files of these names are excluded, with what is logged and reported about it. */
function warningsOf(
  t: TestContext,
  rules: Rules,
  excluded: readonly string[] = [],
): { warnings: FileWarnings; clock: ManualClock; said: string[]; put: (name: string, text: string) => void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-warnings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const clock = new ManualClock();
  const said: string[] = [];
  const warnings = new FileWarnings({
    config: { name: 'files', path: folder, direction: 'to-mds', ...rules } as DirectoryConfig,
    replica: { path: folder, excludedFilesIn: () => excluded } as unknown as Replica,
    excludes: new Excludes(excluded),
    root: '',
    clock,
    log: {
      error: (event: string, { path: name }: { path: string }) => said.push(`error ${event} ${name}`),
      info: (event: string, { path: name }: { path: string }) => said.push(`info ${event} ${name}`),
    } as unknown as Logger,
    onFinding: (detail) => said.push(`finding ${detail.slice(0, 45)}`),
    onUnread: (error) => assert.fail(String(error)),
  });
  t.after(() => warnings.close());
  const put = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  return { warnings, clock, said, put };
}

/** The dialplan is read in slices, between which other work goes on: waits until it has been. */
async function untilTrue(isSo: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !isSo(); turns++) await turn();
}

describe('The warnings about files of Main', () => {
  it('are those of lint in a dialplan: logged and reported when they appear and when they are gone', async (t) => {
    const { warnings, clock, said, put } = warningsOf(t, { reload: 'dialplan', lint: 'block' });
    const save = async (text: string): Promise<string[]> => {
      put('a.conf', text);
      warnings.look(['a.conf']);
      clock.advance(500);
      await untilTrue(() => said.length >= 2);
      return said.splice(0);
    };
    assert.deepEqual(await save('[a\n'), [
      'error lint a.conf',
      'finding a.conf: line 1: The section header has no clo',
    ]);
    assert.match(warnings.all.get('a.conf') ?? '', /^line 1: The section header/);
    assert.deepEqual(await save('[a]\n'), ['info lint recovered a.conf', 'finding a.conf: recovered']);
    assert.equal(warnings.all.size, 0);
  });

  it("are of an excluded file of the dialplan, too: Main's Asterisk reads it, and a fault in it is added", async (t) => {
    const { warnings, clock, put } = warningsOf(t, { reload: 'dialplan', lint: 'warn' }, [
      'a.conf',
      '.a.swp',
    ]);
    put('a.conf', '[a\n');
    assert.deepEqual([...warnings.all.keys()], ['a.conf'], 'Asterisk does not read hidden files');
    warnings.look(['a.conf']);
    clock.advance(500);
    await untilTrue(() => warnings.all.get('a.conf')?.includes('line 1') === true);
    assert.match(warnings.all.get('a.conf') ?? '', /^excluded \(a\.conf\), .*; line 1: The section header/);
  });

  it('are none of lint where lint is off, but an excluded file is still one', (t) => {
    const { warnings, clock, put } = warningsOf(t, { reload: 'dialplan', lint: 'off' }, ['b.conf']);
    put('a.conf', '[a\n');
    warnings.look(['a.conf']);
    assert.equal(clock.timers, 0);
    assert.deepEqual([...warnings.all.keys()], ['b.conf']);
  });

  it('are about sounds only where Main alone adds them, and not in a dialplan', (t) => {
    const checks = ({ direction = 'to-mds', reload = 'none' }: Rules): boolean => {
      const { warnings, clock } = warningsOf(t, { direction, reload, lint: 'off' });
      warnings.look(['a.wav']);
      return clock.timers > 0;
    };
    assert.equal(checks({}), true);
    assert.equal(checks({ reload: 'moh' }), true);
    assert.equal(checks({ direction: 'both' }), false, 'the recordings of Asterisk itself');
    assert.equal(checks({ reload: 'dialplan' }), false);
  });
});
