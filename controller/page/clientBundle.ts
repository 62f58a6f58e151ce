import path from 'node:path';
import type { OutputFile } from 'esbuild';

/** The files that a browser loads: names and types. */
export const CLIENT_TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};

/**
 * Builds the page from its sources, as the package has it: one script and one style sheet.
 * @param client the folder of the sources
 */
export async function buildClient(client: string): Promise<Map<string, Uint8Array>> {
  // A development dependency; in the package the page is already built, and this is never reached.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [{ in: path.join(client, 'main.tsx'), out: 'page' }],
    outdir: client,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  return new Map(outputFiles.map((file: OutputFile) => [path.basename(file.path), file.contents]));
}
