import { enableCompileCache } from 'node:module';
import path from 'node:path';

// Needed to load Node itself (see the launcher), and wrong for every program that this one starts.
delete process.env.LD_LIBRARY_PATH;
// Root's, filled when the package is installed. Another user has none: Node's own choice would lie in /tmp.
enableCompileCache(path.join(import.meta.dirname, 'cache'));
await import('./program.mjs');
