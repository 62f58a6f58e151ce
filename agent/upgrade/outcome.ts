import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type UpgradeOutcome, upgradeOutcomeSchema } from '#protocol/messages/common.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';

const FILE = 'outcome.json';

/** Outcome of the last upgrade on this MDS; undefined when there was none or it is unknown. */
export function readOutcome(installerFolder: string): UpgradeOutcome | undefined {
  try {
    return upgradeOutcomeSchema.parse(JSON.parse(readFileSync(path.join(installerFolder, FILE), 'utf8')));
  } catch {
    // Missing, or damaged by a power cut. It is only information for people.
    return undefined;
  }
}

/**
 * Stores the outcome durably, readable by the agent.
 * @throws an error that names the file when it can't be written
 */
export function writeOutcome(installerFolder: string, outcome: UpgradeOutcome): void {
  writeFileDurably(path.join(installerFolder, FILE), `${JSON.stringify(outcome)}\n`, { mode: 0o644 });
}
