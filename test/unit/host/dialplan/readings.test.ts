import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { DialplanReading } from '#core/dialplan/lint.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import type { Clock } from '#host/time/clock.ts';
import { DialplanReadings } from '#host/dialplan/readings.ts';

/** A dialplan folder whose files include others, beside it and below it, and what was read of it last. */
class Folder {
  readonly #top: string;
  /** Ends the time for which readings are kept. */
  expire: () => void = () => undefined;
  readonly #readings: DialplanReadings;

  constructor(t: TestContext, mostBytes?: number) {
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      after: (_milliseconds, callback) => {
        this.expire = callback;
        return () => (this.expire = () => undefined);
      },
    };
    this.#readings = new DialplanReadings(clock, mostBytes);
    this.#top = mkdtempSync(path.join(os.tmpdir(), 'xds-readings-'));
    t.after(() => rmSync(this.#top, { recursive: true }));
    this.put(
      'a.conf',
      `[a]\nexten = 1,1,NoOp()\n#include parts/x.inc\n#tryinclude ${this.at('parts/y.inc')}\n#tryinclude /nowhere-here/z.inc\n`,
    );
    this.put('b.conf', '[b]\nexten = 2,1,NoOp()\n');
    this.put('parts/x.inc', 'exten = 3,1,NoOp()\n');
    this.put('../parts/x.inc', 'exten = 3,1,NoOp()\n');
  }

  at(name: string): string {
    return path.join(this.#top, 'extensions_extra.d', name);
  }

  put(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  read(changed?: ReadonlyMap<string, Put>): Promise<DialplanReading> {
    return this.#readings.read({ path: this.at(''), asteriskPath: this.at(''), root: this.#top }, changed);
  }
}

void test('a folder is interpreted once, as long as nothing of what Asterisk reads changes', async (t) => {
  const folder = new Folder(t);
  const first = await folder.read();
  utimesSync(folder.at('a.conf'), 1, 1);
  folder.put('parts/unused.inc', '[h]\n');
  assert.equal(await folder.read(), first);
  folder.expire();
  assert.notEqual(await folder.read(), first, 'it is kept for a while only');
});

const CHANGES: Readonly<Record<string, (folder: Folder) => void>> = {
  'a file changes, and keeps size and time': (folder) => folder.put('b.conf', '[b]\nexten = 9,1,NoOp()\n'),
  'a file is added': (folder) => folder.put('c.conf', '[c]\n'),
  'a file is removed': (folder) => rmSync(folder.at('b.conf')),
  'an included file changes': (folder) => folder.put('../parts/x.inc', 'exten = 4,1,NoOp()\n'),
  'a file that was included where there is one appears': (folder) => folder.put('parts/y.inc', '; y\n'),
  'what an include names is found in another place': (folder) => folder.put('../nowhere-here/z.inc', '; z\n'),
  'extensions.conf appears': (folder) => folder.put('../extensions.conf', '[general]\n'),
};

for (const [what, change] of Object.entries(CHANGES)) {
  void test(`it is interpreted again when ${what}`, async (t) => {
    const folder = new Folder(t);
    const before = await folder.read();
    change(folder);
    const after = await folder.read();
    assert.notEqual(after, before);
    assert.equal(await folder.read(), after);
  });
}

void test('what a change set makes of the folder is known when it is visible, and what was before it', async (t) => {
  const folder = new Folder(t);
  const text = '[b]\nexten = 2,1,Hangup()\n';
  const before = await folder.read();
  const changed = new Map([['b.conf', Buffer.from(text)]]);
  const after = await folder.read(changed);
  assert.equal(await folder.read(), before);
  folder.put('b.conf', text);
  assert.equal(await folder.read(), after);
});

void test('readings of too many bytes are not kept', async (t) => {
  const folder = new Folder(t, 100_000);
  const first = await folder.read();
  assert.equal(await folder.read(), first);
  folder.put('large.conf', `; ${'x'.repeat(100_000)}\n`);
  assert.notEqual(await folder.read(), await folder.read());
});
