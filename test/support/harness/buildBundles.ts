import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { bundle } from '../../../install/package/bundle.ts';

/** `node buildBundles.ts FOLDER`: both programs of the checkout, laid out as /usr is in the package. */

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const ENTRIES = { 'xivo-xds-sync': 'controller/main.ts', 'xivo-xds-sync-agent': 'agent/main.ts' };
/** Bundles of other states of the sources may be in use by another run. */
const KEEP = 24 * 3_600_000;

const target = process.argv[2] ?? '';
const parent = path.dirname(target);
mkdirSync(parent, { recursive: true });
for (const name of readdirSync(parent)) {
  const other = path.join(parent, name);
  if (Date.now() - statSync(other).mtimeMs > KEEP) rmSync(other, { recursive: true, force: true });
}

const { version } = JSON.parse(readFileSync(path.join(CHECKOUT, 'package.json'), 'utf8')) as {
  version: string;
};
const folder = mkdtempSync(path.join(parent, 'building-'));
for (const [program, entry] of Object.entries(ENTRIES)) {
  await bundle({ checkout: CHECKOUT, entry, version, folder: path.join(folder, 'lib', program) });
}
const share = path.join(folder, 'share/xivo-xds-sync');
mkdirSync(share, { recursive: true });
cpSync(path.join(CHECKOUT, 'install/mds_install.sh'), path.join(share, 'mds_install.sh'));
try {
  renameSync(folder, target);
} catch (error) {
  // Another process has built the same in the meantime.
  if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  rmSync(folder, { recursive: true, force: true });
}
