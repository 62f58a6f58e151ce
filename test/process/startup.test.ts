import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import { bundle } from '../../install/package/bundle.ts';

const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-startup-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

/** What only the daemon says. */
const DAEMON = { controller: 'the controller can not run', agent: 'the agent can not run' } as const;

for (const program of ['controller', 'agent'] as const) {
  void it(`a plain command of the packaged ${program} loads neither parsers nor the daemon`, async () => {
    const out = path.join(folder, program);
    await bundle({ checkout: CHECKOUT, entry: `${program}/main.ts`, version: '0.0.0', folder: out });
    const loaded = closure(out, 'program.mjs');
    const text = [...loaded.values()].join('');
    // What stands for zod, yaml, ws and X.509.
    for (const needle of ['ZodError', 'YAMLParseError', 'WebSocketServer', 'X509CertificateGenerator'])
      assert.ok(!text.includes(needle), `${needle} is loaded at every start`);
    assert.ok(text.length < 200_000, `${text.length} bytes are loaded at every start`);

    const pieces = readdirSync(out).filter((name) => name.endsWith('.mjs'));
    const whole = new Map(pieces.map((name) => [name, readFileSync(path.join(out, name), 'utf8')]));
    for (const [name, piece] of whole) {
      // As ES modules Node's own load far more than is used: an HTTP client, streams, workers.
      for (const [, imported = ''] of piece.matchAll(/(?:from|import)"([^"]+)"/g))
        assert.ok(!isBuiltin(imported), `${name} imports ${imported} as an ES module`);
      // One import of zod by another name than the rest takes half a megabyte of languages along.
      assert.ok(!piece.includes('Nevalida enigo'), `${name} holds the messages of zod in other languages`);
    }
    const [daemon] = whole.keys().filter((name) => whole.get(name)?.includes(DAEMON[program]));
    assert.ok(daemon !== undefined, `no piece holds the daemon of the ${program}`);
    const running = [...closure(out, daemon).values()].join('');
    assert.ok(!running.includes('X509CertificateGenerator'), 'a daemon loads the making of certificates');
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
