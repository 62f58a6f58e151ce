import { type ControllerPlaces, controllerPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import { askDaemon } from '#host/control/controlClient.ts';
import type { GlobalOptions } from '#host/cli/program.ts';

/** Where this invocation's Main lives. */
export type Context = { readonly root: Root; readonly places: ControllerPlaces; readonly configFile: string };

export function contextOf(options: GlobalOptions): Context {
  const root = new Root(options.root);
  const places = controllerPlaces(root);
  return { root, places, configFile: options.config ?? places.configFile };
}

/** Asks the controller that runs in this place. */
export function ask(
  context: Context,
  command: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const start =
    'Start it with "systemctl start xivo-xds-sync", or in the foreground with "xivo-xds-sync serve"';
  return askDaemon(context.places.controlSocket, command, args, start);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}
