import hooks from 'node:async_hooks';

/**
 * Preloaded where one process tries thousands of cases: node:test follows every promise of its process, to know whose an
 * error is that is caught nowhere, and that costs more than the cases themselves. Such an error still fails the file.
 * What else it follows it needs, to know which suite a hook or a test belongs to.
 */
const { createHook } = hooks;
hooks.createHook = (callbacks) => createHook({ ...callbacks, trackPromises: false });
