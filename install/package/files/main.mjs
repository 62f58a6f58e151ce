// Needed to load Node itself (see the launcher), and wrong for every program that this one starts.
delete process.env.LD_LIBRARY_PATH;
await import('./program.mjs');
