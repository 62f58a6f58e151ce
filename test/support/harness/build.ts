import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../../install/package/bundle.ts';
import type { ProtocolRange } from '#protocol/version.ts';
import { NODE, type Program } from './bundles.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const ENTRIES = { 'xivo-xds-sync': 'controller/main.ts', 'xivo-xds-sync-agent': 'agent/main.ts' } as const;

/**
 * Builds this tree as another version, as the package has it.
 * @returns what starts it
 */
export async function buildVersion(
  program: Program,
  options: { readonly folder: string; readonly version: string; readonly protocol?: ProtocolRange },
): Promise<readonly string[]> {
  const { folder, version, protocol } = options;
  await bundle({
    checkout: CHECKOUT,
    entry: ENTRIES[program],
    version,
    folder,
    plugins: protocol === undefined ? [] : [speaking(protocol)],
  });
  return [...NODE, path.join(folder, 'program.mjs')];
}

/** Only the numbers differ: what another version would do is unknown. */
function speaking({ oldest, newest }: ProtocolRange): Plugin {
  return {
    name: 'protocol',
    setup(hooks) {
      hooks.onLoad({ filter: /\/protocol\/version\.ts$/ }, async ({ path: file }) => {
        const source = await readFile(file, 'utf8');
        const changed = source.replace(
          /\{ oldest: \d+, newest: \d+ \} as const/,
          `{ oldest: ${oldest}, newest: ${newest} } as const`,
        );
        if (changed === source && !source.includes(`newest: ${newest} } as const`))
          throw new Error(`${file} looks different`);
        return { contents: changed, loader: 'ts' };
      });
    },
  };
}
