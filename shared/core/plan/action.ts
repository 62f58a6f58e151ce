import type { PlannedAction } from '#protocol/messages/common.ts';
import { bytesOf } from '../manifest/entry.ts';
import { ownVersionOf } from './decide.ts';
import type { Decision } from './decision.ts';

/** Describes a decision for people, as seen from Main; undefined when it changes nothing on disk. */
export function actionOf(directory: string, path: string, decision: Decision): PlannedAction | undefined {
  switch (decision.kind) {
    case 'nothing':
    case 'local':
    case 'agree':
    case 'forget':
      return undefined;
    case 'deliver':
      return {
        directory,
        action: deliveryAction(decision),
        path,
        bytes: decision.content ? bytesOf(decision.entry) : 0,
        reason: decision.reason,
      };
    case 'remove':
    case 'remove-on-main':
      return { directory, action: 'remove', path, bytes: 0, reason: decision.reason };
    case 'upload':
      return {
        directory,
        action: decision.conflict ? 'conflict' : 'receive',
        path,
        bytes: decision.content ? bytesOf(decision.entry) : 0,
        reason: decision.reason,
      };
    case 'lose':
      return {
        directory,
        action: 'conflict',
        path,
        bytes: bytesOf(decision.loser) + bytesOf(decision.winner),
        reason: decision.reason,
      };
    case 'skip':
      return { directory, action: 'skip', path, bytes: 0, reason: decision.reason };
  }
}

/** Whether the action undoes what was done on the MDS itself. */
export function undoesOwn({ action, reason }: Pick<PlannedAction, 'action' | 'reason'>): boolean {
  return action === 'restore' || ownVersionOf(reason) !== undefined;
}

/** Whether the action replaces a content that the MDS made itself, which then lies in its trash. */
export function displaces({ reason, bytes }: Pick<PlannedAction, 'reason' | 'bytes'>): boolean {
  return bytes > 0 && ownVersionOf(reason) !== undefined;
}

function deliveryAction(decision: Decision & { kind: 'deliver' }): PlannedAction['action'] {
  if (decision.drift) return 'restore';
  if (decision.entry.type === 'folder') return 'mkdir';
  return decision.entry.type === 'link' ? 'link' : 'send';
}
