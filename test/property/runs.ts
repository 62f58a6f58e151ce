import type fc from 'fast-check';

/**
 * How long and where the random search looks. `XDS_HISTORIES` sets the number of histories, `XDS_SEED` the seed;
 * a failure prints seed and path, and `XDS_SEED=… XDS_PATH=…` replays exactly that one.
 */
export function runs<T>(histories = 10_000): fc.Parameters<T> {
  const { XDS_HISTORIES, XDS_SEED, XDS_PATH } = process.env;
  return {
    numRuns: XDS_HISTORIES === undefined ? histories : Number(XDS_HISTORIES),
    ...(XDS_SEED !== undefined && { seed: Number(XDS_SEED) }),
    ...(XDS_PATH !== undefined && { path: XDS_PATH }),
  };
}
