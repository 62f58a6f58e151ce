import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type UpgradeOutcome, upgradeOutcomeSchema } from '#protocol/messages/common.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';

const FILE = 'outcome.json';

/** What became of the last upgrade here; undefined when there was none, or when it can't be told. */
export function readOutcome(installerFolder: string): UpgradeOutcome | undefined {
  try {
    return upgradeOutcomeSchema.parse(JSON.parse(readFileSync(path.join(installerFolder, FILE), 'utf8')));
  } catch {
    // Not there, or damaged by a power cut: nothing depends on it but what people are told.
    return undefined;
  }
}

export function writeOutcome(installerFolder: string, outcome: UpgradeOutcome): void {
  writeFileDurably(path.join(installerFolder, FILE), `${JSON.stringify(outcome)}\n`, { mode: 0o644 });
}
