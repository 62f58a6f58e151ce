import { resolve } from 'node:path';

/**
 * Lets a whole Main or MDS live in a folder: puts the folder given with --root before every absolute path that
 * the program touches. Commands that it starts are the exception and don't pass through here.
 */
export class Root {
  /** '' without --root. */
  readonly #prefix: string;

  /** @param prefix the folder, relative ones count from the working directory; undefined: environment XDS_ROOT, or none */
  constructor(prefix: string | undefined = process.env['XDS_ROOT']) {
    const folder = prefix === undefined || prefix === '' ? '/' : resolve(prefix);
    this.#prefix = folder === '/' ? '' : folder;
  }

  /** True with --root: this machine's own services are then not the ones of this host. */
  get isElsewhere(): boolean {
    return this.#prefix !== '';
  }

  /**
   * The path on this machine's disk of an absolute path of the host.
   * @throws TypeError when it is not absolute, which is a bug
   */
  path(absolute: string): string {
    if (!absolute.startsWith('/')) throw new TypeError(`not an absolute path: ${absolute}`);
    return this.#prefix + absolute;
  }
}
