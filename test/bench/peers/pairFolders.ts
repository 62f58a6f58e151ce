import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { copyAll } from '../content.ts';
import type { Layout } from '../contestant.ts';

/** The folders of a peer's pair, filled as the layout says. */
export function makePairFolders({ folder, content, isFilled }: Layout): {
  source: string;
  target: string;
  outbox: string;
} {
  const [source, target, outbox] = ['source', 'target', 'outbox'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [source, target, outbox]) mkdirSync(each, { recursive: true });
  copyAll(content, source);
  if (isFilled) copyAll(content, target);
  return { source, target, outbox };
}
