import * as z from 'zod';
import type { DeepReadonly } from '#host/control/contract.ts';
import { type Documents, documentsOf } from '#host/cli/json/jsonDocuments.ts';
import { checkedConfig, checks } from '#host/cli/json/jsonShapes.ts';
import { agentContract as asked } from '../control/contract.ts';

/**
 * The schemas of the output of each command with `--json`, apart from the version; docs/json is generated from them.
 */
export const AGENT_JSON = {
  enroll: z.object({
    name: z.string(),
    state: z.enum(['enrolled', 'pending']),
    main: z.string(),
    /** While it waits for approval: the fingerprint to compare with the one on Main. */
    fingerprint: z.string().optional(),
  }),
  status: asked.status.result,
  history: asked.history.result,
  'trash list': asked['trash-list'].result,
  'trash restore': asked['trash-restore'].result,
  why: asked.why.result,
  diff: asked.diff.result,
  doctor: checks,
  'check-config': checkedConfig,
  leave: z.object({ left: z.literal(true), problem: z.string().nullable() }),
  'trust-main': z.object({ trusted: z.literal(true) }),
} satisfies Documents;

export type AgentJson = { [K in keyof typeof AGENT_JSON]: DeepReadonly<z.input<(typeof AGENT_JSON)[K]>> };

/** The schemas of docs/json/xivo-xds-sync-agent, by command. */
export function agentDocuments(): Map<string, object> {
  return documentsOf('xivo-xds-sync-agent', AGENT_JSON);
}
