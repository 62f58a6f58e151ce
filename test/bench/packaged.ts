import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { buildVersion } from '../support/harness/build.ts';
import { NODE } from '../support/harness/bundles.ts';
import type { Program } from '../support/harness/host.ts';

const FILES = path.resolve(import.meta.dirname, '../../install/package/files');

export type Launchers = Readonly<Record<Program, readonly string[]>>;

/** Builds both programs as their packages hold them, with the compile cache that an installation fills. */
export async function buildPackaged(folder: string): Promise<Launchers> {
  const build = async (program: Program): Promise<readonly string[]> => {
    const library = path.join(folder, program);
    await buildVersion(program, { folder: library, version: VERSION });
    for (const file of ['main.mjs', 'fillCache.mjs'])
      copyFileSync(path.join(FILES, file), path.join(library, file));
    const [node, ...flags] = NODE;
    execFileSync(node, [...flags, path.join(library, 'fillCache.mjs')], { stdio: 'ignore' });
    return [...NODE, path.join(library, 'main.mjs')];
  };
  return {
    'xivo-xds-sync': await build('xivo-xds-sync'),
    'xivo-xds-sync-agent': await build('xivo-xds-sync-agent'),
  };
}
