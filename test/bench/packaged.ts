import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { buildVersion } from '../support/harness/build.ts';
import type { Program } from '../support/harness/host.ts';

const FILES = path.resolve(import.meta.dirname, '../../install/package/files');

export type Launchers = Readonly<Record<Program, readonly string[]>>;

/** Builds both programs as their packages hold them, with the compile cache that an installation fills. */
export async function buildPackaged(folder: string): Promise<Launchers> {
  const build = async (program: Program): Promise<readonly string[]> => {
    const library = path.join(folder, program);
    const [node = ''] = await buildVersion(program, { folder: library, version: VERSION });
    for (const file of ['main.mjs', 'fillCache.mjs'])
      copyFileSync(path.join(FILES, file), path.join(library, file));
    const start = [node, '--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
    execFileSync(node, [...start.slice(1), path.join(library, 'fillCache.mjs')], { stdio: 'ignore' });
    return [...start, path.join(library, 'main.mjs')];
  };
  return {
    'xivo-xds-sync': await build('xivo-xds-sync'),
    'xivo-xds-sync-agent': await build('xivo-xds-sync-agent'),
  };
}
