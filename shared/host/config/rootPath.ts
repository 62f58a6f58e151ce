import { resolve } from 'node:path';

/**
 * Lets a whole Main or MDS live in a folder: puts the folder given with --root before every absolute path that
 * the program touches. Commands that it starts are the exception and don't pass through here.
 */
export class Root {
  /** '' when paths are taken as they are. */
  readonly #prefix: string;

  /** @param prefix the folder, relative ones count from the working directory; undefined: environment XDS_ROOT, or none */
  constructor(prefix: string | undefined = process.env['XDS_ROOT']) {
    const folder = prefix === undefined || prefix === '' ? '/' : resolve(prefix);
    this.#prefix = folder === '/' ? '' : folder;
  }

  /** True when the paths lie in a folder: the services of this machine then belong to somebody else. */
  get isElsewhere(): boolean {
    return this.#prefix !== '';
  }

  /**
   * Where the absolute path lies.
   * @throws TypeError when it is not absolute: that is a mistake in the program
   */
  path(absolute: string): string {
    if (!absolute.startsWith('/')) throw new TypeError(`not an absolute path: ${absolute}`);
    return this.#prefix + absolute;
  }
}
