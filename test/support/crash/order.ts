import { touchedBy } from './disk.ts';
import { pendingAt } from './powerCut.ts';
import type { Recording } from './recording.ts';

/**
 * Renames of files whose content was not durable by then: a power cut right after may leave half a file under its name.
 * Random cuts meet that moment only now and then.
 */
export function renamedTooEarly(recording: Recording, host: string): string[] {
  const early: string[] = [];
  for (const [at, event] of recording.events.entries()) {
    if (event.kind !== 'operation' || event.host !== host || event.operation.kind !== 'rename') continue;
    const { moved, toName } = event.operation;
    const isPending = pendingAt(recording, host, at).some((number) => {
      const earlier = recording.events[number];
      if (earlier?.kind !== 'operation' || earlier.operation.kind !== 'write') return false;
      return touchedBy(earlier.operation).includes(moved);
    });
    if (isPending) early.push(`${at}: ${toName}`);
  }
  return early;
}
