import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { DialplanReading } from '#core/dialplan/lint.ts';
import { dialplanWorld } from '#host/dialplan/place.ts';
import { randomFrom } from '../support/crash/random.ts';
import { type Edit, edited, type Files, RandomEdits } from '../support/dialplan/randomEdits.ts';
import { disagreements, isSound, type Made, verdictDifferences } from './asterisk/agreement.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { readDialplan, readDialplanShow } from '../support/dialplan/atOnce.ts';

/** How long it goes on, milliseconds; XDS_EDITS sets a number of edits instead. */
const TIME = 40_000;
const EDITS = Number(process.env['XDS_EDITS'] ?? Infinity);
/** The same edits at each run, since some may crash Asterisk itself; another seed tries others. */
const SEED = Number(process.env['XDS_SEED'] ?? 20_261_126);
/** Edits until all begins again. */
const STORY = 60;
/** How often a person leaves what is broken. */
const LEFT = 0.15;

const root = fetchAsterisk();
let asterisk: AsteriskInstance;

before(async () => {
  if (root.missing !== undefined) return;
  asterisk = await AsteriskInstance.create(root.folder, mkdtempSync(path.join(tmpdir(), 'edits-')));
});
after(async () => {
  if (root.missing === undefined) await asterisk.remove();
});

/** With everything known from extensions.conf on, or with the folder alone, as where that can't be read. */
function read(isFromStart: boolean): DialplanReading {
  const { dialplan, folder } = asterisk.folders;
  const configFolder = path.join(folder, isFromStart ? 'etc' : 'nowhere');
  return readDialplan(dialplanWorld({ path: dialplan, asteriskPath: dialplan, root: '', configFolder }));
}

function put(edit: Edit): void {
  for (const [name, text] of edit) {
    const file = path.join(asterisk.folders.dialplan, name);
    if (text === undefined) rmSync(file, { force: true });
    else {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}

async function reload(): Promise<Made> {
  const log = await asterisk.logOf(async () => {
    const answer = await asterisk.cli('dialplan reload');
    if (answer.includes('No such command')) await asterisk.cli('module load pbx_config.so');
  });
  return { log, live: readDialplanShow(await asterisk.cli('dialplan show', 'latin1')) };
}

function undo(files: Files, edit: Edit): Edit {
  return new Map([...edit.keys()].map((name) => [name, files.get(name)]));
}

test('lint and Asterisk agree over random edits of a folder', { skip: root.missing ?? false }, async (t) => {
  t.diagnostic(`XDS_SEED=${SEED}`);
  const folder = asterisk.folders.dialplan;
  const edits = new RandomEdits(randomFrom(SEED), folder);
  const end = performance.now() + (EDITS === Infinity ? TIME : Infinity);
  let files: Files = new Map();
  let wasSound = true;
  let [sound, broken] = [0, 0];
  for (let done = 0; done < EDITS && performance.now() < end; done++) {
    const isNew = done % STORY === 0;
    const edit = isNew
      ? new Map([...new Map([...files.keys()].map((name) => [name, undefined] as const)), ...edits.start()])
      : edits.edit(files);
    const [known, alone] = [read(true), read(false)];
    put(edit);
    const made = await reload();
    // What a pattern names for a second time is called by the pattern, whichever file it comes from.
    if (/saved in \S*[*\]]\S*~~/.test(made.log)) {
      put(undo(files, edit));
      continue;
    }
    const now = read(true);
    const changed = new Set(edit.keys());
    const wrong: string[] = [
      ...disagreements(now, made, folder),
      ...verdictDifferences(known, now, changed, made, { wasSound: wasSound && !isNew, folder }),
      ...verdictDifferences(alone, read(false), changed, made, { wasSound: false, folder }),
    ];
    const next = edited(files, edit);
    const story = (): string =>
      `XDS_SEED=${SEED}, edit ${done}:\n${wrong.join('\n')}\n--- the edit\n${JSON.stringify([...edit])}\n--- the folder\n` +
      [...next].map(([name, text]) => `=== ${name}\n${text}`).join('\n') +
      `\n--- findings\n${now.findings.map((each) => JSON.stringify(each)).join('\n')}\n--- the log\n${made.log}`;
    assert.deepEqual(wrong, [], story());
    const isFine = isSound(now, made.log, folder);
    if (isFine) sound++;
    else broken++;
    if (isFine || edits.isSo(LEFT)) [files, wasSound] = [next, isFine];
    else put(undo(files, edit));
  }
  t.diagnostic(`${sound} sound and ${broken} broken folders`);
  assert.ok(sound > 0 && broken > 0);
});
