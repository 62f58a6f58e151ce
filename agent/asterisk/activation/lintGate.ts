import type { Finding } from '#core/dialplan/finding.ts';
import { readDialplanFolder } from '#core/dialplan/readFolder.ts';
import { includeExists } from '#core/dialplan/include.ts';
import { lintDialplan } from '#core/dialplan/lint.ts';
import { dialplanAfter, type Put } from './dialplanAfter.ts';

const CONFIG_FOLDER = '/etc/asterisk';

export type DialplanPlace = {
  /** The folder on this host's disk, and as Asterisk names it (without --root). */
  readonly path: string;
  readonly asteriskPath: string;
  /** What --root puts before Asterisk's paths. */
  readonly root: string;
};

/**
 * What lint has against a change set: the errors that the folder would have with it and does not have without.
 * A broken file that is there already, such as a local one, does not keep Main's from coming.
 *
 * @param changed what the change set brings, by path
 */
export async function lintChange(
  place: DialplanPlace,
  changed: ReadonlyMap<string, Put>,
): Promise<Finding[]> {
  const before = await readDialplanFolder(place.path);
  const after = await dialplanAfter(place.path, before, changed);
  const known = new Set(lintFiles(place, before).map(textOf));
  return lintFiles(place, after).filter(
    (finding) => changed.has(finding.path) || !known.has(textOf(finding)),
  );
}

function lintFiles(place: DialplanPlace, files: ReadonlyMap<string, Buffer>): Finding[] {
  const exists = includeExists({
    root: place.root,
    configFolder: CONFIG_FOLDER,
    folder: place.asteriskPath,
    files,
  });
  return lintDialplan(files, { exists });
}

/** For people, and to tell findings apart. */
export function textOf({ path, line, message }: Finding): string {
  return `${path}, line ${line}: ${message}`;
}
