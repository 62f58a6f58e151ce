import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { FEW } from '#host/fs/fsync.ts';
import { atOnce } from '#core/steps.ts';
import { listTrash } from '#sync/trash/trash.ts';
import type { Scenario } from './scenario.ts';

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, label] of Object.entries(files)) {
    const target = path.join(root, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, `${label}\n`.repeat(40));
    // Long ago, so that nothing depends on which of two files is the newer by chance.
    utimesSync(target, 1_700_000_000, 1_700_000_000.5);
  }
}

/** A change in place, later than what it changes. */
function edit(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, label] of Object.entries(files)) {
    writeFileSync(path.join(root, name), `${label}\n`.repeat(50));
    utimesSync(path.join(root, name), 1_750_000_000, 1_750_000_000);
  }
}

/** More than are synced one by one. */
function many(label: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: FEW + 2 }, (_, i) => [`${i}.wav`, `${label} ${i}`]));
}

const TO_MDS = { direction: 'to-mds', deletions: 'main' } as const;
const BOTH = { direction: 'both', deletions: 'both' } as const;

/** By what happens in them. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'new files, folders and links are delivered': {
    terms: TO_MDS,
    prepare: (main, mds) => {
      write(main, { 'kept.wav': 'kept' });
      write(mds, { 'local.wav': 'local', xds_override_a: 'override' });
    },
    change: (main) => {
      write(main, { 'new.wav': 'new', 'deep/er/new.wav': 'deep' });
      mkdirSync(path.join(main, 'empty'), { mode: 0o711 });
      symlinkSync('new.wav', path.join(main, 'link'));
      lutimesSync(path.join(main, 'link'), 1, 1);
    },
  },
  'files are replaced, one of them drifted and one was never delivered': {
    terms: TO_MDS,
    prepare: (main) => write(main, { 'changed.wav': 'old', 'drifted.wav': 'delivered' }),
    change: (main, mds) => {
      edit(main, { 'changed.wav': 'new' });
      edit(mds, { 'drifted.wav': 'edited on the MDS' });
      write(mds, { 'taken.wav': "the MDS's" });
      write(main, { 'taken.wav': "Main's" });
    },
  },
  'many files are delivered and replaced at once': {
    terms: TO_MDS,
    prepare: (main) => write(main, { '0.wav': 'old', '1.wav': 'old, too', 'kept.wav': 'kept' }),
    change: (main) => edit(main, many('new')),
  },
  'many recordings are uploaded at once': {
    terms: BOTH,
    prepare: (main) => write(main, { 'kept.wav': 'kept' }),
    change: (_main, mds) => write(mds, many('recorded')),
  },
  'files and an empty folder are removed': {
    terms: TO_MDS,
    prepare: (main) => {
      write(main, { 'a.wav': 'a', 'folder/b.wav': 'b', 'kept.wav': 'kept' });
      symlinkSync('a.wav', path.join(main, 'link'));
    },
    change: (main) => {
      unlinkSync(path.join(main, 'a.wav'));
      unlinkSync(path.join(main, 'link'));
      rmSync(path.join(main, 'folder'), { recursive: true });
    },
  },
  'files are renamed, into another folder and within one': {
    terms: TO_MDS,
    prepare: (main) =>
      write(main, { 'a.wav': 'a', 'folder/b.wav': 'b', 'folder/c.wav': 'c', 'kept.wav': 'kept' }),
    change: (main) => {
      renameSync(path.join(main, 'a.wav'), path.join(main, 'folder/a.wav'));
      renameSync(path.join(main, 'folder/b.wav'), path.join(main, 'folder/other.wav'));
      mkdirSync(path.join(main, 'new'));
      renameSync(path.join(main, 'folder/c.wav'), path.join(main, 'new/c.wav'));
      write(main, { 'a.wav': 'another' });
    },
  },
  'a folder becomes a file, and a file becomes a folder': {
    terms: TO_MDS,
    prepare: (main, mds) => {
      write(main, { 'folder/a.wav': 'a', 'file.wav': 'was a file' });
      write(mds, { 'folder/local.wav': 'local' });
    },
    change: (main) => {
      rmSync(path.join(main, 'folder'), { recursive: true });
      unlinkSync(path.join(main, 'file.wav'));
      write(main, { folder: 'is a file', 'file.wav/inside.wav': 'inside' });
    },
  },
  'only metadata changes': {
    terms: TO_MDS,
    prepare: (main) => write(main, { 'a.wav': 'a', 'folder/b.wav': 'b' }),
    change: (main) => {
      chmodSync(path.join(main, 'a.wav'), 0o600);
      utimesSync(path.join(main, 'folder/b.wav'), 1_600_000_000, 1_600_000_000);
      chmodSync(path.join(main, 'folder'), 0o700);
    },
  },
  'metadata changes on Main of a two-way directory': {
    terms: BOTH,
    prepare: (main) => write(main, { 'a.wav': 'a' }),
    change: (main) => chmodSync(path.join(main, 'a.wav'), 0o600),
  },
  'recordings are uploaded': {
    terms: BOTH,
    prepare: (main) => write(main, { 'kept.wav': 'kept' }),
    change: (_main, mds) => {
      write(mds, { 'new.wav': 'recorded', 'folder/deep.wav': 'recorded, too' });
      mkdirSync(path.join(mds, 'empty'));
    },
  },
  'recordings change and vanish on the MDS': {
    terms: BOTH,
    prepare: (main) =>
      write(main, { 'changed.wav': 'old', 'gone.wav': 'gone', 'dressed.wav': 'dressed', 'kept.wav': 'kept' }),
    change: (_main, mds) => {
      edit(mds, { 'changed.wav': 'new' });
      unlinkSync(path.join(mds, 'gone.wav'));
      chmodSync(path.join(mds, 'dressed.wav'), 0o600);
    },
  },
  'recordings change on both sides': {
    terms: BOTH,
    prepare: (main) => write(main, { 'main-wins.wav': 'old', 'mds-wins.wav': 'old, too' }),
    change: (main, mds) => {
      write(main, { 'mds-wins.wav': 'the older, on Main' });
      edit(main, { 'main-wins.wav': 'the newer, on Main' });
      write(mds, { 'main-wins.wav': 'the older, on the MDS' });
      edit(mds, { 'mds-wins.wav': 'the newer, on the MDS' });
    },
  },
  'recordings vanish on Main': {
    terms: { direction: 'both', deletions: 'main' },
    prepare: (main) => write(main, { 'gone.wav': 'gone', 'changed.wav': 'old', 'kept.wav': 'kept' }),
    change: (main, mds) => {
      unlinkSync(path.join(main, 'gone.wav'));
      unlinkSync(path.join(main, 'changed.wav'));
      edit(mds, { 'changed.wav': 'changed on the MDS since' });
    },
  },
  "a person adopts an MDS's local files and its edit of a delivered one": {
    terms: TO_MDS,
    prepare: (main, mds) => {
      write(main, { 'edited.wav': 'delivered', 'kept.wav': 'kept' });
      write(mds, { 'local.wav': 'local', 'folder/deep.wav': 'local, too' });
    },
    change: (_main, mds) => edit(mds, { 'edited.wav': 'edited on the MDS' }),
    ask: async (pair, { directory, main, mds }) => {
      // As a person sees in `diff` what still differs: one file may have failed where others went through.
      const [edited] = atOnce(listTrash(directory, mds)).items.filter((each) => each.path === 'edited.wav');
      assert.ok(edited, 'the edit is in the trash of the MDS');
      const isEdited = readFileSync(path.join(main, 'edited.wav'), 'utf8').startsWith('edited');
      const local = ['local.wav', 'folder/deep.wav'].filter((each) => !existsSync(path.join(main, each)));
      const files = [
        ...local.map((each) => ({ path: each })),
        ...(isEdited ? [] : [{ path: 'edited.wav', item: edited.id }]),
      ];
      if (files.length > 0) await pair.adopt(files);
    },
  },
  'recordings are made and changed while both are at work': {
    terms: BOTH,
    prepare: (main) => write(main, { 'kept.wav': 'kept', 'changed.wav': 'old' }),
    change: () => undefined,
    live: (_main, mds) => {
      write(mds, { 'new.wav': 'recorded', 'folder/deep.wav': 'recorded, too' });
      edit(mds, { 'changed.wav': 'new' });
    },
  },
  'a folder of Main is renamed while both are at work': {
    terms: TO_MDS,
    prepare: (main, mds) => {
      write(main, { 'kept.wav': 'kept', ...inFolder(24) });
      write(mds, { 'local.wav': 'local' });
    },
    change: () => undefined,
    live: (main) => renameSync(path.join(main, 'folder'), path.join(main, 'other')),
  },
};

function inFolder(files: number): Record<string, string> {
  const names = Array.from({ length: files }, (_, number) => `folder/${number}.wav`);
  return Object.fromEntries(names.map((name) => [name, name]));
}
