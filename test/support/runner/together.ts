// tls and Node's internal/tls/wrap load each other. From the other side, as node:_tls_wrap does it and nothing else in Node
// 26, tls takes over what wrap exports before there is any of it: tls.connect is undefined in this process from then on. That
// was seen in one order of the unit tests; what loaded it there is not known, and in the present order nothing does.
import 'node:tls';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** `node together.ts FILE…`: runs test files one after another in this process. */

for (const file of process.argv.slice(2)) await import(pathToFileURL(path.resolve(file)).href);
