import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Activation } from '../../../../../agent/asterisk/activation/activation.ts';
import type { Refusal } from '../../../../../agent/asterisk/reload/result.ts';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { createLogger } from '#host/log/logger.ts';
import { DialplanReadings } from '#host/dialplan/readings.ts';
import { systemClock } from '#host/time/clock.ts';

type Files = Readonly<Record<string, string | undefined>>;

class CountedReadings extends DialplanReadings {
  /** How often files were interpreted: a kept reading is the same object. */
  readonly made = new Set<object>();

  override async read(...args: Parameters<DialplanReadings['read']>): ReturnType<DialplanReadings['read']> {
    const reading = await super.read(...args);
    this.made.add(reading);
    return reading;
  }
}

class Folder {
  readonly path: string;
  readonly activation: Activation;
  readonly readings: CountedReadings;
  reloads = 0;
  /** What Asterisk will say, and what it said last. */
  refusal: Refusal | undefined;
  standing: Refusal | undefined;

  constructor(t: TestContext, files: Files) {
    this.path = mkdtempSync(path.join(os.tmpdir(), 'xds-activation-'));
    t.after(() => rmSync(this.path, { recursive: true }));
    this.put(files);
    this.readings = new CountedReadings(systemClock);
    t.after(() => this.readings.forget());
    this.activation = new Activation({
      policy: { lint: 'warn' } as DirectoryPolicy,
      kind: 'dialplan',
      place: () => ({ path: this.path, asteriskPath: this.path, root: '' }),
      readings: this.readings,
      log: createLogger('error', () => undefined),
      reload: () => {
        this.reloads += 1;
        const { refusal } = this;
        const answer = { kind: 'dialplan', at: 0, durationMs: 1, output: '' } as const;
        return Promise.resolve({ ...answer, ok: refusal === undefined, ...(refusal && { refusal }) });
      },
      refusal: () => this.standing,
      readers: undefined,
    });
  }

  put(files: Files): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.path, name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
    }
  }

  /** Makes a change set visible and activates it. @returns what has it reverted */
  async change(files: Files): Promise<Refusal | undefined> {
    const puts = Object.entries(files).map(
      ([name, text]) => [name, text === undefined ? undefined : Buffer.from(text)] as const,
    );
    await this.activation.judge(new Map(puts), new Set(), false);
    this.put(files);
    return await this.activation.activate(new Set(Object.keys(files)));
  }
}

const PLAN = '[a]\nexten = 1,1,NoOp(a)\n';

test('only what Asterisk reads is a reason for a reload', async (t) => {
  const folder = new Folder(t, { 'a.conf': `${PLAN}#include "@/p/x.inc"\n`, 'p/x.inc': '; x\n' });
  folder.put({ 'a.conf': `${PLAN}#include "${folder.path}/p/x.inc"\n` });
  await folder.change({ '.hidden': '[broken\n' });
  await folder.change({ 'unused/x.conf': '[broken\n' });
  await folder.change({ 'p/x.inc': '; x\n' });
  assert.equal(folder.reloads, 0);
  await folder.change({ 'p/x.inc': '; y\n' });
  assert.equal(folder.reloads, 1);
  await folder.change({ 'b.conf': '' });
  assert.equal(folder.reloads, 2);
});

test('a change set is interpreted once, and so is the folder before the first one', async (t) => {
  const folder = new Folder(t, { 'a.conf': PLAN, 'b.conf': '[b]\n' });
  await folder.change({ 'b.conf': '[b]\nexten = 2,1,NoOp()\n' });
  assert.equal(folder.readings.made.size, 2);
  await folder.change({ 'b.conf': '[b]\nexten = 2,1,Hangup()\n' });
  assert.equal(folder.readings.made.size, 3);
  assert.equal(folder.reloads, 2);
});

test('a set is reverted for a refusal of its own files, and of those that depend on them', async (t) => {
  const template = { 't.conf': '[tpl](!)\n' };
  const folder = new Folder(t, { ...template, 'u.conf': '[u](tpl)\n', 'local.conf': '; x\n' });
  folder.refusal = { file: 'u.conf', line: 1, message: "category 'tpl' does not exist" };
  assert.equal(await folder.change({ 't.conf': undefined }), folder.refusal);
  folder.put(template);
  assert.equal(await folder.change({ 'u.conf': '[u](tpl)\nexten = 1,1,NoOp\n' }), folder.refusal);
  // Others are not its fault, and neither is what was refused before.
  assert.equal(await folder.change({ 'b.conf': '[b]\n' }), undefined);
  folder.standing = folder.refusal;
  assert.equal(await folder.change({ 't.conf': undefined }), undefined);
});
