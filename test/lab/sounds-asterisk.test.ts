import assert from 'node:assert/strict';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { whyUnplayable } from '../../controller/directories/sound/playable.ts';
import { SOUNDS } from '../support/unit/sounds.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';

const root = fetchAsterisk();
const skip = root.missing ?? false;
let asterisk: AsteriskInstance;

before(async () => {
  if (root.missing !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'sounds-asterisk-'));
  asterisk = await AsteriskInstance.create(root.folder, folder);
  for (const module of [
    'format_wav_gsm',
    'format_sln',
    'format_ogg_vorbis',
    'codec_ulaw',
    'codec_gsm',
    'res_convert',
  ])
    await asterisk.cli(`module load ${module}.so`);
});

after(async () => {
  if (root.missing === undefined) await asterisk.remove();
});

/** What Asterisk's log says when it opens a file to read it, and whether it could. */
async function opened(path: string): Promise<{ opens: boolean; log: string }> {
  const { size } = await stat(asterisk.log);
  const answer = await asterisk.cli(`file convert ${path} ${path}.out.sln`);
  const log = (await readFile(asterisk.log, 'utf8')).slice(size);
  return { opens: !/unable to open input/i.test(answer), log: answer + log };
}

for (const { what, name, content, plays } of SOUNDS) {
  test(`Asterisk itself ${plays === 'no' ? 'does not open' : 'opens'} ${what}`, { skip }, async () => {
    const path = join(asterisk.folders.folder, name);
    await writeFile(path, content);
    const { opens, log } = await opened(path);
    assert.equal(opens, plays !== 'no', `${log}\n${whyUnplayable(name, content, content.length)}`);
  });
}
