import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** `node together.ts FILE…`: runs test files one after another in this process. */

for (const file of process.argv.slice(2)) await import(pathToFileURL(path.resolve(file)).href);
