// Node has to load it before what it consists of: internal/tls/wrap, loaded first, keeps a reference to an empty module.
import 'node:tls';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** `node together.ts FILE…`: runs test files one after another in this process. */

for (const file of process.argv.slice(2)) await import(pathToFileURL(path.resolve(file)).href);
