import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import { bundle } from '../../install/package/bundle.ts';

const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-startup-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

for (const program of ['controller', 'agent']) {
  void it(`a plain command of the packaged ${program} loads neither parsers nor the daemon`, async () => {
    const out = path.join(folder, program);
    await bundle({ checkout: CHECKOUT, entry: `${program}/main.ts`, version: '0.0.0', folder: out });
    const loaded = closure(out, 'program.mjs');
    const text = [...loaded.values()].join('');
    // What stands for zod, yaml, ws and X.509.
    for (const needle of ['ZodError', 'YAMLParseError', 'WebSocketServer', 'X509CertificateGenerator'])
      assert.ok(!text.includes(needle), `${needle} is loaded at every start`);
    assert.ok(text.length < 200_000, `${text.length} bytes are loaded at every start`);
    // As ES modules these would load a whole HTTP client with every start.
    assert.doesNotMatch(text, /from"(?:node:)?https?"/);
  });
}

/** A piece and all that it imports statically. */
function closure(out: string, piece: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(piece)) return seen;
  const text = readFileSync(path.join(out, piece), 'utf8');
  seen.set(piece, text);
  for (const [, next] of text.matchAll(/(?:from|import)"\.\/(piece-[A-Z0-9]+\.mjs)"/g))
    if (next !== undefined) closure(out, next, seen);
  return seen;
}
