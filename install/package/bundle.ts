import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
import path from 'node:path';
import { buildClient, CLIENT_TYPES } from '../../controller/page/clientBundle.ts';

/** Some libraries are CommonJS and call `require` for Node's own modules. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/**
 * Puts a program and its libraries into a few files that load without node_modules: `program.mjs`, and a piece for
 * each command, read only when it is used.
 */
export async function bundle(options: {
  readonly checkout: string;
  /** The program's first module, from the checkout. */
  readonly entry: string;
  readonly version: string;
  readonly folder: string;
  /** More of esbuild's plugins: a test makes a program of another protocol version so. */
  readonly plugins?: readonly Plugin[];
}): Promise<void> {
  await build({
    entryPoints: [path.join(options.checkout, options.entry)],
    outdir: options.folder,
    entryNames: 'program',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    chunkNames: 'piece-[hash]',
    banner: { js: REQUIRE },
    // Only used when asked for; not in node_modules.
    external: ['pg-native', 'esbuild'],
    legalComments: 'inline',
    // Identifiers keep their names: a stack trace from the field is worth more than what they weigh.
    minifyWhitespace: true,
    minifySyntax: true,
    absWorkingDir: options.checkout,
    logLevel: 'warning',
    plugins: [versionOf(options.version), builtIns, ...(options.plugins ?? [])],
  });
  if (options.entry === 'controller/main.ts')
    await bundlePage(options.checkout, path.join(options.folder, 'page'));
}

/** The status page's own files, beside the program that serves them. */
async function bundlePage(checkout: string, folder: string): Promise<void> {
  const client = path.join(checkout, 'controller/page/client');
  const files = await buildClient(client);
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(CLIENT_TYPES))
    writeFileSync(path.join(folder, name), files.get(name) ?? readFileSync(path.join(client, name)));
}

/**
 * Node's http as CommonJS gets it. The same as an ES module costs a third of a command's time: its namespace reads every
 * export, and `http.WebSocket` loads a client of its own.
 */
const builtIns: Plugin = {
  name: 'built-in http',
  setup(hooks) {
    hooks.onResolve({ filter: /^(node:)?https?$/ }, ({ path: name }) => ({
      path: name,
      namespace: 'built-in',
    }));
    hooks.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
      loader: 'js',
    }));
  },
};

/** The program reads its version from package.json: nothing else of that file belongs into the bundle. */
function versionOf(version: string): Plugin {
  return {
    name: 'version',
    setup(hooks) {
      hooks.onLoad({ filter: /\/package\.json$/ }, ({ path: file }) => {
        const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
        if (name !== 'xivo-xds-sync') return undefined;
        return { contents: JSON.stringify({ version }), loader: 'json' };
      });
    },
  };
}
