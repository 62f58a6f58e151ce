// Run by postinst: compiles every piece of the program once, so that no start has to.
import { readdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';

const folder = import.meta.dirname;
enableCompileCache(path.join(folder, 'cache'));
process.argv[2] = '--version';
for (const name of readdirSync(folder)) {
  // Threads do nothing here, and pieces only define what the program uses.
  if (name === 'program.mjs' || name === 'stagingWorker.mjs' || name.startsWith('piece-'))
    await import(path.join(folder, name));
}
