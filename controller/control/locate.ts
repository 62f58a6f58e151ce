import { locateOrWhole as locateOrWholeIn, locatePath, type Named } from '#core/path/locate.ts';
import type { Controller } from '../daemon/controller.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';

export type Located = { readonly directory: MainDirectory; readonly path: string };

/** The synchronised directory of a path as users write it: absolute (with or without --root), or `directory/path`. */
export function locate(controller: Controller, written: string): Located | undefined {
  return located(locatePath(named(controller), written));
}

/** The same; the name or path of a directory itself means all of it, with the path ''. */
export function locateOrWhole(controller: Controller, written: string): Located | undefined {
  return located(locateOrWholeIn(named(controller), written));
}

type NamedDirectory = Named & { readonly main: MainDirectory };

function named({ directories }: Controller): NamedDirectory[] {
  return [...directories.values()].map((main) => ({
    roots: [main.replica.path, main.config.path, main.name],
    nested: main.nested,
    main,
  }));
}

function located(
  found: { readonly directory: NamedDirectory; readonly path: string } | undefined,
): Located | undefined {
  return found && { directory: found.directory.main, path: found.path };
}
