import type { Root } from '../config/rootPath.ts';

/** How a daemon is started. With --root it is no service: the one of that name on this machine is another host's. */
export function howToStart(
  { isElsewhere }: Pick<Root, 'isElsewhere'>,
  program: string,
  command: string,
): string {
  return isElsewhere
    ? `Start it with "${program} --root DIR ${command}"`
    : `Start it with "systemctl start ${program}", or in the foreground with "${program} ${command}"`;
}
