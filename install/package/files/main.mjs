// Not imported: as ES modules they would load more of Node than the program uses.
const { enableCompileCache } = process.getBuiltinModule('node:module');
const path = process.getBuiltinModule('node:path');

// Needed to load Node itself (see the launcher), and wrong for every program that this one starts.
delete process.env.LD_LIBRARY_PATH;
// Root's, filled when the package is installed. Another user has none: Node's own choice would lie in /tmp.
enableCompileCache(path.join(import.meta.dirname, 'cache'));
await import('./program.mjs');
