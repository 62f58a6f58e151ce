import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, statSync } from 'node:fs';
import path from 'node:path';

export type Program = 'xivo-xds-sync' | 'xivo-xds-sync-agent';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const SOURCES = ['protocol', 'shared', 'controller', 'agent'].map((folder) => `${folder}/**/*.ts`);
const MORE = ['package.json', 'package-lock.json', 'install/package/bundle.ts', 'install/mds_install.sh'];

/** What starts a program with the Node that npm installed. */
export const NODE = [
  path.join(CHECKOUT, 'node_modules/node/bin/node'),
  '--disable-warning=ExperimentalWarning',
  // As the launchers of the checkout and of the package do.
  '--max-semi-space-size=8',
  '--v8-pool-size=1',
] as const;

/**
 * Both programs as the package has them, built once for each state of the sources: the runner builds them before
 * the first test, and a test file that is run alone does it itself. Starting one costs half of what the checkout's
 * sources cost.
 * @returns the folder, laid out as /usr is in the package
 */
export function bundles(): string {
  const given = process.env['XDS_TEST_BUNDLES'];
  if (given !== undefined) return given;
  const folder = path.join(CHECKOUT, '.cache/bundles', stateOfSources());
  if (!existsSync(folder)) {
    // In a process of its own: callers can't wait. Two at a time build twice, and the first to end is taken.
    const script = path.join(import.meta.dirname, 'buildBundles.ts');
    execFileSync(NODE[0], [...NODE.slice(1), script, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  process.env['XDS_TEST_BUNDLES'] = folder;
  return folder;
}

/** Where Node keeps what it compiled of these programs and of the tests. */
export function compileCache(): string {
  return path.join(CHECKOUT, '.cache/compiled');
}

/** The words that start a program. */
export function launcherOf(program: Program): readonly string[] {
  return [...NODE, path.join(bundles(), 'lib', program, 'program.mjs')];
}

/** The words that start a program from its sources, as a developer does. */
export function checkoutLauncher(program: Program): readonly string[] {
  return [path.join(CHECKOUT, 'bin', program)];
}

function stateOfSources(): string {
  const hash = createHash('sha256');
  for (const file of [...globSync(SOURCES, { cwd: CHECKOUT }).toSorted(), ...MORE]) {
    const { size, mtimeNs } = statSync(path.join(CHECKOUT, file), { bigint: true });
    hash.update(`${file} ${size} ${mtimeNs}\n`);
  }
  return hash.digest('hex').slice(0, 20);
}
