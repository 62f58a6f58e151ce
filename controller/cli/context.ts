import { type ControllerPlaces, controllerPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import type { GlobalOptions } from '#host/cli/program.ts';

/** The root and files of this invocation's Main. */
export type Context = { readonly root: Root; readonly places: ControllerPlaces; readonly configFile: string };

/** The context of an invocation with these global options. */
export function contextOf(options: GlobalOptions): Context {
  const root = new Root(options.root);
  const places = controllerPlaces(root);
  return { root, places, configFile: options.config ?? places.configFile };
}
