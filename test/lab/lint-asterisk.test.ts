import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LivePlan } from '../../agent/asterisk/proof/dialplanShow.ts';
import type { DialplanWorld } from '#core/dialplan/world.ts';
import { dialplanWorld } from '#host/dialplan/place.ts';
import { CORPUS } from './asterisk/corpus.ts';
import type { CorpusCase } from './asterisk/corpus.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { lossesIn } from './asterisk/losses.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { judgePlan, readDialplan, readDialplanShow } from '../support/dialplan/atOnce.ts';

const root = fetchAsterisk();
const skip = root.missing ?? false;
let asterisk: AsteriskInstance;

before(async () => {
  if (root.missing !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'lint-asterisk-'));
  asterisk = await AsteriskInstance.create(root.folder, folder);
});

after(async () => {
  if (root.missing === undefined) await asterisk.remove();
});

/** The last file of every folder: it shows whether Asterisk came to the end. */
const LAST = { 'zz-last.conf': '[zz-last]\nexten => zz,1,NoOp(the end)\n' };

/** Where Asterisk says nothing at all about what it dropped. */
const SILENT = new Set(['n right after a hint', 'an end of a block comment alone', 'no extension']);

type Outcome = { log: string; live: string[]; plan: LivePlan };

async function activate(files: ReadonlyMap<string, Buffer>): Promise<Outcome> {
  const { dialplan } = asterisk.folders;
  for (const name of globSync(['*', '.*'], { cwd: dialplan })) {
    await rm(join(dialplan, name), { recursive: true });
  }
  for (const [name, content] of files) await writeFile(join(dialplan, name), content);
  const log = await asterisk.logOf(async () => {
    const answer = await asterisk.cli('dialplan reload');
    if (answer.includes('No such command')) await asterisk.cli('module load pbx_config.so');
  });
  const shown = await asterisk.cli('dialplan show', 'latin1');
  const plan = readDialplanShow(shown);
  assert.ok(plan.isWhole, shown);
  const live = readDialplanShow(utf8(shown))
    .priorities.filter(({ file }) => file !== 'extensions.conf')
    .map((live) => describe(live, live.shown, live.file, live.counted));
  return { log, live: live.sort(), plan };
}

function describe(
  priority: { context: string; extension: string; caller: string | undefined },
  shown: string,
  file: string,
  counted: number,
): string {
  const caller = priority.caller === undefined ? '' : `/${priority.caller}`;
  return `[${priority.context}] ${priority.extension}${caller} ${shown} ${file}:${String(counted)}`;
}

/** The folder as Asterisk sees it; what is outside is looked for on this disk. */
function world(files: ReadonlyMap<string, Buffer>): DialplanWorld {
  const { dialplan, folder } = asterisk.folders;
  const place = { path: dialplan, asteriskPath: dialplan, root: '', configFolder: join(folder, 'etc') };
  return dialplanWorld(place, files, (path) => files.has(path));
}

function contents({ files }: CorpusCase): Map<string, Buffer> {
  return new Map(Object.entries({ ...files, ...LAST }).map(([name, text]) => [name, Buffer.from(text)]));
}

/** As read from Asterisk's UTF-8 output; bytes that are none are replaced on both sides. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

for (const given of CORPUS) {
  test(`${given.verdict}: ${given.name}`, { skip }, async () => {
    const files = contents(given);
    const reading = readDialplan(world(files));
    const { log, live, plan } = await activate(files);
    const isLost = lossesIn(log).length > 0 || SILENT.has(given.name);
    const hasError = reading.findings.some(({ severity }) => severity === 'error');
    const detail = `${JSON.stringify(reading.findings, null, 1)}\n${log}`;
    const refusal = judgePlan({ reading, live: plan, words: [], folderName: 'extensions_extra.d' });
    assert.ok(isLost || refusal === undefined, `a sound plan is taken back: ${JSON.stringify(refusal)}`);
    if (given.verdict === 'doubt') {
      // Here it is known what is outside: what was a doubt is a certainty, and Asterisk's own.
      assert.ok(!hasError || isLost, detail);
      assert.ok(reading.findings.length > 0, 'a doubt is worth a warning');
      return;
    }
    assert.equal(isLost, given.verdict === 'broken', `Asterisk: ${detail}`);
    assert.equal(hasError, given.verdict === 'broken', `lint: ${detail}`);
    const planned = reading.priorities
      .filter(({ shown }) => shown !== undefined)
      .map((planned) =>
        utf8(describe(planned, planned.shown ?? '', planned.place.path, planned.place.counted)),
      );
    const ungrounded = new Set(
      reading.priorities
        .filter(({ shown }) => shown === undefined)
        .map(({ place }) => `${place.path}:${String(place.counted)}`),
    );
    const known = live.filter((line) => ![...ungrounded].some((where) => line.endsWith(` ${where}`)));
    assert.deepEqual(planned.sort(), known, detail);
  });
}

test(
  "Debian's own sample dialplan is taken whole, and lint knows every priority of it",
  { skip },
  async () => {
    const sample = await readFile(join(asterisk.root, 'etc/asterisk/extensions.conf'));
    const files = new Map([['extensions-sample.conf', sample]]);
    const reading = readDialplan(world(files));
    const { live } = await activate(files);
    assert.deepEqual(
      reading.findings.filter(({ severity }) => severity === 'error'),
      [],
    );
    const planned = reading.priorities.map((planned) =>
      utf8(describe(planned, planned.shown ?? '', planned.place.path, planned.place.counted)),
    );
    assert.deepEqual(planned.sort(), live);
    assert.ok(live.length > 100, String(live.length));
  },
);
