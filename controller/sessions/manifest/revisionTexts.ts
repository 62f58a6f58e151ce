import type { FromMain } from '#protocol/messages/session.ts';
import type { Revision } from '../../directories/publication.ts';

const known = new WeakMap<Revision, Map<string, readonly string[]>>();

/**
 * The messages that announce a revision, as text. Nearly all agents are sent the same ones, so they are made once for all of
 * them: for 16 agents, making them was a seventh of what Main did to deliver 3,000 files.
 * @param variant everything in which the messages for two agents may differ
 */
export function textsOf(
  revision: Revision,
  variant: string,
  make: () => Iterable<FromMain>,
): readonly string[] {
  const variants = known.get(revision) ?? new Map<string, readonly string[]>();
  known.set(revision, variants);
  const texts = variants.get(variant) ?? Array.from(make(), (message) => JSON.stringify(message));
  variants.set(variant, texts);
  return texts;
}
