import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { build, type Plugin } from 'esbuild';
import path from 'node:path';
import * as z from 'zod';
import { buildClient, CLIENT_TYPES } from '../../controller/page/clientBundle.ts';

/** For what is not in the bundle: some libraries ask whether another one is installed. */
const REQUIRE = `const require = (name) => process.getBuiltinModule('module').createRequire(import.meta.url)(name);`;

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
    entryPoints: { program: path.join(options.checkout, options.entry), ...threadsOf(options) },
    outdir: options.folder,
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
    // ws would look for these addons at each start.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
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

/** What a program runs in threads of its own. */
function threadsOf({ checkout }: { checkout: string }): Record<string, string> {
  return { stagingWorker: path.join(checkout, 'shared/sync/apply/thread/stagingWorker.ts') };
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
 * Node's own modules without `import`: as an ES module each costs a read of every export, and many of those load more
 * (`http.WebSocket` a client, `fs.ReadStream` the streams, `process.stdin` opens it). That was half of a command's time.
 */
const builtIns: Plugin = {
  name: 'built-in modules',
  setup(hooks) {
    hooks.onResolve({ filter: /./ }, ({ path: name, kind, importer }) => {
      if (!isBuiltin(name)) return undefined;
      if (name === 'node:child_process' && importer.includes('/node_modules/commander/'))
        return { path: name, namespace: 'started', sideEffects: false };
      return { path: name, namespace: kind === 'require-call' ? 'required' : 'imported', sideEffects: false };
    });
    hooks.onLoad({ filter: /./, namespace: 'required' }, ({ path: name }) => ({
      contents: `module.exports = ${builtIn(name)};`,
      loader: 'js',
    }));
    // Only for commands that are programs of their own, of which there are none.
    hooks.onLoad({ filter: /./, namespace: 'started' }, ({ path: name }) => ({
      contents: `export default { spawn: (...all) => ${builtIn(name)}.spawn(...all) };`,
      loader: 'js',
    }));
    hooks.onLoad({ filter: /./, namespace: 'imported' }, ({ path: name }) => ({
      contents: importable(name),
      loader: 'js',
    }));
  },
};

function builtIn(name: string): string {
  return `process.getBuiltinModule(${JSON.stringify(name)})`;
}

/** An ES module with the exports of Node's: what is not used falls away, so that it is not read either. */
function importable(name: string): string {
  const exported = Object.keys(process.getBuiltinModule(name) ?? {}).filter(
    (key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default',
  );
  return [
    `const all = /* @__PURE__ */ (() => ${builtIn(name)})();`,
    'export default all;',
    ...exported.map((key, at) => `const e${at} = /* @__PURE__ */ (() => all.${key})();`),
    `export { ${exported.map((key, at) => `e${at} as ${key}`).join(', ')} };`,
  ].join('\n');
}

/** Of a package.json. */
const named = z.looseObject({ name: z.string().optional() });

/** The program reads its version from package.json: nothing else of that file belongs into the bundle. */
function versionOf(version: string): Plugin {
  return {
    name: 'version',
    setup(hooks) {
      hooks.onLoad({ filter: /\/package\.json$/ }, ({ path: file }) => {
        const { name } = named.parse(JSON.parse(readFileSync(file, 'utf8')));
        if (name !== 'xivo-xds-sync') return undefined;
        return { contents: JSON.stringify({ version }), loader: 'json' };
      });
    },
  };
}
