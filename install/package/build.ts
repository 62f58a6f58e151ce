import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '#host/version.ts';
import { bundle } from './bundle.ts';
import { agentProgram } from '../../agent/cli/program.ts';
import { controllerProgram } from '../../controller/cli/program.ts';
import { describeCommand, proveRuns } from './commands.ts';
import { bashCompletion } from './completion.ts';
import { manPage } from './manPage.ts';
import { writeNode } from './nodeRuntime.ts';
import { PACKAGES, type PackageDescription } from './packages.ts';
import { packTree } from './tree.ts';

/**
 * `npm run package`: makes both Debian packages in dist/. Needs dpkg-deb, and strip if there is one.
 * `-- --version V` builds under another version, `-- --out DIR` into another folder.
 */

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: VERSION },
    out: { type: 'string', default: path.join(CHECKOUT, 'dist') },
    // For tests, which build often: larger packages, sooner.
    fast: { type: 'boolean', default: false },
  },
});

// dpkg-deb takes no file to be younger than this, so the same commit gives the same bytes.
const builtAt = Number(process.env['SOURCE_DATE_EPOCH'] ?? commitTime());

mkdirSync(values.out, { recursive: true });
for (const described of PACKAGES) await build(described);

async function build(described: PackageDescription): Promise<void> {
  console.log(
    `${described.name} ${values.version}: packing${values.fast ? '' : ', which takes some minutes'} …`,
  );
  const tree = path.join(values.out, `${described.name}.tree`);
  rmSync(tree, { recursive: true, force: true });
  const library = path.join(tree, 'usr/lib', described.name);
  await bundle({ checkout: CHECKOUT, entry: described.entry, version: values.version, folder: library });
  writeNode(CHECKOUT, library);
  await proveRuns(library, values.version);
  const commands = describeCommand(described.name === 'xivo-xds-sync' ? controllerProgram() : agentProgram());
  const file = packTree({
    tree,
    described,
    checkout: CHECKOUT,
    version: values.version,
    builtAt,
    help: {
      manual: manPage(commands, values.version, builtAt),
      completion: bashCompletion(commands),
    },
    out: values.out,
    compression: values.fast ? ['-Zgzip', '-z1'] : ['-Zxz', '-z6'],
  });
  rmSync(tree, { recursive: true });
  console.log(`${path.relative(process.cwd(), file)}  ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
}

function commitTime(): string {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  } catch {
    // Not from a clone: the time of the version's own file.
    return String(Math.floor(statSync(path.join(CHECKOUT, 'package.json')).mtimeMs / 1000));
  }
}
