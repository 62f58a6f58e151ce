import type { Excludes } from '#core/path/excludes.ts';
import type { Replica } from '#sync/scan/replica.ts';

/**
 * The files of Main's dialplan that are excluded from delivery but read by Main's own Asterisk, which includes every
 * file of the folder that is not hidden.
 */
export function excludedDialplan(replica: Replica, excludes: Excludes): ReadonlyMap<string, string> {
  const warnings = new Map<string, string>();
  for (const name of replica.excludedFilesIn('')) {
    if (name.startsWith('.')) continue;
    const pattern = excludes.patternFor(name, false) ?? '';
    warnings.set(
      name,
      `excluded (${pattern}), so no MDS gets it, but Main's own Asterisk reads it as dialplan: move it out of the folder`,
    );
  }
  return warnings;
}
